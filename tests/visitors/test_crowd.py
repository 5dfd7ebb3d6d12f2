"""The crowd as a whole: how it grows and shrinks, what it refuses, how it ends."""

import json
import signal
import sys
import time

import pytest
from lab_programs import KEY, Program, call, until
from real_crowd import Crowd

local = pytest.mark.local


@local
def test_the_crowd_grows_and_shrinks_while_the_others_stay(lab):
    lab.balancer.set("cookie")
    lab.visit(3)
    lab.crowd.wait_until(connected=3)
    first = lab.held()
    lab.crowd.set(8)
    lab.crowd.wait_until(count=8, connected=8)
    assert first.items() <= lab.held().items()
    assert lab.crowd.set(2)["count"] == 2
    until(lambda: len(lab.held("connections")) == 2, "the replicas see six leave")
    assert set(lab.held("connections")) == {"visitor-1", "visitor-2"}
    assert [line["data"]["visitor"] for line in lab.crowd.of("visitor.left")] == [
        f"visitor-{number}" for number in (8, 7, 6, 5, 4, 3)
    ]
    assert lab.crowd.counts() == {"count": 2, "connected": 2, "failed": 0}
    reasons = {
        line["data"]["reason"]
        for replica in lab.replicas.values()
        for line in replica.of("connection.closed")
    }
    assert reasons == {"client"}


@local
@pytest.mark.parametrize("transport", ["WebSockets", "ServerSentEvents", "LongPolling"])
def test_told_to_stop_everybody_leaves_at_once_and_in_order(lab, transport):
    lab.balancer.set("cookie")
    lab.visit(9, transport=transport)
    lab.crowd.wait_until(connected=9)
    started = time.monotonic()
    assert lab.crowd.end(signal.SIGTERM) == 0
    assert time.monotonic() - started < 3
    until(lambda: not lab.held("connections"), "no connection is left")
    assert not lab.balancer.of("connection.refused")
    assert "".join(lab.crowd.complaints) == ""


@local
def test_another_transport_starts_everybody_anew(lab):
    lab.balancer.set("cookie")
    lab.visit(5, transport="WebSockets")
    lab.crowd.wait_until(connected=5)
    lab.crowd.set(transport="LongPolling")
    lab.crowd.wait_for("visitor.connected", count=5, transport="LongPolling")
    lab.crowd.wait_until(count=5, connected=5)
    until(lambda: len(lab.held("connections")) == 5, "the old connections are gone")
    transports = {c["transport"] for r in lab.replicas.values() for c in r.state()["connections"]}
    assert transports == {"LongPolling"}


@local
def test_begun_anew_the_crowd_never_says_that_fewer_were_asked_for(lab):
    """Lines of a visitor beyond the count are taken for late ones of a visitor that has left."""
    lab.balancer.set("cookie")
    lab.visit(3)
    lab.crowd.wait_until(connected=3)
    seen = len(lab.crowd.lines)
    lab.crowd.set(anew=True)
    lab.crowd.wait_for("visitor.connected", count=6)
    assert {line["data"]["crowd"]["count"] for line in lab.crowd.lines[seen:]} == {3}


@local
def test_settings_that_do_not_touch_the_connection_leave_everybody_connected(lab):
    lab.balancer.set("cookie")
    lab.visit(3)
    lab.crowd.wait_until(connected=3)
    lab.crowd.set(reconnect=False, reload_seconds=9)
    assert lab.crowd.state()["settings"]["reload_seconds"] == 9
    assert len(lab.crowd.of("visitor.connected")) == 3 and not lab.crowd.of("visitor.left")


@local
def test_every_line_has_the_counts_and_they_agree_with_the_state(lab):
    lab.balancer.set("cookie")
    lab.visit(5)
    lab.crowd.wait_until(connected=5)
    assert all({"count", "connected", "failed"} == set(line["data"]["crowd"]) for line in lab.crowd.lines)
    state = lab.crowd.state()
    assert {name: state[name] for name in ("count", "connected", "failed")} == lab.crowd.counts()
    assert {visitor["status"] for visitor in state["visitors"]} == {"connected"}
    assert {visitor["visitor"]: visitor["replica"] for visitor in state["visitors"]} == lab.held()


WRONG = [
    {"count": -1},
    {"count": 10_001},
    {"count": 1.5},
    {"count": True},
    {"count": "3"},
    {"count": 3, "target": ""},
    {"target": "127.0.0.1:80"},
    {"target": "https://127.0.0.1:80"},
    {"target": "http://127.0.0.1"},
    {"target": "http://127.0.0.1:99999"},
    {"target": "http://127.0.0.1:80/path"},
    {"target": "http://user@127.0.0.1:80"},
    {"target": "http://[::1"},
    {"target": 7},
    {"transport": "Telepathy"},
    {"protocol": "xml"},
    {"skip_negotiation": "yes"},
    {"skip_negotiation": True, "transport": "LongPolling"},
    {"reconnect": 1},
    {"reload_seconds": 0},
    {"reload_seconds": float("nan")},
    {"reload_seconds": True},
    {"unknown": 1},
    [],
    b"{",
]


def test_bad_settings_are_refused_in_words_and_change_nothing(crowd):
    before = crowd.state()
    for body in WRONG:
        status, answer = crowd.ask("PUT", "/control/crowd", body)
        assert status == 400 and answer["error"]["message"], body
    assert crowd.state() == before
    assert not crowd.of("crowd.changed")


def test_nobody_without_the_key_sees_or_moves_the_crowd(crowd):
    for key in (None, KEY + "x"):
        assert crowd.ask("GET", "/control/state", key=key)[0] == 401
        assert crowd.ask("PUT", "/control/crowd", {"count": 0}, key=key)[0] == 401


def test_a_taken_control_port_is_said(crowd):
    taken = {"LAB_LISTEN_CONTROL": f"127.0.0.1:{crowd.control}"}
    second = Program(("-m", "services.visitors"), "visitors", environment=taken)
    assert second.ended() == 1
    assert second.of("visitors.failed")[0]["data"]["error"]["kind"] == "port_taken"


def test_no_connection_is_shared_by_two_visitors(crowd, strange_server):
    """As with browsers: a balancer of TCP connections would otherwise spread them wrongly."""
    target = strange_server("watching")
    crowd.set(10, target=target)
    crowd.wait_until(connected=10)
    groups = _seen(target)["visitors_of_peer"]
    assert len(groups) >= 10 and all(len(visitors) == 1 for visitors in groups)


def test_a_low_soft_limit_of_open_files_does_not_bound_the_crowd(strange_server):
    limited = 'ulimit -Sn 64; exec "$0" -m services.visitors'
    crowd = Crowd(("-c", limited, sys.executable), python="/bin/sh")
    crowd.set(100, target=strange_server("watching"))
    crowd.wait_until(connected=100)
    crowd.end()


def test_at_most_fifty_connect_at_the_same_time(crowd, strange_server):
    target = strange_server("slow")
    crowd.set(120, target=target)
    crowd.wait_until(connected=120)
    assert 25 <= _seen(target)["most_at_once"] <= 50


def test_a_hundred_idle_visitors_need_little_memory(crowd, strange_server):
    crowd.set(100, target=strange_server("watching"))
    crowd.wait_until(connected=100)
    status = open(f"/proc/{crowd.process.pid}/status").read()  # noqa: SIM115, PTH123
    size = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
    assert size < 60 * 1024, f"{size} kB"


def _seen(target):
    return json.loads(call(int(target.rsplit(":", 1)[1]), "GET", "/seen")[2])
