"""Where requests go, with and without affinity, and how a toggle takes hold."""

import contextlib
import http.client
import os
import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout

import pytest
from lab_programs import LiveSocket, call, until

pytestmark = pytest.mark.local


def test_round_robin_is_strict(balancer):
    asked = balancer.pages(12)
    assert asked[:3] * 4 == asked
    assert set(asked) == {"replica-1", "replica-2", "replica-3"}


def test_a_cookie_keeps_a_visitor_on_one_replica_and_the_others_spread(balancer):
    balancer.set("cookie")
    replica, cookie = balancer.pinned()
    assert {balancer.page(cookie) for _ in range(6)} == {replica}
    assert set(balancer.pages(3)) == {"replica-1", "replica-2", "replica-3"}


def test_a_cookie_of_the_last_time_pins_no_longer(balancer):
    balancer.set("cookie")
    _, old = balancer.pinned()
    balancer.set("none")
    balancer.set("cookie")
    assert len({balancer.page(old) for _ in range(3)}) == 3


def test_the_cookie_keeps_its_name_while_affinity_stays_on(balancer):
    first = balancer.set("cookie")["affinity"]["cookie"]["name"]
    assert balancer.set("cookie", algorithm="random")["affinity"]["cookie"]["name"] == first


def test_the_cookie_is_as_asked_for(balancer):
    asked = {"name": "sticky", "path": "/", "ttl_seconds": 0, "same_site": "None", "secure": True}
    shown = balancer.set("cookie", cookie=asked)["affinity"]["cookie"]
    assert shown == asked | {"strict": False}
    _, headers, _ = _get(balancer, "/")
    name, *attributes = [part.strip() for part in headers["Set-Cookie"].split(";")]
    assert name.startswith("sticky=")
    assert {"SameSite=None", "HttpOnly", "Path=/"} <= set(attributes)
    assert any(part.startswith("Secure") for part in attributes)
    assert not any(part.startswith(("Max-Age", "Expires")) for part in attributes)


def test_each_of_fifty_toggles_is_obeyed_by_the_very_next_request(balancer):
    """On a connection that is kept open, and on a new one."""
    kept = http.client.HTTPConnection("127.0.0.1", balancer.public, timeout=10)
    for _ in range(25):
        balancer.set("cookie")
        assert _sets_a_cookie(kept)
        balancer.set("none")
        assert not _get(balancer, "/")[1]["Set-Cookie"]
    kept.close()


def test_a_toggle_answers_only_when_envoy_has_obeyed(balancer):
    with ThreadPoolExecutor() as pool:
        with _paused(balancer.envoy_pid()):
            answer = pool.submit(balancer.set, "cookie")
            with pytest.raises(FutureTimeout):
                answer.result(0.4)
        assert answer.result(5)["ms"] > 300
    assert balancer.pinned()


def test_an_envoy_that_does_not_obey_is_said_and_nothing_has_changed(balancer):
    with _paused(balancer.envoy_pid()):
        status, answer = balancer.ask("PUT", "/control/affinity", {"mode": "cookie"})
        assert (status, answer["error"]["kind"]) == (504, "engine_timeout")
    assert balancer.state()["affinity"]["mode"] == "none"
    until(lambda: not _get(balancer, "/")[1]["Set-Cookie"], "the old routes are back")
    balancer.set("cookie")
    assert balancer.pinned()


def test_toggles_from_many_sides_leave_envoy_and_controller_of_one_mind(balancer):
    modes = ("none", "cookie", "source_ip") * 5
    threads = [threading.Thread(target=balancer.set, args=(mode,)) for mode in modes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: len(balancer.of("affinity.changed")) == len(modes), balancer.story)
    last = balancer.of("affinity.changed")[-1]["data"]["mode"]
    assert balancer.state()["affinity"]["mode"] == last
    assert bool(_get(balancer, "/")[1]["Set-Cookie"]) == (last == "cookie")


def test_a_source_address_keeps_everyone_behind_it_on_one_replica(balancer):
    balancer.set("source_ip")
    assert len(set(balancer.pages(6))) == 1


@pytest.mark.parametrize("algorithm", ["least_request", "random"])
def test_the_other_algorithms_reach_every_replica(balancer, algorithm):
    balancer.set("none", algorithm=algorithm)
    assert set(Counter(balancer.pages(60))) == {"replica-1", "replica-2", "replica-3"}


def test_a_live_websocket_survives_toggles_and_every_change_of_replicas(balancer, peers):
    live = LiveSocket(balancer.public, "/_blazor")
    holder = live.echo("hello").split(":")[0]
    for mode in ("cookie", "none", "source_ip", "cookie", "none"):
        balancer.set(mode)
        assert live.echo(mode) == f"{holder}: {mode}"
    peers.start("replica-4")
    balancer.know(peers.endpoints(*peers.ports))
    assert live.echo("four") == f"{holder}: four"
    balancer.know(peers.endpoints(*(name for name in peers.ports if name != holder)))
    assert holder not in balancer.pages(6)
    assert live.echo("alone") == f"{holder}: alone"
    live.close()


@contextlib.contextmanager
def _paused(pid):
    """The process as if the machine had no time for it."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _sets_a_cookie(connection):
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()
    return bool(answer.headers["Set-Cookie"])


def _get(balancer, path):
    return call(balancer.public, "GET", path)


def test_a_cookie_that_is_to_be_kept_otherwise_gets_a_fresh_name(balancer):
    """A browser goes on with the cookie that it has."""
    first = balancer.set("cookie")["affinity"]["cookie"]["name"]
    strict = balancer.set("cookie", cookie={"strict": True})["affinity"]["cookie"]
    assert strict["name"] == first  # nothing that a browser knows of
    for change in ({"ttl_seconds": 30}, {"path": "/elsewhere"}, {"same_site": "Strict"}):
        cookie = balancer.set("cookie", cookie=change)["affinity"]["cookie"]
        assert cookie["name"] != first
        first = cookie["name"]
    named = balancer.set("cookie", cookie={"name": "sticky", "ttl_seconds": 60})["affinity"]["cookie"]
    assert named["name"] == "sticky"
