"""The control port: what it refuses, and that a refusal changes nothing."""

import asyncio

import pytest
from lab_programs import KEY, call, free_port

from services.balancer.affinity import Affinity, Cookie
from services.balancer.balancer import running
from services.wire.control import ControlError
from services.wire.environment import Listen

pytestmark = pytest.mark.local

ONE = {"name": "replica-1", "host": "127.0.0.1", "port": 8080}
WRONG_AFFINITY = [
    {"mode": "sometimes"},
    {"mode": None},
    {"mode": "none", "algorithm": "best"},
    {"mode": "cookie", "cookie": "sticky"},
    {"mode": "cookie", "cookie": {"colour": "blue"}},
    {"mode": "cookie", "cookie": {"name": ""}},
    {"mode": "cookie", "cookie": {"name": "a b"}},
    {"mode": "cookie", "cookie": {"name": "x; Domain=evil"}},
    {"mode": "cookie", "cookie": {"name": "labdeck_session"}},
    {"mode": "cookie", "cookie": {"name": "labdeck_visitor"}},
    {"mode": "cookie", "cookie": {"path": "no-slash"}},
    {"mode": "cookie", "cookie": {"ttl_seconds": -1}},
    {"mode": "cookie", "cookie": {"ttl_seconds": True}},
    {"mode": "cookie", "cookie": {"same_site": "lax"}},
    {"mode": "cookie", "cookie": {"secure": 1}},
    {"unknown": 1},
    [],
    b"{",
    b"\xff",
]
WRONG_ENDPOINTS = [
    {},
    {"endpoints": None},
    {"endpoints": {}},
    {"endpoints": ["replica-1"]},
    {"endpoints": [{"name": "replica-1"}]},
    {"endpoints": [ONE | {"port": 0}]},
    {"endpoints": [ONE | {"port": 65536}]},
    {"endpoints": [ONE | {"port": "80"}]},
    {"endpoints": [ONE | {"host": "localhost"}]},
    {"endpoints": [ONE | {"host": 7}]},
    {"endpoints": [ONE | {"name": "Replica 1"}]},
    {"endpoints": [ONE | {"name": ["x"]}]},
    {"endpoints": [ONE | {"more": 1}]},
    {"endpoints": [ONE, ONE | {"port": 81}]},
    {"endpoints": [ONE, ONE | {"name": "replica-2"}]},
    {"endpoints": [ONE] * 65},
]


def test_bad_input_is_refused_in_words_and_the_old_settings_go_on(balancer):
    balancer.set("cookie", cookie={"name": "sticky"})
    before = balancer.state()
    replica, cookie = balancer.pinned()
    for path, bodies in (("affinity", WRONG_AFFINITY), ("endpoints", WRONG_ENDPOINTS)):
        for body in bodies:
            status, answer = balancer.ask("PUT", f"/control/{path}", body)
            assert status == 400, body
            assert answer["error"]["kind"] == "bad_request" and answer["error"]["message"], body
    after = balancer.state()
    assert (after["affinity"], after["endpoints"]) == (before["affinity"], before["endpoints"])
    assert {balancer.page(cookie) for _ in range(3)} == {replica}


@pytest.mark.parametrize("method,path", [("GET", "state"), ("PUT", "affinity"), ("PUT", "endpoints")])
def test_nobody_without_the_key_sees_or_changes_anything(bare_balancer, method, path):
    for key in (None, "", KEY[:-1], KEY + "x"):
        status, answer = bare_balancer.ask(method, f"/control/{path}", {"mode": "cookie"}, key=key)
        assert (status, set(answer)) == (401, {"error"})
    assert bare_balancer.state()["affinity"]["mode"] == "none"


def test_unknown_paths_and_methods_are_refused_in_words(bare_balancer):
    assert bare_balancer.ask("GET", "/control/nothing")[0] == 404
    assert bare_balancer.ask("POST", "/control/affinity", {})[0] == 405
    assert bare_balancer.ask("PUT", "/control/affinity", b"x" * 70_000)[0] == 413


def test_the_state_says_what_envoy_is_set_to(balancer, peers):
    balancer.set("cookie", algorithm="least_request", cookie={"name": "sticky"})
    state = balancer.state()
    assert state["envoy"].count(".") == 2
    assert state["affinity"]["mode"] == "cookie" and state["affinity"]["algorithm"] == "least_request"
    assert state["affinity"]["cookie"]["name"] == "sticky"
    assert state["endpoints"] == [each | {"draining": False} for each in peers.endpoints(*peers.ports)]


def test_changes_are_told_with_the_time_they_took(balancer):
    answer = balancer.set("cookie")
    line = balancer.wait_for("affinity.changed")[0]
    assert line["data"] == {**answer["affinity"], "ms": answer["ms"]}
    assert 0 < answer["ms"] < 1000
    told = balancer.wait_for("endpoints.changed")[0]
    assert told["data"]["endpoints"] == ["replica-1", "replica-2", "replica-3"]


def test_what_envoy_itself_refuses_becomes_an_error_and_the_old_settings_go_on(capsys):
    """Past our own checks: a cookie without a name, which only Envoy's validation stops."""

    async def refuse_then_accept():
        public = Listen("127.0.0.1", free_port())
        async with running(public, Listen("127.0.0.1", 0), KEY) as (_, controller):
            with pytest.raises(ControlError) as refused:
                await controller.set_affinity(lambda now: Affinity("cookie", "round_robin", Cookie("")))
            mode = controller.affinity.mode
            status = (await asyncio.to_thread(call, public.port, "GET", "/"))[0]
            await controller.set_affinity(lambda now: Affinity("cookie", "round_robin", Cookie("sticky")))
            return refused.value, mode, status, controller.affinity.mode

    error, mode, status, later = asyncio.run(refuse_then_accept())
    assert (error.status, error.kind) == (502, "service_failed")
    assert (mode, status, later) == ("none", 503, "cookie")
