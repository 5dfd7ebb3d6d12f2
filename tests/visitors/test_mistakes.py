"""Servers that break the protocol: a visitor says so and lives on, and the crowd with it."""

import asyncio
import json
import time

import pytest
from lab_programs import call

from services.visitors import connection as hub
from services.visitors.browser import Browser
from services.visitors.connection import HubConnection
from services.visitors.negotiation import StartFailed
from services.visitors.settings import CrowdSettings, Ways
from services.visitors.transports import ConnectionLost

FAILED = {
    "no-page": "GET / failed: Error: no page today: Status code '500'",
    "negotiate-html": "Failed to complete negotiation with the server: ",
    "negotiate-list": "Failed to complete negotiation with the server: ",
    "negotiate-error": "Failed to complete negotiation with the server: Error: Not today.",
    "no-transports": "Failed to start the connection: Error: None of the transports supported by the client",
    "garbage": "Error parsing handshake response: Error: ",
    "a-message-first": "Error parsing handshake response: Error: Expected a handshake response",
    "too-much": "Error parsing handshake response: Error: ",
    "an-error": "Error: Server returned handshake error: The protocol is not supported.",
    "hang-up": "Error: WebSocket closed with status code: 1006 (no reason given).",
}


@pytest.mark.parametrize("way", FAILED)
def test_a_server_that_cannot_be_understood_makes_a_failed_visitor(crowd, strange_server, way):
    crowd.set(3, target=strange_server(way), reload_seconds=0.2)
    for line in crowd.wait_for("visitor.failed", count=5):
        assert line["data"]["errors"][0].startswith(FAILED[way]), line
    assert crowd.counts() == {"count": 3, "connected": 0, "failed": 3}
    assert "".join(crowd.complaints) == ""


def test_a_close_for_good_is_not_answered_by_reconnecting(crowd, strange_server):
    crowd.set(1, target=strange_server("close-for-good"), reload_seconds=60)
    errors = crowd.wait_for("visitor.failed")[0]["data"]["errors"]
    assert "Server returned an error on close: Go away." in errors[0]
    assert not crowd.of("visitor.reconnecting")


@pytest.mark.parametrize("way", ["close-for-now", "broken-frame"])
def test_other_ends_are_answered_by_reconnecting(crowd, strange_server, way):
    crowd.set(1, target=strange_server(way), reload_seconds=60)
    crowd.wait_for("visitor.reconnecting", attempt=1)
    crowd.wait_for("visitor.connected", memory="kept")


@pytest.mark.parametrize(("way", "memory"), [("move", "kept"), ("move-unread", "lost")])
def test_asked_to_move_a_visitor_hands_in_what_it_was_given(crowd, strange_server, way, memory):
    target = strange_server(way)
    crowd.set(1, target=target, reload_seconds=60)
    [back] = crowd.wait_for("visitor.connected", memory=memory)
    assert (back["data"]["moved_from"], back["data"]["circuit"]) == (
        ("replica-1", "circuit-2") if memory == "kept" else (None, "circuit")
    )
    assert seen(target)["resumed"] == [["our memory, signed"]]
    assert not crowd.of("visitor.reconnecting") and not crowd.of("visitor.failed")


def test_a_target_where_nobody_listens_makes_failed_visitors(crowd):
    crowd.set(2, target="http://127.0.0.1:1", reload_seconds=60)
    crowd.wait_until(failed=2)
    assert crowd.of("visitor.failed")[0]["data"]["errors"] == ["GET / failed: TypeError: Failed to fetch"]


def test_a_silent_server_is_pinged_and_then_given_up(strange_server, monkeypatch):
    """With the client's 15 and 30 seconds made short."""
    monkeypatch.setattr(hub, "PING_SECONDS", 0.1)
    monkeypatch.setattr(hub, "SILENCE_SECONDS", 0.35)
    sent = []

    async def wait_in_silence(browser):
        connection = await HubConnection.start(browser, Ways())
        send = connection._transport.send
        monkeypatch.setattr(connection._transport, "send", lambda frame: sent.append(frame) or send(frame))
        with pytest.raises(ConnectionLost, match="Server timeout elapsed"):
            await connection.read(time.monotonic() + 60)

    _with_browser(strange_server("watching"), wait_in_silence)
    assert sent[:2] == [b'{"type":6}\x1e'] * 2


def test_a_handshake_that_is_never_answered_is_given_up(strange_server, monkeypatch):
    monkeypatch.setattr(hub, "SILENCE_SECONDS", 0.2)

    async def shake_hands(browser):
        with pytest.raises(StartFailed, match="Server timeout elapsed"):
            await HubConnection.start(browser, Ways())

    _with_browser(strange_server("silent"), shake_hands)


def seen(target):
    return json.loads(call(int(target.rsplit(":", 1)[1]), "GET", "/seen")[2])


def _with_browser(target, do):
    async def run():
        browser = Browser("visitor-1", CrowdSettings(target=target))
        try:
            await do(browser)
        finally:
            await browser.close()

    asyncio.run(run())
