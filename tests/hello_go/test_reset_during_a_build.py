"""Everything is to be removed during a build of Hello-Go: it ends at once, and nothing of it is left."""

import re
import subprocess
import uuid
from pathlib import Path

import pytest
import requests

from tests.dashboard import TOKEN, Dashboard
from tests.waiting import wait_for


@pytest.fixture
def building(request, tmp_path):
    """A dashboard whose compiler works on a program that nobody compiled before."""
    dashboard = Dashboard(request.param, tmp_path / "state").start()
    try:
        dashboard.images_before = docker("images", "--all", "--quiet") if request.param == "docker" else ""
        dashboard.post("/hello-go/build", {"greeting": uuid.uuid4().hex})
        wait_for(lambda: compiles(dashboard), 120, told=dashboard.told)
        yield dashboard
    finally:
        dashboard.stop()


def lines(dashboard):
    return [event["text"] for event in dashboard.events(kind="output.line")]


def compiles(dashboard):
    """By then each engine has something to be cleaned up."""
    said = lines(dashboard)
    at = next((number for number, line in enumerate(said) if "go build" in line), None)
    return at is not None and len(said) > at + 1


def docker(*words):
    ran = subprocess.run(("docker", *words), check=True, capture_output=True, text=True, timeout=60)
    return ran.stdout


def reset(dashboard):
    url = f"{dashboard.url}/api/workspaces/demo"
    requests.delete(url, json={}, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30).raise_for_status()
    wait_for(lambda: dashboard.events(kind="workspace.reset"), 60, told=dashboard.told)


@pytest.mark.docker
@pytest.mark.parametrize("building", ["docker"], indirect=True)
def test_no_container_and_no_image_of_the_build_is_left(building):
    said = "\n".join(lines(building))
    container = re.findall(r"Running in ([0-9a-f]{12})", said)[-1]
    made = set(re.findall(r"^ ---> ([0-9a-f]{12})$", said, re.MULTILINE)) - set(
        building.images_before.split()
    )
    assert made and container in docker("ps", "--all", "--quiet"), "there is something to be cleaned up"
    reset(building)
    assert container not in docker("ps", "--all", "--quiet")
    assert not made & set(docker("images", "--all", "--quiet").split()), "so it did not go on to its end"
    assert building.get()["hello_go"]["phase"] == "stopped"


@pytest.mark.local
@pytest.mark.parametrize("building", ["local"], indirect=True)
def test_no_compiler_and_no_file_of_the_build_is_left(building):
    assert processes_of(building), "there is something to be cleaned up"
    reset(building)
    assert not processes_of(building)
    assert not list((building.state_dir / "local/go").glob("work-*"))
    assert building.get("/hello-go/images")["images"] == [], "so it did not go on to its end"
    assert building.get()["hello_go"]["phase"] == "stopped"


def processes_of(dashboard):
    """Those of the compiler, which work in the dashboard's state folder."""
    here, found = str(dashboard.state_dir / "local"), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if here in (process / "cmdline").read_text():
                found.append(process.name)
        except OSError:
            continue
    return found
