"""The three ways in which a connection's bytes travel (aspnetcore, TransportProtocols.md)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterator

from aiohttp import WSMessage, WSMsgType, web

from services.circuit.connection import Connection, nothing
from services.circuit.connections import Connections
from services.circuit.timing import Timing
from services.wire.signalr import MESSAGE_LIMIT

CLOSING = 2.0
"""Seconds that a WebSocket's closing handshake may take."""
NO_CACHE = {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache", "Expires": "0"}
_RESET = struct.pack("ii", 1, 0)


async def websocket(
    request: web.Request, connections: Connections, connection: Connection, headers: dict[str, str]
) -> web.StreamResponse:
    """Both directions in one stream; `headers` go into the 101."""
    connections.claim(connection, "WebSockets")
    socket_ = web.WebSocketResponse(compress=False, max_msg_size=2 * MESSAGE_LIMIT, timeout=CLOSING)
    socket_.headers.update(headers)
    with _carried(request, connections, connection):
        await socket_.prepare(request)
        sending = asyncio.create_task(_send_all(socket_, connection))
        try:
            async for message in socket_:
                _receive(connections, connection, message)
        finally:
            connections.end(connection, "client")
            await asyncio.wait([sending], timeout=CLOSING)
            sending.cancel()
    return socket_


def _receive(connections: Connections, connection: Connection, message: WSMessage) -> None:
    """One WebSocket message, whatever its kind."""
    if message.type == WSMsgType.TEXT:
        connections.receive(connection, message.data.encode())
    elif message.type == WSMsgType.BINARY:
        connections.receive(connection, message.data)
    elif message.type == WSMsgType.ERROR:
        connections.reject(connection, str(message.data))


async def _send_all(socket_: web.WebSocketResponse, connection: Connection) -> None:
    with contextlib.suppress(ConnectionError):
        while frames := await connection.outbox.take():
            if connection.protocol and connection.protocol.binary:
                await socket_.send_bytes(frames)
            else:
                await socket_.send_str(frames.decode())
        await socket_.close()


async def server_sent_events(
    request: web.Request, connections: Connections, connection: Connection
) -> web.StreamResponse:
    """From the server only, text only; the client's messages come by POST."""
    connections.claim(connection, "ServerSentEvents")
    headers = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no", **NO_CACHE}
    response = web.StreamResponse(headers=headers)
    with _carried(request, connections, connection), contextlib.suppress(ConnectionError):
        await response.prepare(request)
        await response.write(b":\r\n")
        while frames := await connection.outbox.take():
            lines = b"".join(b"data: %b\r\n" % line for line in frames.split(b"\n"))
            await response.write(lines + b"\r\n")
    return response


async def long_polling(
    request: web.Request, connections: Connections, connection: Connection, timing: Timing
) -> web.StreamResponse:
    """One request for each batch: the first is answered at once, 204 says that it is over."""
    first = connection.transport is None
    connections.claim(connection, "LongPolling")
    if first:
        return web.Response(content_type="text/plain", headers=NO_CACHE)
    with _polled(request, connection):
        try:
            async with asyncio.timeout(timing.poll):
                frames = await connection.outbox.take()
        except TimeoutError:
            return web.Response(content_type="text/plain", headers=NO_CACHE)
    if frames is None:
        if connection.ended:
            connections.discard(connection)
        return web.Response(status=204, headers=NO_CACHE)
    binary = connection.protocol is not None and connection.protocol.binary
    kind = "application/octet-stream" if binary else "text/plain"
    return web.Response(body=frames, content_type=kind, headers=NO_CACHE)


@contextlib.contextmanager
def _carried(request: web.Request, connections: Connections, connection: Connection) -> Iterator[None]:
    """The connection lives as long as this request."""
    connection.abort = _reset_of(request)
    try:
        yield
    finally:
        connections.end(connection, "client")


@contextlib.contextmanager
def _polled(request: web.Request, connection: Connection) -> Iterator[None]:
    """This request is a poll; without one the connection waits only for a while."""
    connection.polls += 1
    connection.abort = abort = _reset_of(request)
    try:
        yield
    finally:
        connection.polls -= 1
        if connection.abort is abort:
            connection.abort = nothing
        connection.heard_at = time.monotonic()


def _reset_of(request: web.Request) -> Callable[[], None]:
    """Breaks the request's TCP connection as a pulled cable would be noticed: by a reset, nothing flushed."""

    def reset() -> None:
        transport = request.transport
        if transport is None:
            return
        with contextlib.suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()

    return reset
