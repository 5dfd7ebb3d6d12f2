"""The commands on the page, run in a shell: they do what the buttons do, and get the same."""

import json
import os
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from tests.dashboard import Dashboard
from tests.go_caches import share_go_caches
from tests.waiting import wait_for

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def lab(request, tmp_path):
    """A dashboard whose Hello-Go greets in a way of its own, built and launched."""
    share_go_caches(tmp_path / "state", request.config)
    dashboard = Dashboard(request.param, tmp_path / "state").start()
    try:
        dashboard.done(dashboard.post("/hello-go/launch", {"greeting": "Golden 100 %", "port": 8085}), 300)
        yield dashboard
    finally:
        dashboard.stop()


def shown(dashboard):
    return dashboard.get("/hello-go/sources")["commands"]


def shell(command, **environment):
    ran = subprocess.run(
        ["bash", "-c", command], env=os.environ | environment, capture_output=True, text=True, timeout=180
    )
    assert ran.returncode == 0, f"{command}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


def curl(command):
    """The answer of a `curl -i`, less what the clock says."""
    lines = shell(command).replace("\r", "").splitlines()
    return [line for line in lines if not line.startswith("Date:")]


def answers(command):
    return subprocess.run(["bash", "-c", command], capture_output=True, timeout=20).returncode == 0


def check_call(dashboard):
    """`curl -i` gets what the button got; the load is counted the same way."""
    called, commands = dashboard.post("/hello-go/call"), shown(dashboard)
    assert called["command"] == commands["call"]
    printed = curl(commands["call"])
    assert printed[0] == f"HTTP/1.1 {called['status']} OK" and printed[-1] == called["body"] == "Golden 100 %"
    headers = {name: value for name, value in called["headers"].items() if name != "Date"}
    assert {f"{name}: {value}" for name, value in headers.items()} == set(printed[1:-2])
    measured = json.loads(shell(commands["load"]))
    assert (measured["n"], measured["statuses"]) == (200, {"200": 200})
    return printed


@pytest.mark.docker
@pytest.mark.parametrize("lab", ["docker"], indirect=True)
def test_the_docker_commands_build_run_call_measure_and_stop_the_same(lab):
    printed, commands = check_call(lab), shown(lab)
    images = {image["tag"]: image for image in lab.get("/hello-go/images")["images"]}
    ours = images["labdeck/hello-go:latest"]

    shell(commands["build"], DOCKER_BUILDKIT="0")
    identity = "docker image inspect --format '{{.Id}}' labdeck/hello-go:latest"
    assert shell(identity).strip() == ours["id"], "the same sources, out of the cache"
    listed = next(
        line for line in shell(commands["images"]).splitlines() if "hello-go " in line and "latest" in line
    )
    assert f"{ours['size'] / 1e6:.3g}MB" in listed
    history = shell(commands["layers"])
    assert all(f"{layer['size'] / 1e6:.3g}MB" in history for layer in ours["layers"] if layer["size"] > 1e6)

    lab.done(lab.post("/hello-go/stop"))
    commands = shown(lab)
    assert not answers(f"{commands['call']} --fail")
    shell(commands["run"])
    try:
        wait_for(lambda: answers(commands["call"]), 20)
        assert curl(commands["call"]) == printed
    finally:
        shell(commands["stop"])
    assert not answers(commands["call"])


@pytest.mark.local
@pytest.mark.parametrize("lab", ["local"], indirect=True)
def test_the_local_commands_compile_the_same_bytes_and_run_them(lab):
    printed, commands = check_call(lab), shown(lab)
    image = lab.get("/hello-go/images")["images"][0]
    caches = {
        "GOCACHE": str(lab.state_dir / "local/go/build"),
        "GOPATH": str(lab.state_dir / "local/go/path"),
    }
    shell(commands["build"], **caches)
    made = Path(shlex.split(commands["images"])[-1])
    assert made.read_bytes() == Path(image["tag"]).read_bytes()
    assert str(image["size"]) in shell(commands["images"])

    lab.done(lab.post("/hello-go/stop"))
    commands = shown(lab)
    program = subprocess.Popen(
        ["bash", "-c", commands["run"]], stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_for(lambda: answers(commands["call"]), 20)
        assert curl(commands["call"]) == printed
    finally:
        os.killpg(program.pid, signal.SIGINT)  # what Ctrl-C does
        program.wait(timeout=10)
    assert not answers(commands["call"])
