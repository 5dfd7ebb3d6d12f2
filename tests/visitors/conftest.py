"""Real replicas, the real balancer and a real crowd."""

import subprocess
import sys
from pathlib import Path

import pytest
from lab_programs import free_port, listens, until
from real_crowd import Crowd, Lab

STRANGE = str(Path(__file__).with_name("strange_server.py"))


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
    started = []

    def start(way):
        port = free_port()
        started.append(subprocess.Popen([sys.executable, STRANGE, way, str(port)]))
        until(lambda: listens(port), f"the {way} server listens")
        return f"http://127.0.0.1:{port}"

    yield start
    for process in started:
        process.kill()
        process.wait()
