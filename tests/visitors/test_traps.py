"""Affinity is on, and yet: each trap that a teacher can throw, with what it does to real visitors."""

import time
from collections import Counter

import pytest
from lab_programs import until
from real_crowd import Lab

pytestmark = pytest.mark.local


def memories(lab):
    return Counter(visitor["memory"] for visitor in lab.crowd.by_name().values())


def all_connected(lab, count):
    lab.crowd.wait_until(count=count, connected=count)


def come_back(lab, count):
    """After a drop: everyone was away and is connected again."""
    lab.crowd.wait_for("visitor.reconnecting", count=count)
    all_connected(lab, count)


def test_who_reconnects_with_an_expired_cookie_is_connected_but_without_its_memory(lab):
    lab.balancer.set("cookie", cookie={"ttl_seconds": 3})
    lab.visit(9, transport="WebSockets")
    all_connected(lab, 9)
    last_cookie = time.monotonic()
    until(lambda: time.monotonic() > last_cookie + 3.5, "all cookies have expired")
    lab.drop()
    come_back(lab, 9)
    until(lambda: memories(lab)["lost"] > 0 and memories(lab)["new"] == 0, lambda: str(memories(lab)))
    assert not lab.balancer.of("connection.refused")


def test_a_cookie_that_has_not_expired_brings_everyone_back_to_its_memory(lab):
    lab.balancer.set("cookie", cookie={"ttl_seconds": 30})
    lab.visit(9, transport="WebSockets")
    all_connected(lab, 9)
    lab.drop()
    come_back(lab, 9)
    until(lambda: memories(lab) == {"kept": 9}, lambda: str(memories(lab)))


def test_a_cookie_with_the_path_of_negotiate_pins_that_and_nothing_else(lab):
    lab.balancer.set("cookie", cookie={"path": "/_blazor/negotiate"})
    lab.visit(1, transport="WebSockets", reload_seconds=60)
    lab.crowd.wait_for("visitor.failed")
    line = lab.balancer.wait_for("connection.refused")[0]
    assert line["data"]["holder"] in lab.replicas and line["data"]["holder"] != line["data"]["replica"]


def test_clients_without_a_cookie_jar_are_pinned_nowhere_and_still_known_by_name(lab):
    lab.balancer.set("cookie")
    lab.visit(1, transport="WebSockets", cookies=False, reload_seconds=60)
    lab.crowd.wait_for("visitor.failed")
    assert lab.balancer.wait_for("connection.refused")[0]["data"]["visitor"] == "visitor-1"
    lab.visit(1, transport="WebSockets", cookies=True)
    all_connected(lab, 1)


def test_everyone_behind_one_address_lands_on_one_replica(lab):
    lab.balancer.set("source_ip")
    lab.visit(12, one_address=True)
    all_connected(lab, 12)
    assert sorted(Counter(lab.held().values()).values()) == [12]
    lab.visit(12, one_address=False)
    until(lambda: len(set(lab.held("connections").values())) > 1, lab.crowd.story)
    all_connected(lab, 12)
    assert not lab.balancer.of("connection.refused")


def test_a_stale_cookie_after_scaling_in_moves_its_visitors_without_their_memory(lab):
    lab.balancer.set("cookie")
    lab.visit(6)
    all_connected(lab, 6)
    moved = {name for name, replica in lab.held().items() if replica == "replica-3"}
    lab.balancer.know(
        [{"name": n, "host": "127.0.0.1", "port": lab.replicas[n].public} for n in ("replica-1", "replica-2")]
    )
    lab.replicas["replica-3"].end()
    lab.crowd.wait_for("visitor.reconnecting", count=len(moved))
    all_connected(lab, 6)
    now = lab.crowd.by_name()
    assert {name for name, visitor in now.items() if visitor["memory"] == "lost"} == moved
    assert {visitor["replica"] for visitor in now.values()} == {"replica-1", "replica-2"}


def test_a_strict_pin_to_a_dead_replica_is_503_and_not_strict_moves_without_memory(lab):
    lab.balancer.set("cookie", cookie={"strict": True})
    lab.visit(3, transport="WebSockets")
    all_connected(lab, 3)
    stuck = next(name for name, replica in lab.held().items() if replica == "replica-2")
    lab.replicas["replica-2"].process.kill()
    lab.balancer.wait_for("endpoint.ejected")  # from here on nobody is sent there who is not pinned
    before = len(lab.balancer.of("request.failed"))
    refused = lab.balancer.wait_for("request.failed", count=before + 1)[-1]["data"]
    assert (refused["status"], refused["visitor"]) == (503, stuck)
    assert lab.crowd.by_name()[stuck]["status"] == "reconnecting"
    lab.balancer.set("cookie", cookie={"strict": False})
    all_connected(lab, 3)
    found = lab.crowd.by_name()[stuck]
    assert found["memory"] == "lost" and found["replica"] != "replica-2"


def test_begun_anew_visitors_have_no_cookies_and_no_memory(lab):
    lab.balancer.set("cookie")
    lab.visit(3)
    all_connected(lab, 3)
    before = {visitor["circuit"] for visitor in lab.crowd.by_name().values()}
    lab.visit(3, anew=True)
    lab.crowd.wait_for("visitor.connected", count=6)
    assert memories(lab) == {"new": 3}
    assert before.isdisjoint(visitor["circuit"] for visitor in lab.crowd.by_name().values())


def test_without_automatic_reconnect_a_drop_ends_the_visit(lab):
    lab.balancer.set("cookie")
    lab.visit(2, reconnect=False, reload_seconds=60)
    all_connected(lab, 2)
    lab.drop()
    lab.crowd.wait_until(connected=0, failed=2)
    assert not lab.crowd.of("visitor.reconnecting")


@pytest.fixture
def shared_keys():
    lab = Lab(LAB_PAGE_KEY="one-key-for-all")
    yield lab
    lab.close()


def test_shared_keys_cure_the_page_from_elsewhere_and_nothing_else(shared_keys):
    """Not the connection that is unknown elsewhere, not the circuit that is."""
    lab = shared_keys
    lab.visit(6, transport="WebSockets", skip_negotiation=True)
    all_connected(lab, 6)
    assert not [line for replica in lab.replicas.values() for line in replica.of("page.rejected")]
    lab.drop()
    come_back(lab, 6)
    until(lambda: memories(lab)["lost"] > 0, lambda: str(memories(lab)))
    assert [line for replica in lab.replicas.values() for line in replica.of("circuit.rejected")]
    lab.visit(1, transport="WebSockets", skip_negotiation=False, reload_seconds=60)
    assert lab.balancer.wait_for("connection.refused")[0]["data"]["transport"] == "WebSockets"
