"""What the balancer tells of its visitors: who was asked, who holds, and no secret."""

import socket

import pytest
from lab_programs import LiveSocket, call, until

pytestmark = pytest.mark.local


def test_a_refused_connection_is_told_with_the_replica_asked_and_the_one_that_holds_it(balancer):
    token = balancer.negotiate("visitor-7")
    holder = token.split("-token")[0]
    status = call(balancer.public, "GET", f"/_blazor?id={token}", {"Cookie": "labdeck_visitor=visitor-7"})[0]
    assert status == 404
    line = balancer.wait_for("connection.refused")[0]
    asked = line["source"]
    assert asked != holder and line["level"] == "warning"
    assert line["data"] | {"ms": 0} == {
        "visitor": "visitor-7",
        "connection": token,
        "transport": "LongPolling",
        "replica": asked,
        "holder": holder,
        "method": "GET",
        "path": "/_blazor",
        "status": 404,
        "ms": 0,
        "cookie": None,
    }
    assert (
        line["text"]
        == f"404 for visitor-7: connection {token[:6]}… is unknown on {asked}; {holder} holds it."
    )
    assert balancer.state()["counts"][asked]["refused"] == 1


def test_a_connection_nobody_was_seen_to_open_has_no_holder(balancer):
    assert balancer.hub("made-up") == 404
    line = balancer.wait_for("connection.refused")[0]
    assert line["data"]["holder"] is None
    assert line["text"].endswith("no replica was seen to open it.")


def test_negotiated_comes_before_routed_for_each_transport(balancer):
    balancer.set("cookie")
    _, cookie = balancer.pinned()
    for transport, connect in TRANSPORTS.items():
        token = _negotiate(balancer, cookie)
        with connect(balancer, token, cookie):
            line = balancer.wait_for("connection.routed", connection=token)[0]
            kinds = [one["kind"] for one in balancer.lines if one["data"].get("connection") == token]
        assert line["data"]["transport"] == transport
        assert line["source"] == line["data"]["replica"] == token.split("-token")[0]
        assert kinds == ["connection.negotiated", "connection.routed"]


def test_a_websocket_without_a_negotiate_is_told_with_the_connection_it_was_given(balancer):
    live = LiveSocket(balancer.public, "/_blazor", {"Cookie": "labdeck_visitor=browser-3f2a"})
    holder = live.echo("x").split(":")[0]
    line = balancer.wait_for("connection.routed")[0]
    assert (line["source"], line["data"]["connection"]) == (holder, f"{holder}-token-skipped")
    assert line["data"]["visitor"] == "browser-3f2a"
    live.close()


def test_polls_messages_and_files_are_no_lines_and_a_connection_is_told_once(balancer):
    balancer.know(balancer.state()["endpoints"][:1])
    token = balancer.negotiate()
    for _ in range(5):
        assert balancer.hub(token) == 200
        call(balancer.public, "POST", f"/_blazor?id={token}")
        call(balancer.public, "GET", "/static/some.js")
    balancer.page()
    balancer.wait_for("page.served")
    assert len(balancer.of("connection.routed")) == 1
    assert {line["kind"] for line in balancer.lines} <= {
        "balancer.ready",
        "endpoints.changed",
        "connection.negotiated",
        "connection.routed",
        "page.served",
    }


def test_no_cookie_but_the_visitors_name_leaves_the_balancer(balancer):
    balancer.set("cookie")
    cookies = "session=of-the-dashboard; labdeck_visitor=visitor-7; other=private"
    for path in ("/", "/_blazor?id=nobody", "/fail"):
        call(balancer.public, "GET", path, {"Cookie": cookies, "Authorization": "Bearer private"})
    balancer.wait_for("request.failed")
    said = "".join(balancer.raw + balancer.complaints)
    assert "of-the-dashboard" not in said and "private" not in said
    assert balancer.of("page.served")[0]["data"]["visitor"] == "visitor-7"


