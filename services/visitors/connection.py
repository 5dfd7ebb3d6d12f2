"""A hub connection as the client holds it: handshake, calls, pings, and when silence is too long."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

from services.visitors import wording
from services.visitors.browser import Browser, HttpFailed
from services.visitors.negotiation import Opened, StartFailed, open_transport
from services.visitors.settings import Ways
from services.visitors.transports import ConnectionLost
from services.wire import signalr
from services.wire.messages import BadFrame, Close, Completion, Invocation, Message, Ping

PING_SECONDS = 15.0
SILENCE_SECONDS = 30.0
"""The client's serverTimeoutInMilliseconds."""


class CallFailed(Exception):
    """The hub refused a call, in its own words."""


Listener = Callable[["HubConnection", Message], Awaitable[None]]


async def _ignore(connection: HubConnection, message: Message) -> None:
    pass


class HubConnection:
    """Used by one task alone: whoever waits for something also reads and pings; `hear` is given the rest."""

    def __init__(self, opened: Opened, protocol: signalr.HubProtocol, hear: Listener) -> None:
        self.transport = opened.name
        self.token = opened.token
        self.tries = opened.tries
        self._transport = opened.transport
        self._hear = hear
        self._protocol = protocol
        self._reader = signalr.FrameReader(protocol)
        self._calls = 0
        self._lost = False
        self._closed: ConnectionLost | None = None
        """What the server's Close said; what came before it is heard first."""
        self._sent_at = self._heard_at = time.monotonic()

    @classmethod
    async def start(cls, browser: Browser, ways: Ways, hear: Listener = _ignore) -> HubConnection:
        """Connected, hands shaken; raises StartFailed."""
        opened = await open_transport(browser, ways)
        connection = cls(opened, signalr.PROTOCOLS[ways.protocol], hear)
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                await connection._shake_hands()
                if not connection._keeps_itself_alive:
                    await connection._send(Ping())
        except (ConnectionLost, HttpFailed, BadFrame, TimeoutError) as error:
            await opened.transport.close()
            raise StartFailed([_handshake_error(error)]) from error
        except asyncio.CancelledError:
            await opened.transport.close()
            raise
        return connection

    async def _shake_hands(self) -> None:
        await self._transport.send(signalr.HandshakeRequest(self._protocol.name).encode())
        buffer = b""
        while (answer := signalr.read_handshake_response(buffer)) is None:
            buffer += await self._transport.receive()
        response, rest = answer
        if response.error is not None:
            raise ConnectionLost(f"Error: Server returned handshake error: {response.error}")
        if rest:
            self._reader.feed(rest)

    async def invoke(self, target: str, *arguments: Any) -> Any:
        """The result of a call; raises CallFailed, ConnectionLost."""
        id, deadline = await self.post(target, *arguments), time.monotonic() + SILENCE_SECONDS
        while messages := await self.read(deadline):
            answer = None
            for message in messages:
                if isinstance(message, Completion) and message.invocation_id == id:
                    answer = message
                else:
                    await self._hear(self, message)
            if answer:
                return result_of(answer)
        raise ConnectionLost(wording.SILENT)

    async def post(self, target: str, *arguments: Any) -> str:
        """Call without waiting; the answer is heard later, with this id."""
        id = str(self._calls)
        self._calls += 1
        await self._send(Invocation(target, arguments, id))
        return id

    async def tell(self, target: str, *arguments: Any) -> None:
        """Call without an answer."""
        await self._send(Invocation(target, arguments))

    async def answer(self, call: Invocation, result: Any) -> None:
        """What the server waits for when its own call has an id."""
        if call.invocation_id is not None:
            await self._send(Completion.of(call.invocation_id, result))

    async def listen(self, until: float) -> None:
        """Hear what comes next, or nothing when `until` (monotonic seconds) comes first."""
        for message in await self.read(until):
            await self._hear(self, message)

    async def read(self, until: float) -> list[Message]:
        """What arrives, or nothing when `until` (monotonic seconds) comes first; raises ConnectionLost."""
        while True:
            if self._closed:
                raise self._closed
            due = min(until, self._next_ping, self._silent_at)
            data = await self._receive(due - time.monotonic())
            if data and (messages := self._messages(data)):
                return messages
            now = time.monotonic()
            if now >= self._silent_at:
                raise ConnectionLost(wording.SILENT)
            if now >= self._next_ping:
                await self._send(Ping())
            if now >= until:
                return []

    @property
    def _keeps_itself_alive(self) -> bool:
        """Polls follow each other anyway: no pings, and no silence that could be too long."""
        return self.transport == "LongPolling"

    @property
    def _next_ping(self) -> float:
        return float("inf") if self._keeps_itself_alive else self._sent_at + PING_SECONDS

    @property
    def _silent_at(self) -> float:
        return float("inf") if self._keeps_itself_alive else self._heard_at + SILENCE_SECONDS

    async def _receive(self, seconds: float) -> bytes | None:
        try:
            async with asyncio.timeout(max(seconds, 0)):
                return await self._transport.receive()
        except TimeoutError:
            return None
        except ConnectionLost:
            self._lost = True
            raise

    def _messages(self, data: bytes) -> list[Message]:
        self._heard_at = time.monotonic()
        try:
            messages = self._reader.feed(data)
        except BadFrame as error:
            raise ConnectionLost(f"Error: {error}", mistaken=True) from error
        for number, message in enumerate(messages):
            if isinstance(message, Close):
                self._lost = True
                self._closed = ConnectionLost(
                    wording.closed_by_server(message.error),
                    may_reconnect=message.allow_reconnect,
                    mistaken=message.error is not None,
                )
                return messages[:number]
        return messages

    async def _send(self, message: Message) -> None:
        self._sent_at = time.monotonic()
        try:
            await self._transport.send(self._protocol.encode(message))
        except HttpFailed as error:
            raise ConnectionLost(str(error)) from error

    async def leave(self) -> None:
        """Say goodbye and close, which as in the client's stop() waits for no answer; never raises."""
        async with asyncio.TaskGroup() as both:
            if not self._lost:
                both.create_task(self._say_goodbye())
            both.create_task(self._transport.close())

    async def _say_goodbye(self) -> None:
        with contextlib.suppress(ConnectionLost):
            await self._send(Close())

    async def vanish(self) -> None:
        """Be gone without a word, as the page's connections are when it is closed; never raises."""
        await self._transport.vanish()


def result_of(completion: Completion) -> Any:
    """Raises CallFailed for an answer that is an error."""
    if completion.error is not None:
        raise CallFailed(f"Error: {completion.error}")
    return completion.result


def _handshake_error(error: Exception) -> str:
    if isinstance(error, BadFrame):
        return f"Error parsing handshake response: Error: {error}"
    if isinstance(error, ConnectionLost) and error.reason is None:
        return "Error: The underlying connection was closed before the hub handshake could complete."
    return wording.SILENT if isinstance(error, TimeoutError) else str(error)
