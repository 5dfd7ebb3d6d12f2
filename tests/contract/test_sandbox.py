"""What the contract says of sandboxes, and of files taken out of what was built."""

import pytest
from contract.machines import REAL, TALKER, talker_spec
from waiting import wait_for

from services.errors import NotFound

DOCKER = [pytest.param("docker", marks=pytest.mark.docker)]


@pytest.mark.parametrize("bare_machine", REAL, indirect=True)
def test_a_sandboxed_program_runs_and_is_found_stopped_and_read_like_any_other(machine):
    machine.engine.start(
        talker_spec(machine.workspace, sandbox=True, ports={}, command=("-c", "print('hello')"))
    )
    wait_for(lambda: not machine.find().running)
    assert machine.output("talker-1") == ["hello"]
    machine.engine.stop(machine.workspace, "talker-1")
    assert machine.find() is None


@pytest.mark.parametrize("bare_machine", DOCKER, indirect=True)
def test_a_sandbox_of_docker_has_no_network_and_may_run_what_it_wrote(machine):
    script = (
        "import os, pathlib, subprocess as s\n"
        "print(sorted(l.split(':')[0].strip() for l in open('/proc/net/dev').readlines()[2:]))\n"
        "p = pathlib.Path('/tmp/p'); p.write_text('#!/bin/sh\\necho ran'); p.chmod(0o755)\n"
        "print(s.run(['/tmp/p'], capture_output=True, text=True).stdout.strip())\n"
        "print(os.access('/', os.W_OK), os.getuid())\n"
    )
    machine.engine.start(talker_spec(machine.workspace, sandbox=True, ports={}, command=("-c", script)))
    wait_for(lambda: not machine.find().running)
    assert machine.output("talker-1") == ["['lo']", "ran", "False 65532"]
    host = machine.inspect()["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert host["CapDrop"] == ["ALL"]
    assert host["ReadonlyRootfs"]


@pytest.mark.parametrize("bare_machine", DOCKER, indirect=True)
def test_a_file_is_taken_out_of_an_image_and_no_container_stays(machine):
    assert machine.engine.file(TALKER, "/etc/passwd").startswith(b"root:")
    with pytest.raises(NotFound):
        machine.engine.file(TALKER, "/no/such/file")
    with pytest.raises(NotFound):
        machine.engine.file(TALKER, "/etc")
    assert machine.engine.instances() == []


def test_a_file_of_what_was_not_built_is_not_found(bare_machine):
    with pytest.raises(NotFound):
        bare_machine.engine.file("never-built", "/file")