def test_each_line_has_the_affinity_cookie_that_was_sent_and_the_replica_that_it_names(balancer):
    name = balancer.set("cookie")["affinity"]["cookie"]["name"]
    replica, cookie = balancer.pinned()
    cookies = f"session=of-the-dashboard; labdeck_visitor=visitor-7; {cookie}"
    call(balancer.public, "POST", "/_blazor/negotiate", {"Cookie": cookies})
    call(balancer.public, "GET", "/_blazor?id=nobody", {"Cookie": cookies})
    call(balancer.public, "GET", "/fail", {"Cookie": cookies})
    for kind in ("connection.negotiated", "connection.refused", "request.failed"):
        sent = balancer.wait_for(kind)[0]["data"]["cookie"]
        assert (sent["name"], sent["replica"], sent["expired"], sent["ignored"]) == (
            name, replica, False, False,
        )  # fmt: skip
        assert sent["expires"] > balancer.lines[0]["at"]
    assert balancer.of("page.served")[0]["data"]["cookie"] is None
    assert "of-the-dashboard" not in "".join(balancer.raw + balancer.complaints)


def test_a_cookie_from_before_a_toggle_is_told_as_ignored(balancer):
    balancer.set("cookie")
    replica, old = balancer.pinned()
    balancer.set("none")
    assert len({balancer.page(f"labdeck_visitor=visitor-7; {old}") for _ in range(3)}) == 3
    lines = balancer.wait_for("page.served", 3, visitor="visitor-7")
    assert {(line["data"]["cookie"]["replica"], line["data"]["cookie"]["ignored"]) for line in lines} == {
        (replica, True)
    }
    balancer.set("cookie")
    fresh, new = balancer.pinned()
    balancer.page(f"labdeck_visitor=visitor-8; {old}; {new}")
    sent = balancer.wait_for("page.served", visitor="visitor-8")[0]["data"]["cookie"]
    assert (sent["replica"], sent["ignored"]) == (fresh, False)


@pytest.mark.parametrize("name", ["<b>", "a" * 65, "visitor 7", "é"])
def test_a_visitors_name_that_is_none_is_left_out(balancer, name):
    call(balancer.public, "GET", "/", {"Cookie": f"labdeck_visitor={name}".encode()})
    assert balancer.wait_for("page.served")[0]["data"]["visitor"] in (None, "a" * 64)


def test_enormous_and_broken_requests_do_not_stop_the_log(balancer):
    for request in (
        b"GET /" + b"a" * 55_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /_blazor?id=" + b"%ff%0a" * 3000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST //[ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", balancer.public)) as raw:
            raw.sendall(request)
            raw.settimeout(5)
            raw.recv(100)
    assert balancer.page("labdeck_visitor=visitor-9")
    until(lambda: balancer.of("page.served", visitor="visitor-9"), balancer.story)


class _Held:
    """A request whose answer has begun, held open."""

    def __init__(self, balancer, token, headers):
        self._socket = socket.create_connection(("127.0.0.1", balancer.public), 10)
        lines = [f"GET /_blazor?id={token} HTTP/1.1", "Host: lab", *headers, "", ""]
        self._socket.sendall("\r\n".join(lines).encode())
        assert b" 200 " in self._socket.recv(1000)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._socket.close()


class _Open(LiveSocket):
    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


TRANSPORTS = {
    "WebSockets": lambda b, token, cookie: _Open(b.public, f"/_blazor?id={token}", {"Cookie": cookie}),
    "ServerSentEvents": lambda b, token, cookie: _Held(
        b, token, [f"Cookie: {cookie}", "Accept: text/event-stream"]
    ),
    "LongPolling": lambda b, token, cookie: _Held(b, token, [f"Cookie: {cookie}"]),
}


def _negotiate(balancer, cookie):
    return call(balancer.public, "POST", "/_blazor/negotiate", {"Cookie": cookie})[1]["X-Labdeck-Connection"]
