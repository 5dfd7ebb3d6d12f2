"""Replicas that come, go, die or fall ill."""

import json

import pytest
from lab_programs import call, until

pytestmark = pytest.mark.local


def test_an_added_replica_serves_as_soon_as_the_call_has_answered(balancer, peers):
    peers.start("replica-4")
    balancer.know(peers.endpoints(*peers.ports))
    assert set(balancer.pages(4)) == set(peers.ports)


def test_a_removed_replica_is_never_asked_again(balancer, peers):
    balancer.know(peers.endpoints("replica-1", "replica-3"))
    assert set(balancer.pages(8)) == {"replica-1", "replica-3"}
    assert [endpoint["name"] for endpoint in balancer.state()["endpoints"]] == ["replica-1", "replica-3"]


def test_who_is_connected_to_a_draining_replica_reaches_it_and_everything_new_goes_elsewhere(
    each_balancer, peers
):
    """Long polling asks anew for each message; only the replica that is to go knows the connection."""
    balancer, named = each_balancer, "labdeck_visitor=visitor-1"
    balancer.set("cookie")
    _, headers, replica = call(balancer.public, "GET", "/", {"Cookie": named})
    pinned = {"Cookie": f"{headers['Set-Cookie'].split(';')[0]}; {named}"}
    token = json.loads(call(balancer.public, "POST", "/_blazor/negotiate", pinned)[2])["connectionToken"]
    going = [each | {"draining": each["name"] == replica} for each in peers.endpoints(*peers.ports)]
    balancer.know(going)
    assert call(balancer.public, "GET", f"/_blazor?id={token}", pinned)[0] == 200
    status, headers, other = call(balancer.public, "GET", "/", pinned)
    assert status == 200 and other != replica and "Set-Cookie" in headers
    assert replica not in balancer.pages(6)
    fresh = {"Cookie": headers["Set-Cookie"].split(";")[0]}
    assert call(balancer.public, "GET", f"/_blazor?id={token}", fresh)[0] == 404
    balancer.know([each | {"draining": False} for each in going])
    assert replica in balancer.pages(6)


def test_a_killed_replica_costs_no_visitor_an_error(balancer, peers):
    peers.kill("replica-2")
    assert set(balancer.pages(30)) == {"replica-1", "replica-3"}


def test_a_visitor_whose_replica_was_killed_gets_another_one_and_a_new_cookie(balancer, peers):
    balancer.set("cookie")
    replica, cookie = balancer.pinned()
    peers.kill(replica)
    status, headers, other = call(balancer.public, "GET", "/", {"Cookie": cookie})
    assert status == 200 and other != replica
    fresh = headers["Set-Cookie"].split(";")[0]
    assert {balancer.page(fresh) for _ in range(4)} == {other}


def test_a_strict_cookie_waits_for_its_replica_instead(balancer, peers):
    balancer.set("cookie", cookie={"strict": True})
    replica, cookie = balancer.pinned()
    call(peers.ports[replica], "POST", "/ill")
    until(lambda: replica not in balancer.pages(6), "the ill one is left alone")
    assert call(balancer.public, "GET", "/", {"Cookie": cookie})[0] == 503
    balancer.set("cookie", cookie={"strict": False})
    assert balancer.page(cookie) != replica


def test_a_replica_that_says_it_is_ill_is_left_alone(balancer, peers):
    call(peers.ports["replica-2"], "POST", "/ill")
    until(lambda: "replica-2" not in balancer.pages(6), "replica-2 is left alone")


def test_without_a_replica_a_visitor_gets_503_and_the_log_says_why(bare_balancer):
    assert call(bare_balancer.public, "GET", "/", {"Cookie": "labdeck_visitor=visitor-1"})[0] == 503
    line = bare_balancer.wait_for("request.failed")[0]
    assert line["text"] == "503 for visitor-1: no replica that may take it is healthy (GET /)."
    assert (line["source"], line["level"]) == ("balancer", "warning")


def test_an_error_of_a_replica_is_told_with_its_name(balancer):
    call(balancer.public, "GET", "/fail")
    line = balancer.wait_for("request.failed")[0]
    assert line["data"]["status"] == 502
    assert line["text"].startswith(f"502 for a visitor without a name: {line['data']['replica']} answered so")


def test_the_requests_of_each_replica_are_counted(balancer):
    balancer.pages(6)
    balancer.wait_for("page.served", count=6)
    counts = balancer.state()["counts"]
    assert {name: count["requests"] for name, count in counts.items()} == dict.fromkeys(counts, 2)
