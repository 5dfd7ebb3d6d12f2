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


@pytest.fixture(params=["it was there", "an earlier dashboard was"])
def fates(request, log):
    """Of a dashboard that saw everything, or of one that has only the stored log."""
    return _Witness(log) if request.param == "it was there" else Fates(log)


class _Witness(Fates):
    """Sees each line before it is in the log, as those of programs are."""

    def __init__(self, log):
        super().__init__(log)
        record = log.record

        def seen(source, kind, text, data=None, **more):
            self.explain(Line(source, kind, "info", text, data or {}))
            return record(source, kind, text, data=data, **more)

        log.record = seen


def started(log, connected=False):
    data = {"visitor": "visitor-7", "circuit": "c1"}
    held = {"circuits": {"c1": {"replica": "replica-1", "connected": connected}}}
    log.record("replica-1", "circuit.started", "", data=data, patch=held)


def gone(log, kind, **data):
    log.record("replica-1", kind, "", data=data, patch={"circuits": {"c1": None}})


def rejected(fates):
    line = Line("replica-2", "circuit.rejected", "warning", "", {"visitor": "visitor-7", "circuit": "c1"})
    explained = fates.explain(line)
    return explained.data["holder"], explained.data["fate"], explained.text


def test_who_holds_the_circuit_is_named(log, fates):
    started(log)
    assert rejected(fates) == (
        "replica-1",
        "held",
        "replica-2 has no memory of visitor-7: replica-1 holds it.",
    )


@pytest.mark.parametrize(
    ("kind", "fate"), [("circuit.expired", "expired"), ("circuit.forgotten", "forgotten")]
)
def test_a_circuit_that_was_given_up_is_said_to_be(log, fates, kind, fate):
    started(log)
    gone(log, kind, visitor="visitor-7", circuit="c1")
    assert rejected(fates)[:2] == ("replica-1", fate)


@pytest.mark.parametrize(("kind", "fate"), [
    ("replica.killed", "killed"), ("replica.died", "died"), ("replica.stopped", "stopped"),
])  # fmt: skip
def test_a_circuit_whose_replica_went_is_said_to_have_gone_with_it(log, fates, kind, fate):
    started(log)
    log.record("replica-2", "replica.killed", "another one")
    gone(log, kind)
    assert rejected(fates)[:2] == ("replica-1", fate)


def test_the_news_of_a_killed_replica_is_waited_for(log, fates):
    """Its visitors come back within milliseconds, and the engine takes longer to say that it is dead."""
    started(log, connected=True)
    threading.Timer(0.2, gone, (log, "replica.killed")).start()
    assert rejected(fates)[:2] == ("replica-1", "killed")


def test_nobody_can_make_the_log_wait_again_and_again(log, fates):
    started(log, connected=True)
    begun = time.monotonic()
    for _ in range(50):
        assert fates.of("c1", "visitor-7") == ("replica-1", "held")
    assert time.monotonic() - begun < 2


def test_a_circuit_that_nobody_was_seen_to_make_is_unknown(log, fates):
    assert rejected(fates) == (
        None, "unknown", "replica-2 has no memory of visitor-7: no replica is known to hold it.",
    )  # fmt: skip
    assert fates.of(None, None) == (None, "unknown")


def test_other_lines_stay_as_they_are(log):
    line = Line("replica-2", "circuit.started", "info", "text", {"circuit": "c1"})
    assert Fates(log).explain(line) is line


def test_a_circuit_outlives_the_end_of_an_earlier_replica_of_that_name(log, fates):
    gone(log, "replica.killed")
    started(log)
    gone(log, "replica.stopped")
    gone(log, "replica.killed")
    assert rejected(fates)[:2] == ("replica-1", "stopped")


def test_a_thousand_visitors_of_a_killed_replica_are_told_apart_without_the_stored_log(log):
    fates = _Witness(log)
    for number in range(1000):
        log.record("replica-1", "circuit.started", "", data={"visitor": "v", "circuit": f"c{number}"})
    log.record("replica-1", "replica.killed", "")
    reads = []
    read, log.about = log.read, None
    log.read = lambda *asked: reads.append(asked) or read(*asked)
    assert {fates.of(f"c{number}", "v") for number in range(1000)} == {("replica-1", "killed")}
    assert len(reads) == 1
