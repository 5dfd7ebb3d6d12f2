"""A browser that opened a page and never was connected leaves the picture, and nobody else does."""

import pytest

from services.affinity_lab import absent
from services.affinity_lab.absent import Absent
from services.affinity_lab.lab import AffinityLab
from services.events.log import EventLog
from services.events.store import Store
from services.workspaces.tail import Line
from tests.waiting import wait_for
from tests.web.conftest import Dashboard

STAY = {
    "browser-connected": {"kind": "browser", "status": "connected", "circuit": "c1"},
    "browser-with-memory": {"kind": "browser", "status": "waiting", "circuit": "c2"},
    "browser-moving": {"kind": "browser", "status": "waiting", "circuit": None, "memory": "carried"},
    "browser-opening": {"kind": "browser", "transport": "WebSockets"},
    "visitor-7": {"kind": "virtual", "status": "refused"},
}
GO = {
    "browser-refused": {"kind": "browser", "status": "refused"},
    "browser-lost": {"kind": "browser", "status": "waiting", "circuit": None, "memory": "lost"},
}


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setattr(absent, "UNHEARD_SECONDS", 0.2)
    store = Store(f"sqlite:///{tmp_path}/events.db")
    log = EventLog("demo", store, {"people": STAY | GO})
    yield log
    log.close()
    store.close()


def left(log):
    return [event.data["visitor"] for event in log.read(kind="visitor.left")]


@pytest.mark.parametrize("how", ["heard of", "found after a restart"])
def test_who_has_nothing_that_lives_leaves_when_nothing_is_heard_of_it(log, how):
    lab = Absent(log)
    if how == "heard of":
        for name in STAY | GO:
            lab.heard(name)
    else:
        lab.restore()
    wait_for(lambda: len(left(log)) == len(GO), told=lambda: str(left(log)))
    assert set(log.at("people")) == set(STAY)
    assert set(left(log)) == set(GO)
    log.record("replica-1", "connection.closed", "…", patch={"people": {"browser-opening": None}})
    wait = {"browser-connected": {"status": "waiting", "circuit": None}}
    log.record("replica-1", "connection.closed", "…", patch={"people": wait})
    wait_for(lambda: "browser-connected" in left(log), told=lambda: str(left(log)))
    lab.clear()


def test_who_asks_for_something_meanwhile_stays_and_who_comes_back_is_there_again(log, monkeypatch):
    monkeypatch.setattr(absent, "UNHEARD_SECONDS", 1.5)
    lab = Absent(log)
    lab.heard("browser-refused")
    wait_for(lambda: lab.heard("browser-lost") or left(log), told=lambda: str(left(log)))
    assert left(log) == ["browser-refused"]
    log.record("replica-1", "connection.refused", "…", patch={"people": GO})
    lab.heard("browser-refused")
    wait_for(lambda: left(log).count("browser-refused") == 2, told=lambda: str(left(log)))
    lab.clear()


def test_the_lab_hears_of_browsers_in_the_lines_of_its_programs(tmp_path, monkeypatch):
    monkeypatch.setattr(absent, "UNHEARD_SECONDS", 0.2)
    dashboard = Dashboard(tmp_path)
    demo = dashboard.demo
    demo.log.record("replica-1", "connection.refused", "…", patch={"people": GO})
    line = Line("replica-1", "connection.refused", "warning", "…", {"visitor": "browser-refused"})
    demo.lab(AffinityLab).explain(line)
    wait_for(lambda: demo.events(kind="visitor.left"), told=lambda: str(demo.tail(10)))
    assert set(demo.log.at("people")) == set(GO) - {"browser-refused"}
    dashboard.close()
