"""One suite for every engine: the fixtures give the same programs on each."""

import pytest
from contract.machines import ENGINES, Machine, go_caches, no_image_stays

__all__ = ["bare_machine", "go_caches", "machine", "no_image_stays"]


@pytest.fixture(params=ENGINES)
def bare_machine(request, tmp_path, go_caches):
    """An engine that has built nothing."""
    machine = Machine(request.param, tmp_path / "state", go_caches)
    yield machine
    machine.leave()


@pytest.fixture
def machine(bare_machine):
    """An engine that has built the talker."""
    bare_machine.build()
    return bare_machine
