"""A circuit that is unknown where it was asked for: the dashboard knows who held it and what became of it."""

import threading
import time

import pytest

from services.affinity_lab.fates import Fates
from services.events.log import EventLog
from services.events.store import Store
from services.workspaces.tail import Line


@pytest.fixture
def log(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/events.db")
    log = EventLog("demo", store, {"circuits": {}})
    yield log
    log.close()
    store.close()


def started(log, connected=False):
    data = {"visitor": "visitor-7", "circuit": "c1"}
    held = {"circuits": {"c1": {"replica": "replica-1", "connected": connected}}}
    log.record("replica-1", "circuit.started", "", data=data, patch=held)


def gone(log, kind, **data):
    log.record("replica-1", kind, "", data=data, patch={"circuits": {"c1": None}})


def rejected(log):
    line = Line("replica-2", "circuit.rejected", "warning", "", {"visitor": "visitor-7", "circuit": "c1"})
    explained = Fates(log).explain(line)
    return explained.data["holder"], explained.data["fate"], explained.text


def test_who_holds_the_circuit_is_named(log):
    started(log)
    assert rejected(log) == ("replica-1", "held", "replica-2 has no memory of visitor-7: replica-1 holds it.")


@pytest.mark.parametrize(
    ("kind", "fate"), [("circuit.expired", "expired"), ("circuit.forgotten", "forgotten")]
)
def test_a_circuit_that_was_given_up_is_said_to_be(log, kind, fate):
    started(log)
    gone(log, kind, visitor="visitor-7", circuit="c1")
    assert rejected(log)[:2] == ("replica-1", fate)


@pytest.mark.parametrize(("kind", "fate"), [
    ("replica.killed", "killed"), ("replica.died", "died"), ("replica.stopped", "stopped"),
])  # fmt: skip
def test_a_circuit_whose_replica_went_is_said_to_have_gone_with_it(log, kind, fate):
    started(log)
    log.record("replica-2", "replica.killed", "another one")
    gone(log, kind)
    assert rejected(log)[:2] == ("replica-1", fate)


def test_the_news_of_a_killed_replica_is_waited_for(log):
    """Its visitors come back within milliseconds, and the engine takes longer to say that it is dead."""
    started(log, connected=True)
    threading.Timer(0.2, gone, (log, "replica.killed")).start()
    assert rejected(log)[:2] == ("replica-1", "killed")


def test_nobody_can_make_the_log_wait_again_and_again(log):
    started(log, connected=True)
    fates, begun = Fates(log), time.monotonic()
    for _ in range(50):
        assert fates.of("c1", "visitor-7") == ("replica-1", "held")
    assert time.monotonic() - begun < 2


def test_a_circuit_that_nobody_was_seen_to_make_is_unknown(log):
    assert rejected(log) == (
        None, "unknown", "replica-2 has no memory of visitor-7: no replica is known to hold it.",
    )  # fmt: skip
    assert Fates(log).of(None, None) == (None, "unknown")


def test_other_lines_stay_as_they_are(log):
    line = Line("replica-2", "circuit.started", "info", "text", {"circuit": "c1"})
    assert Fates(log).explain(line) is line
