"""What visitors meet behind the real balancer, with affinity and without."""

from collections import Counter

import pytest
from lab_programs import until

pytestmark = pytest.mark.local

STICKY = "If you have multiple servers check that sticky sessions are enabled."
FALLBACKS = ["WebSockets", "ServerSentEvents", "LongPolling"]


def test_one_visitor_without_affinity_gets_404_on_every_transport(lab):
    """Page, negotiate, connect: with three replicas in turn, none of its connects meets its negotiate."""
    lab.visit(1, reload_seconds=60)
    failed = lab.crowd.wait_for("visitor.failed")[0]
    errors = failed["data"]["errors"]
    assert [error.split("'")[1] for error in errors[:3]] == FALLBACKS
    assert errors[0].startswith(
        "Failed to start the transport 'WebSockets': Error: WebSocket failed to connect."
    )
    assert errors[0].endswith(STICKY) and errors[1].endswith(STICKY)
    assert errors[2].endswith("Error: No Connection with that ID: Status code '404'")
    assert errors[3].startswith(
        "Failed to start the connection: Error: Unable to connect to the server with any"
    )
    assert failed["level"] == "warning" and failed["data"]["visitor"] == "visitor-1"
    refused = lab.balancer.wait_for("connection.refused", count=3)
    assert [line["data"]["transport"] for line in refused] == FALLBACKS
    for line in refused:
        asked, holder = line["data"]["replica"], line["data"]["holder"]
        assert line["data"]["visitor"] == "visitor-1" and line["source"] == asked
        assert holder in lab.replicas and holder != asked


def test_with_a_cookie_everybody_connects_at_the_first_try(lab):
    lab.balancer.set("cookie")
    lab.visit(12)
    lab.crowd.wait_until(count=12, connected=12, failed=0)
    told = {line["data"]["visitor"]: line["data"] for line in lab.crowd.of("visitor.connected")}
    assert {data["tries"] for data in told.values()} == {1}
    assert {data["memory"] for data in told.values()} == {"new"}
    assert {name: data["replica"] for name, data in told.items()} == lab.held() == lab.held("connections")
    assert Counter(lab.held().values()) == dict.fromkeys(lab.replicas, 4)
    assert not lab.crowd.of("visitor.failed") and not lab.balancer.of("connection.refused")


def test_the_failed_ones_connect_by_themselves_once_affinity_is_on(lab):
    lab.visit(8)
    until(lambda: lab.crowd.counts()["failed"] >= 4, lab.crowd.story)
    lab.balancer.set("cookie")
    lab.crowd.wait_until(connected=8, failed=0)


def test_binary_never_tries_server_sent_events_and_says_why(lab):
    lab.visit(1, protocol="blazorpack", reload_seconds=60)
    errors = lab.crowd.wait_for("visitor.failed")[0]["data"]["errors"]
    assert [error.split("'")[1] for error in errors[:2]] == ["WebSockets", "LongPolling"]
    assert " ServerSentEvents failed: Error: 'ServerSentEvents' does not support Binary." in errors[-1]


def test_a_transport_that_was_not_chosen_is_not_tried(lab):
    lab.visit(1, transport="LongPolling", reload_seconds=60)
    errors = lab.crowd.wait_for("visitor.failed")[0]["data"]["errors"]
    assert [error.split("'")[1] for error in errors[:1]] == ["LongPolling"]
    assert "WebSockets failed: Error: 'WebSockets' is disabled by the client." in errors[-1]


def test_server_sent_events_with_a_binary_protocol_cannot_be(lab):
    lab.balancer.set("cookie")
    lab.visit(1, transport="ServerSentEvents", protocol="messagepack", reload_seconds=60)
    errors = lab.crowd.wait_for("visitor.failed")[0]["data"]["errors"]
    assert "Error: 'ServerSentEvents' does not support Binary." in errors[-1]


def test_skipping_the_negotiate_connects_without_affinity_but_the_page_is_from_elsewhere(lab):
    lab.visit(1, skip_negotiation=True, reload_seconds=60)
    failed = lab.crowd.wait_for("visitor.failed")[0]
    assert failed["data"]["errors"][0].startswith("Error: The circuit failed to initialize.")
    assert lab.balancer.of("connection.routed") and not lab.balancer.of("connection.refused")


def test_skipping_the_negotiate_with_a_cookie_works(lab):
    lab.balancer.set("cookie")
    lab.visit(6, skip_negotiation=True)
    lab.crowd.wait_until(connected=6)
    assert len(lab.held()) == 6


def test_a_secure_cookie_never_comes_back_over_plain_http(lab):
    lab.balancer.set("cookie", cookie={"secure": True})
    lab.visit(1, reload_seconds=60)
    lab.crowd.wait_for("visitor.failed")
    assert lab.balancer.of("connection.refused")


@pytest.mark.parametrize("protocol", ["json", "messagepack", "blazorpack"])
def test_every_protocol_counts_in_the_replicas_memory(lab, protocol):
    lab.balancer.set("cookie")
    lab.visit(3, protocol=protocol)
    lab.crowd.wait_until(connected=3)
    until(lambda: all(count > 0 for count in _counts_of_replicas(lab).values()), "each visitor clicks")
    until(lambda: _counts_of_replicas(lab) == _counts_of_visitors(lab), "both sides count the same")
    kinds = {c["protocol"] for replica in lab.replicas.values() for c in replica.state()["connections"]}
    assert kinds == {protocol}


def _counts_of_replicas(lab):
    states = [replica.state() for replica in lab.replicas.values()]
    return {circuit["visitor"]: circuit["count"] for state in states for circuit in state["circuits"]}


def _counts_of_visitors(lab):
    return {name: visitor["count"] for name, visitor in lab.crowd.by_name().items()}
