"""A real Envoy with its controller, and tiny replicas behind it."""

import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from lab_programs import free_port, listens, until
from real_balancer import Balancer

PEER = str(Path(__file__).with_name("peer.py"))


class Peers:
    """Replicas by name, each a process that can be killed."""

    def __init__(self):
        self.ports, self.processes = {}, {}

    def start(self, *names):
        """Start these, each on a port of its own; answers once they listen."""
        for name in names:
            self.ports[name] = port = free_port()
            self.processes[name] = subprocess.Popen([sys.executable, PEER, name, str(port)])
        for name in names:
            until(lambda port=self.ports[name]: listens(port), f"{name} listens")

    def kill(self, name):
        self.processes[name].kill()
        self.processes[name].wait()

    def endpoints(self, *names):
        return [{"name": name, "host": "127.0.0.1", "port": self.ports[name]} for name in names]


@pytest.fixture
def peers():
    peers = Peers()
    yield peers
    for name in peers.processes:
        peers.kill(name)


@contextlib.contextmanager
def _balancing(**environment):
    with tempfile.TemporaryDirectory() as place:
        balancer = Balancer(environment={"TMPDIR": place, **environment})
        until(lambda: balancer.of("balancer.ready") or balancer.process.poll() is not None, balancer.story)
        assert balancer.process.poll() is None, balancer.story()
        yield balancer
        balancer.end()


@pytest.fixture
def bare_balancer():
    """Without replicas yet."""
    with _balancing() as balancer:
        yield balancer


@pytest.fixture
def balancer(bare_balancer, peers):
    """With three replicas."""
    peers.start("replica-1", "replica-2", "replica-3")
    bare_balancer.know(peers.endpoints(*peers.ports))
    return bare_balancer


@pytest.fixture(params=["", "1"], ids=["the app names visitors", "the balancer names visitors"])
def each_balancer(request, peers):
    """With three replicas, for each kind of app."""
    peers.start("replica-1", "replica-2", "replica-3")
    with _balancing(LAB_NAMES_VISITORS=request.param) as balancer:
        balancer.know(peers.endpoints(*peers.ports))
        yield balancer
