"""`make run` from a person's side: the one command, and each way it can fail at once."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.waiting import wait_for
from tests.web.conftest import ROOT, free_port


@pytest.fixture
def machine(tmp_path):
    """Programs on a PATH of their own, as a machine without Python 3.11 or the venv module has them."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("make", "sh", "uname", "touch"):
        (programs / name).symlink_to(shutil.which(name))
    return programs


def make(machine, tmp_path, *arguments):
    return subprocess.run(
        [shutil.which("make"), f"VENV={tmp_path}/venv", *arguments],
        cwd=ROOT,
        env={"PATH": str(machine), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def program(machine, name, script):
    (machine / name).write_text(f"#!/bin/sh\n{script}\n")
    (machine / name).chmod(0o755)


def own_line(done):
    """The one line that is ours; make adds `make: *** … Error 2` to it."""
    assert done.returncode != 0 and "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(lines) == 1 and done.stdout == "", (done.stdout, done.stderr)
    return lines[0]


def test_without_any_python_one_line_says_so(machine, tmp_path):
    assert "needs Python 3.11 or newer" in own_line(make(machine, tmp_path, "run"))


def test_with_an_old_python_only_one_line_says_so(machine, tmp_path):
    program(machine, "python3", "exit 1")
    assert "needs Python 3.11 or newer" in own_line(make(machine, tmp_path, "run"))


def test_a_newer_python_beside_an_old_one_is_found(machine, tmp_path):
    program(machine, "python3", "exit 1")
    program(machine, "python3.13", f'exec {sys.executable} "$@"')
    assert make(machine, tmp_path, f"{tmp_path}/venv/ready-python").returncode == 0
    assert (tmp_path / "venv/bin/python").exists()


def test_without_the_venv_module_one_line_says_what_to_install(machine, tmp_path):
    program(machine, "python3", 'case "$2" in *ensurepip*) exit 1;; esac; exit 0')
    assert "apt install python3-venv" in own_line(make(machine, tmp_path, "run"))


# with everything installed


class Run:
    """`make run` on the Python of the tests, in a process group as a terminal makes one."""

    def __init__(self, tmp_path, **environment):
        venv = tmp_path / "venv"
        venv.mkdir()
        for part in ("bin", "lib", "pyvenv.cfg"):
            (venv / part).symlink_to(Path(sys.prefix) / part)
        for stamp in ("ready-python", "ready-base", "ready-local"):
            (venv / stamp).touch()
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("LAB_", "MAKE"))
        }
        self.said = (tmp_path / "said").open("w+")
        self.process = subprocess.Popen(
            ["make", f"VENV={venv}", "run"],
            cwd=ROOT,
            env=inherited | {"LAB_STATE_DIR": str(tmp_path / "state"), "LAB_ENGINE": "local"} | environment,
            stdout=self.said,
            stderr=self.said,
            start_new_session=True,
        )

    def output(self):
        self.said.seek(0)
        return self.said.read()

    def link(self):
        found = wait_for(
            lambda: re.search(r"Open (\S+)", self.output()) or self.process.poll(), 30, told=self.output
        )
        return found[1]

    def interrupt(self):
        """Ctrl-C: the terminal signals everything in the foreground."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=10)


@pytest.fixture
def run():
    """Starts `make run`, as often as a test wants."""
    started = []

    def start(*arguments, **environment):
        started.append(Run(*arguments, **environment))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.interrupt()


@pytest.mark.local
def test_make_run_serves_until_ctrl_c_and_the_link_outlives_it(run, tmp_path):
    port = free_port()
    first = run(tmp_path, LAB_PORT=str(port))
    link = first.link()
    page = requests.get(link, timeout=10)
    assert page.status_code == 200 and "Labdeck" in page.text
    assert requests.get(f"http://127.0.0.1:{port}/healthz", timeout=10).json()["engine"] == "local"
    began = time.monotonic()
    assert first.interrupt() in (0, -signal.SIGINT)  # make itself always dies of Ctrl-C; what it ran does not
    assert time.monotonic() - began < 3
    assert "Traceback" not in first.output() and "Error" not in first.output()
    (tmp_path / "again").mkdir()
    again = run(tmp_path / "again", LAB_PORT=str(port), LAB_STATE_DIR=str(tmp_path / "state"))
    assert again.link() == link


@pytest.mark.local
def test_make_run_on_a_taken_port_ends_with_one_line(run, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        tried = run(tmp_path, LAB_PORT=str(taken.getsockname()[1]))
        assert tried.process.wait(timeout=30) != 0
    lines = [line for line in tried.output().splitlines() if not line.startswith("make")]
    assert len(lines) == 1 and "is taken" in lines[0]
