"""Real replicas, the real balancer and a real crowd."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab_programs import ROOT, free_port, listens, until
from real_crowd import Crowd, Lab

STRANGE = Path(__file__).with_name("strange_server.py")
STRANGE_BLAZOR = Path(__file__).with_name("strange_blazor.py")


@pytest.fixture
def lab():
    lab = Lab()
    yield lab
    lab.close()


@pytest.fixture
def crowd():
    crowd = Crowd()
    yield crowd
    crowd.end()


@pytest.fixture
def strange_server():
    """Starts a server that breaks the protocol in a given way; answers its address."""
    with _servers(STRANGE) as start:
        yield start


@pytest.fixture
def strange_blazor():
    """The same with Blazor's protocol."""
    with _servers(STRANGE_BLAZOR) as start:
        yield start


@contextmanager
def _servers(script):
    started = []

    def start(way):
        port = free_port()
        command, environment = [sys.executable, script, way, str(port)], {"PYTHONPATH": str(ROOT)}
        started.append(subprocess.Popen(command, env=os.environ | environment))
        until(lambda: listens(port), f"the {way} server listens")
        return f"http://127.0.0.1:{port}"

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.wait()
