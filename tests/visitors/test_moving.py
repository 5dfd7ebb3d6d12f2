"""A circuit replica asks its visitors to take their memory elsewhere, and they do."""

import pytest
from lab_programs import until
from real_crowd import Lab

pytestmark = pytest.mark.local


def asked_to_move(lab, transport):
    """Who was on replica-1, which the balancer has left out; the visitors as they were before."""
    lab.balancer.set("cookie")
    lab.visit(6, transport=transport)
    lab.crowd.wait_until(connected=6)
    until(lambda: all(one["count"] for one in lab.crowd.by_name().values()), "each has clicked")
    before = lab.crowd.by_name()
    others = [name for name in lab.replicas if name != "replica-1"]
    lab.balancer.know(
        [{"name": name, "host": "127.0.0.1", "port": lab.replicas[name].public} for name in others]
    )
    leaving = {name for name, one in before.items() if one["replica"] == "replica-1"}
    answer = lab.replicas["replica-1"].ask("POST", "/control/move")[1]
    assert answer == {"asked": len(leaving), "held": len(leaving)} and leaving
    return leaving, before


@pytest.mark.parametrize("transport", ["WebSockets", "ServerSentEvents", "LongPolling"])
def test_replicas_with_shared_keys_hand_a_visitor_on_with_its_memory(transport):
    lab = Lab(LAB_PAGE_KEY="a key that all replicas of this lab share")
    try:
        leaving, before = asked_to_move(lab, transport)
        told = lab.crowd.wait_for("visitor.connected", len(leaving), moved_from="replica-1", memory="kept")
        assert {line["data"]["visitor"] for line in told} == leaving
        now = lab.crowd.by_name()
        assert all(now[name]["count"] >= before[name]["count"] for name in before)
        assert "replica-1" not in {one["replica"] for one in now.values()}
        assert not lab.crowd.of("visitor.reconnecting") and not lab.crowd.of("visitor.failed")
    finally:
        lab.close()


def test_with_keys_of_their_own_the_memory_cannot_be_read_and_is_lost(lab):
    leaving, _ = asked_to_move(lab, "WebSockets")
    told = lab.crowd.wait_for("visitor.connected", len(leaving), memory="lost")
    assert {line["data"]["visitor"] for line in told} == leaving
    lab.crowd.wait_until(connected=6, failed=0)
