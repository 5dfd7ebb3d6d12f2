"""The log keeps its promises: contiguous, stored before told, nothing twice after a kill."""

import itertools
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from services.events.event import Event
from services.events.kinds import KINDS
from services.events.log import EventLog
from services.events.patch import merge
from services.events.store import _ABOUT, Store


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/events.db")
    yield store
    store.close()


@pytest.fixture
def log(store):
    log = EventLog("demo", store, {"wanted": {}})
    yield log
    log.close()


def wait_for(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)


def test_numbers_are_contiguous_when_many_threads_record(log):
    def record():
        for _ in range(200):
            log.record("dashboard", "output.line", "x")

    threads = [threading.Thread(target=record) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.seq for event in log.read(limit=5000)] == list(range(1, 1601))


def test_an_event_is_on_disk_before_a_listener_hears_of_it(log, store):
    seen = []
    log.listen(lambda name, batch: seen.append((batch[-1]["seq"], store.last_seq(name))))
    log.record("dashboard", "output.line", "one")
    wait_for(lambda: seen)
    assert seen[0] == (1, 1)


def test_batches_come_in_order_and_at_most_ten_a_second(log):
    batches = []
    log.listen(lambda name, batch: batches.append((time.monotonic(), [line["seq"] for line in batch])))
    stop = time.monotonic() + 0.55
    while time.monotonic() < stop:
        log.record("dashboard", "output.line", "x")
        time.sleep(0.001)
    last = log.look()[0]
    wait_for(lambda: batches and batches[-1][1][-1] == last)
    assert [seq for _, batch in batches for seq in batch] == list(range(1, last + 1))
    assert all(later - earlier >= 0.09 for (earlier, _), (later, _) in itertools.pairwise(batches))


def test_a_failing_listener_does_not_keep_the_others_from_hearing(log):
    seen = []
    log.listen(lambda name, batch: 1 / 0)
    log.listen(lambda name, batch: seen.extend(batch))
    log.record("dashboard", "output.line", "x")
    wait_for(lambda: seen)


def test_the_state_is_the_fold_of_the_patches_also_after_a_restart(log, store):
    log.record("a", "replica.ready", "x", patch={"replicas": {"replica-1": {"phase": "running", "url": "u"}}})
    log.flush()
    log.record("a", "replica.died", "x", patch={"replicas": {"replica-1": {"url": None}}})
    log.record("a", "replica.died", "x", patch=lambda state: {"count": len(state["replicas"])})
    log.flush()
    again = EventLog("demo", store, {})
    assert again.look() == (3, {"wanted": {}, "replicas": {"replica-1": {"phase": "running"}}, "count": 1})
    again.close()


def test_a_recorded_patch_is_not_changed_by_later_ones(log):
    first = log.record("a", "replica.ready", "x", patch={"replicas": {"replica-1": {"phase": "running"}}})
    log.record("a", "replica.died", "x", patch={"replicas": {"replica-1": {"phase": "failed"}}})
    assert first.patch == {"replicas": {"replica-1": {"phase": "running"}}}


def test_an_unknown_kind_is_refused_and_takes_no_number(log):
    with pytest.raises(ValueError, match=r"no\.such_kind"):
        log.record("a", "no.such_kind", "x")
    assert log.record("a", "output.line", "x").seq == 1


def test_a_cursor_is_stored_with_its_event(log, store):
    log.record("replica-1", "output.line", "x", cursor=("id-1", "42"))
    log.flush()
    assert store.cursor("demo", "id-1") == "42"
    assert log.cursor("id-2") is None


def test_events_survive_a_store_that_fails_for_a_while(log, store, tmp_path):
    blocker = sqlite3.connect(tmp_path / "events.db", isolation_level=None)
    store._engine.dispose()
    log.record("a", "output.line", "first")
    log.flush()
    original = store.append
    failures = iter([OSError("disk full"), OSError("disk full")])

    def failing(*args):
        if error := next(failures, None):
            raise error
        original(*args)

    store.append = failing
    heard = []
    log.listen(lambda name, batch: heard.extend(line["seq"] for line in batch))
    log.record("a", "output.line", "second")
    log.record("a", "output.line", "third")
    wait_for(lambda: {2, 3} <= set(heard))
    assert [event.seq for event in store.read("demo")] == [1, 2, 3]
    blocker.close()


