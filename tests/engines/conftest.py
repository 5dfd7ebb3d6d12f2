"""The machines of the contract suite, one engine at a time."""

import pytest
from contract.machines import Machine, go_caches, no_image_stays

__all__ = ["docker_machine", "go_caches", "local_machine", "no_image_stays"]


@pytest.fixture
def docker_machine(tmp_path, go_caches):
    yield from _machine("docker", tmp_path, go_caches)


@pytest.fixture
def local_machine(tmp_path, go_caches):
    yield from _machine("local", tmp_path, go_caches)


def _machine(kind, tmp_path, go_caches):
    machine = Machine(kind, tmp_path / "state", go_caches)
    machine.build()
    yield machine
    machine.leave()
