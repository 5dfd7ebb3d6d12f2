"""Logs and the watch: each line once, each change told, and every stream can be closed."""

import threading

import pytest
from contract.machines import REAL
from waiting import wait_for

from services.errors import NotFound


def test_logs_begin_at_the_start_and_follow(machine):
    machine.start()
    stream = machine.engine.logs("contract", "talker-1")
    lines = iter(stream)
    assert next(lines).text == "talker is ready"
    machine.ask("talker-1", "say", text="später")
    assert next(lines).text == "später"
    stream.close()


def test_a_burst_is_read_once_and_in_order_across_restarts(machine):
    machine.start()
    machine.ask("talker-1", "say", text="line", times=5000)
    read, cursor = [], None
    for count in (1, 1, 1700, 1, 2298, 1000):
        part = machine.read(count, cursor)
        read += [line.text for line in part]
        cursor = part[-1].cursor
        machine.restart()
    assert read == ["talker is ready", *(f"line {number}" for number in range(5000))]


def test_a_reader_gets_what_comes_after_its_cursor_only(machine):
    machine.start()
    cursor = machine.read(1)[0].cursor
    machine.ask("talker-1", "say", text="next")
    assert [line.text for line in machine.read(1, cursor)] == ["next"]


def test_the_log_of_a_dead_instance_is_whole_and_ends(machine):
    machine.start()
    machine.ask("talker-1", "say", text="line", times=300)
    machine.let_exit("talker-1", 1)
    lines = [line.text for line in machine.engine.logs("contract", "talker-1")]
    assert len(lines) == 301 and lines[-1] == "line 299"


def test_a_reader_that_waits_sees_the_end_when_the_instance_dies(machine):
    machine.start()
    texts, reader = follow(machine.engine.logs("contract", "talker-1"), lambda line: line.text)
    wait_for(lambda: texts)
    machine.engine.kill("contract", "talker-1")
    reader.join(5)
    assert not reader.is_alive() and texts == ["talker is ready"]


def test_the_last_words_are_read_though_the_instance_is_stopped(machine):
    machine.start()
    texts, reader = follow(machine.engine.logs("contract", "talker-1"), lambda line: line.text)
    machine.ask("talker-1", "say", text="last words")
    wait_for(lambda: "last words" in texts)
    machine.engine.stop("contract", "talker-1")
    reader.join(5)
    assert not reader.is_alive()


def test_a_closed_log_ends_at_once_while_the_instance_is_silent(machine):
    machine.start()
    stream = machine.engine.logs("contract", "talker-1")
    texts, reader = follow(stream, lambda line: line.text)
    wait_for(lambda: texts)
    stream.close()
    stream.close()
    reader.join(2)
    assert not reader.is_alive()


def test_logs_of_nobody_are_not_found(machine):
    with pytest.raises(NotFound):
        machine.engine.logs("contract", "nobody")


@pytest.mark.parametrize("bare_machine", REAL, indirect=True)
def test_long_lines_and_lines_in_pieces_come_whole(machine):
    machine.start()
    machine.ask("talker-1", "say", text="first ", end="")
    machine.ask("talker-1", "say", text="and second half")
    machine.ask("talker-1", "say", text="x" * 60_000)
    machine.ask("talker-1", "say", text="after")
    lines = machine.read(4)
    assert [line.text for line in lines[1:]] == ["first and second half", "x" * 60_000, "after"]
    assert [line.text for line in machine.read(2, lines[1].cursor)] == ["x" * 60_000, "after"]
    assert [line.text for line in machine.read(1, lines[2].cursor)] == ["after"]


@pytest.mark.parametrize("bare_machine", REAL, indirect=True)
def test_a_last_line_without_an_end_is_read(machine):
    machine.start()
    machine.ask("talker-1", "say", text="unfinished", end="")
    machine.let_exit("talker-1", 0)
    assert [line.text for line in machine.engine.logs("contract", "talker-1")][-1] == "unfinished"


def test_the_watch_tells_starts_and_deaths_of_every_workspace(machine):
    machine.start("earlier")
    stream = machine.engine.watch()
    changes, watcher = follow(stream, lambda one: one)
    one = machine.start("talker-1")
    machine.let_exit("talker-1", 4)
    machine.workspace = "contract-two"
    two = machine.start("talker-2")
    machine.engine.stop("contract-two", "talker-2")
    wait_for(lambda: len(changes) == 4, told=lambda: str(changes))
    told = [(change.workspace, change.instance, change.id, change.what) for change in changes]
    assert told == [
        ("contract", "talker-1", one.id, "started"),
        ("contract", "talker-1", one.id, "died"),
        ("contract-two", "talker-2", two.id, "started"),
        ("contract-two", "talker-2", two.id, "died"),
    ]
    assert changes[1].service == "talker" and changes[1].exit_code == 4
    stream.close()
    watcher.join(2)
    assert not watcher.is_alive()


def test_the_watch_sees_what_another_dashboard_left_running_die(machine):
    machine.start()
    machine.restart()
    stream = machine.engine.watch()
    changes, _ = follow(stream, lambda one: one.what)
    machine.engine.kill("contract", "talker-1")
    wait_for(lambda: changes == ["died"], told=lambda: str(changes))
    stream.close()


def follow(stream, take):
    """Read in another thread; the list that grows, and the thread."""
    taken = []

    def read():
        for one in stream:
            taken.append(take(one))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    return taken, reader
