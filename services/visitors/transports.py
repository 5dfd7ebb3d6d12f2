"""The three ways to the hub, seen from the client (aspnetcore, TransportProtocols.md)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Protocol

import aiohttp

from services.visitors import wording
from services.visitors.browser import Answer, Browser, HttpFailed

HUB = "/_blazor"
_CLEAN = 1000
_GOING_AWAY = 1001


class ConnectionLost(Exception):
    """The connection is over; `reason` is the client's text, None for an end without an error."""

    def __init__(self, reason: str | None, *, may_reconnect: bool = True, mistaken: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.may_reconnect = may_reconnect
        """What the server thinks of it, when it said a last word."""
        self.mistaken = mistaken
        """One of the two broke the protocol, or the server says so."""


class Transport(Protocol):
    """Opened by its class method; every wait may be cancelled without losing what arrives meanwhile."""

    async def send(self, frame: bytes) -> None:
        """Raises ConnectionLost or HttpFailed."""

    async def receive(self) -> bytes:
        """The next bytes, not empty; raises ConnectionLost."""

    async def close(self) -> None:
        """Never raises; takes at most about a second."""

    async def vanish(self) -> None:
        """As a browser does with a page that is closed; the same promises as `close`."""


def hub_path(token: str | None) -> str:
    return HUB if token is None else f"{HUB}?id={token}"


def _poll_path(token: str) -> str:
    """Each poll has an address of its own, so that nothing on the way answers it from memory."""
    return f"{hub_path(token)}&_={time.time_ns() // 1_000_000}"


class WebSockets:
    """One stream for both directions."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, binary: bool) -> None:
        self._socket = socket
        self._binary = binary

    @classmethod
    async def open(cls, browser: Browser, token: str | None, binary: bool) -> WebSockets:
        return cls(await browser.open_websocket(hub_path(token)), binary)

    async def send(self, frame: bytes) -> None:
        try:
            if self._binary:
                await self._socket.send_bytes(frame)
            else:
                await self._socket.send_str(frame.decode())
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectionLost(wording.websocket_closed(1006, "")) from error

    async def receive(self) -> bytes:
        message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            return str(message.data).encode()
        if message.type is aiohttp.WSMsgType.BINARY:
            return bytes(message.data)
        if message.type is aiohttp.WSMsgType.CLOSE and message.data == _CLEAN:
            raise ConnectionLost(None)
        code = message.data if message.type is aiohttp.WSMsgType.CLOSE else self._socket.close_code
        raise ConnectionLost(wording.websocket_closed(code or 1006, message.extra or ""))

    async def close(self) -> None:
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            await self._socket.close()

    async def vanish(self) -> None:
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            await self._socket.close(code=_GOING_AWAY)


class ServerSentEvents:
    """Text from the server as a stream; the client's own messages go by POST."""

    def __init__(self, browser: Browser, token: str, response: aiohttp.ClientResponse) -> None:
        self._browser = browser
        self._token = token
        self._response = response
        self._rest = b""

    @classmethod
    async def open(cls, browser: Browser, token: str, binary: bool) -> ServerSentEvents:
        return cls(browser, token, await browser.open_events(hub_path(token)))

    async def send(self, frame: bytes) -> None:
        await self._browser.ask("POST", hub_path(self._token), frame)

    async def receive(self) -> bytes:
        while True:
            try:
                data = await self._response.content.readany()
            except (aiohttp.ClientError, OSError) as error:
                raise ConnectionLost(None) from error
            if not data:
                raise ConnectionLost(None)
            *events, self._rest = (self._rest + data).replace(b"\r\n", b"\n").split(b"\n\n")
            if frames := b"".join(map(_event_data, events)):
                return frames

    async def close(self) -> None:
        self._response.close()

    async def vanish(self) -> None:
        self._response.close()


def _event_data(event: bytes) -> bytes:
    """The data lines of one event, joined as the HTML standard says."""
    lines = [line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")]
    return b"\n".join(lines)


class LongPolling:
    """One request after the other waits for what comes; each is followed at once by the next."""

    def __init__(self, browser: Browser, token: str) -> None:
        self._browser = browser
        self._token = token
        self._over = False
        self._poll = self._ask_on()

    @classmethod
    async def open(cls, browser: Browser, token: str, binary: bool) -> LongPolling:
        await browser.ask("GET", _poll_path(token))
        return cls(browser, token)

    def _ask_on(self) -> asyncio.Task[Answer]:
        return asyncio.create_task(self._browser.ask("GET", _poll_path(self._token)))

    async def send(self, frame: bytes) -> None:
        await self._browser.ask("POST", hub_path(self._token), frame)

    async def receive(self) -> bytes:
        """A poll that is under way is gone on with, whoever stopped waiting for it."""
        while True:
            try:
                answer = await asyncio.shield(self._poll)
            except HttpFailed as error:
                self._over = True
                raise ConnectionLost(str(error)) from error
            if answer.status == 204:
                self._over = True
                raise ConnectionLost(None)
            self._poll = self._ask_on()
            if answer.body:
                return answer.body

    async def close(self) -> None:
        """DELETE ends it, unless it is over already."""
        await self.vanish()
        if self._over:
            return
        with contextlib.suppress(HttpFailed, TimeoutError):
            async with asyncio.timeout(1):
                await self._browser.ask("DELETE", hub_path(self._token))

    async def vanish(self) -> None:
        self._poll.cancel()
        await asyncio.wait([self._poll])


TRANSPORTS: dict[str, type[WebSockets] | type[ServerSentEvents] | type[LongPolling]] = {
    "WebSockets": WebSockets,
    "ServerSentEvents": ServerSentEvents,
    "LongPolling": LongPolling,
}