def test_clearing_forgets_the_events_but_the_numbers_go_on(log, store):
    log.record("a", "output.line", "x", patch={"wanted": {"a": 1}}, cursor=("id", "1"))
    log.clear()
    assert log.read() == []
    assert log.look() == (1, {"wanted": {}})
    assert log.record("a", "workspace.reset", "x").seq == 2
    log.flush()
    assert EventLog("demo", store, {}).record("a", "output.line", "x").seq == 3


def test_reading_filters_by_source_kind_and_family(log):
    log.record("replica-1", "circuit.started", "x")
    log.record("replica-2", "circuit.resumed", "x")
    log.record("replica-2", "connection.closed", "x")
    assert [event.seq for event in log.read(source="replica-2")] == [2, 3]
    assert [event.seq for event in log.read(kind="circuit.resumed")] == [2]
    assert [event.seq for event in log.read(kind="circuit.")] == [1, 2]
    assert [event.seq for event in log.read(after=1, limit=1)] == [2]
    assert [event.seq for event in log.tail(2)] == [2, 3]


def test_two_workspaces_number_for_themselves(store):
    logs = [EventLog(name, store, {}) for name in ("one", "two")]
    assert [log.record("a", "output.line", "x").seq for log in logs] == [1, 1]
    for log in logs:
        log.close()


KILLED = """
import sys
from services.events.log import EventLog
from services.events.store import Store
log = EventLog("demo", Store(sys.argv[1]), {})
log.listen(lambda name, batch: print(batch[-1]["seq"], flush=True))
while True:
    log.record("a", "output.line", "x", patch={"n": 1})
"""


def test_what_a_listener_heard_is_still_there_after_sigkill(tmp_path):
    url = f"sqlite:///{tmp_path}/killed.db"
    child = subprocess.Popen([sys.executable, "-c", KILLED, url], stdout=subprocess.PIPE, text=True)
    heard = [int(child.stdout.readline()) for _ in range(3)]
    os.kill(child.pid, signal.SIGKILL)
    heard += [int(line) for line in child.stdout.read().splitlines()]
    child.wait()
    log = EventLog("demo", Store(url), {})
    stored = [event.seq for event in log.read(limit=10**6)]
    log.close()
    assert stored == list(range(1, len(stored) + 1))
    assert stored[-1] >= heard[-1]


def test_merge_follows_the_examples_of_rfc_7396():
    state = {"a": "b", "c": {"d": "e", "f": "g"}}
    merge(state, {"a": "z", "c": {"f": None}})
    assert state == {"a": "z", "c": {"d": "e"}}
    state = {"a": [1, 2], "b": 1}
    merge(state, {"a": {"x": {"y": None, "z": 1}}, "b": [3]})
    assert state == {"a": {"x": {"z": 1}}, "b": [3]}


def test_every_kind_is_dotted_and_explained():
    assert all(kind.count(".") == 1 and kind == kind.lower() for kind in KINDS)
    assert all(text.endswith(".") for text in KINDS.values())


def test_the_lines_of_one_visitor_are_found_without_reading_the_others(store):
    def line(seq):
        return Event(seq, "", "replica-1", "page.served", "info", "", {"visitor": f"visitor-{seq % 100}"})

    store.append("demo", [line(seq) for seq in range(1, 2001)], {})
    store.append("other", [line(seq) for seq in range(1, 201)], {})

    def found(**part):
        return [event.seq for event in store.about("demo", "visitor-7", **part)]

    assert found() == list(range(7, 2001, 100))
    assert found(before=907, limit=3) == [607, 707, 807]
    assert found(after=907, limit=2) == [1007, 1107]
    assert store.about("demo", "visitor-700") == []
    with sqlite3.connect(store._engine.url.database) as database:
        plan = database.execute(f"EXPLAIN QUERY PLAN {_ABOUT}", ("demo", "visitor-7", 0, 9)).fetchall()
    assert "USING INDEX events_of_a_visitor" in plan[0][3]


def test_a_database_of_an_earlier_labdeck_gets_the_index(store):
    with sqlite3.connect(store._engine.url.database) as database:
        database.execute("DROP INDEX events_of_a_visitor")
        odd = ("demo", 1, "", "", "output.line", "info", "", '{"ms": NaN}', "{}")
        database.execute(f"INSERT INTO events VALUES ({','.join('?' * 9)})", odd)
    store.close()
    again = Store(str(store._engine.url))
    assert again.about("demo", "visitor-7") == []
    again.close()
