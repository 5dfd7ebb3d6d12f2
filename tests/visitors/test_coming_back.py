"""Visitors that are cut off: who comes back, with which memory, and when they give up."""

import signal

import pytest
from lab_programs import until

pytestmark = pytest.mark.local


@pytest.mark.parametrize("transport", ["WebSockets", "ServerSentEvents", "LongPolling"])
def test_after_a_drop_everybody_comes_back_with_memory_kept(lab, transport):
    lab.balancer.set("cookie")
    lab.visit(6, transport=transport)
    lab.crowd.wait_until(connected=6)
    until(lambda: sum(v["count"] for v in lab.crowd.by_name().values()) >= 3, "some clicks")
    before, homes = lab.crowd.by_name(), lab.held()
    assert lab.drop() == 6
    told = lab.crowd.wait_for("visitor.connected", count=6, memory="kept")
    assert {line["data"]["transport"] for line in told} == {transport}
    after = lab.crowd.by_name()
    for name in before:
        assert after[name]["circuit"] == before[name]["circuit"]
        assert after[name]["count"] >= before[name]["count"]
    assert lab.held() == homes
    first = lab.crowd.of("visitor.reconnecting")[0]["data"]
    assert (first["attempt"], first["delay_s"]) == (1, 0.0)
    assert not lab.crowd.of("visitor.failed")
    # Nobody says goodbye to a connection that is gone; a click just under way may meet a 404.
    assert len(lab.balancer.of("connection.refused")) < 3


def test_a_drop_is_noticed_at_once(lab):
    """Envoy's default would keep a cut off visitor waiting for a second."""
    lab.balancer.set("cookie")
    lab.visit(3)
    lab.crowd.wait_until(connected=3)
    lab.drop()
    lab.crowd.wait_for("visitor.reconnecting", count=3)
    closed = min(line["at"] for r in lab.replicas.values() for line in r.of("connection.closed"))
    noticed = max(line["at"] for line in lab.crowd.of("visitor.reconnecting")[:3])
    assert _seconds(noticed) - _seconds(closed) < 0.6


def test_one_visitor_dropped_leaves_the_others_alone(lab):
    lab.balancer.set("cookie")
    lab.visit(4)
    lab.crowd.wait_until(connected=4)
    assert lab.drop(visitor="visitor-3") == 1
    [back] = lab.crowd.wait_for("visitor.connected", memory="kept")
    assert back["data"]["visitor"] == "visitor-3"
    assert {line["data"]["visitor"] for line in lab.crowd.of("visitor.reconnecting")} == {"visitor-3"}


def test_without_affinity_a_drop_ends_in_404s(lab):
    """They reconnect, but what they negotiate is unknown where they connect."""
    lab.balancer.set("cookie")
    lab.visit(3)
    lab.crowd.wait_until(connected=3)
    lab.balancer.set("none")
    lab.drop(visitor="visitor-1")
    second = lab.crowd.wait_for("visitor.reconnecting", attempt=2)[0]["data"]
    assert second["delay_s"] == 2.0 and "Unable to connect" in second["reason"]
    assert lab.balancer.of("connection.refused", visitor="visitor-1")
    assert lab.crowd.counts() == {"count": 3, "connected": 2, "failed": 0}


def test_the_memory_of_a_killed_replica_is_lost_and_the_others_keep_theirs(lab):
    lab.balancer.set("cookie")
    lab.visit(6)
    lab.crowd.wait_until(connected=6)
    homes = lab.held()
    orphans = {name for name, replica in homes.items() if replica == "replica-2"}
    lab.replicas["replica-2"].end(signal.SIGKILL)
    told = lab.crowd.wait_for("visitor.connected", count=len(orphans), memory="lost")
    assert {line["data"]["visitor"] for line in told} == orphans
    lab.crowd.wait_until(connected=6, failed=0)
    now = lab.held()
    assert {name: replica for name, replica in now.items() if name not in orphans} == {
        name: replica for name, replica in homes.items() if name not in orphans
    }
    assert "replica-2" not in now.values()
    rejected = [line for replica in lab.replicas.values() for line in replica.of("circuit.rejected")]
    assert {line["data"]["visitor"] for line in rejected} == orphans


def test_a_circuit_that_was_forgotten_is_lost_without_a_drop(lab):
    lab.balancer.set("cookie")
    lab.visit(1)
    lab.crowd.wait_until(connected=1)
    for replica in lab.replicas.values():
        replica.ask("POST", "/control/forget", {})
    lab.crowd.wait_for("visitor.connected", memory="lost")


def test_a_visitor_that_may_not_reconnect_loads_the_page_again(lab):
    lab.balancer.set("cookie")
    lab.visit(1, reconnect=False)
    lab.crowd.wait_until(connected=1)
    lab.drop()
    errors = lab.crowd.wait_for("visitor.failed")[0]["data"]["errors"]
    reason = "Error: WebSocket closed with status code: 1006 (no reason given)."
    assert errors == [f"Connection disconnected with error '{reason}'."]
    lab.crowd.wait_for("visitor.connected", memory="lost")
    assert not lab.crowd.of("visitor.reconnecting")


def test_with_the_balancer_gone_visitors_fail_in_the_browsers_words(lab):
    lab.balancer.set("cookie")
    lab.visit(1)
    lab.crowd.wait_until(connected=1)
    lab.balancer.end(signal.SIGKILL)
    reason = lab.crowd.wait_for("visitor.reconnecting", attempt=2)[0]["data"]["reason"]
    assert "Failed to complete negotiation with the server: TypeError: Failed to fetch" in reason


def test_a_replica_that_stops_politely_sends_its_visitors_elsewhere(lab):
    lab.balancer.set("cookie")
    lab.visit(3)
    lab.crowd.wait_until(connected=3)
    [orphan] = [name for name, replica in lab.held().items() if replica == "replica-1"]
    lab.replicas["replica-1"].end()
    lab.crowd.wait_for("visitor.connected", visitor=orphan, memory="lost")
    lab.crowd.wait_until(connected=3, failed=0)


def _seconds(at):
    hours, minutes, seconds = at[11:-1].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
