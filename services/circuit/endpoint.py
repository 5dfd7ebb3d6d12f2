"""The hub's address `/_blazor`: negotiate, connect, send, end, with the real server's answers."""

from __future__ import annotations

import re

from aiohttp import web

from services.circuit import transports
from services.circuit.connection import Connection, Refusal
from services.circuit.connections import Connections
from services.circuit.timing import Timing
from services.circuit.visitor import visitor_of

PATH = "/_blazor"
HIGHEST_NEGOTIATE_VERSION = 1
HOLDER_HEADER = "X-Labdeck-Connection"
"""Carries the new connection's token to the balancer's access log, so that it knows who holds what."""
TRANSPORTS = [
    {"transport": "WebSockets", "transferFormats": ["Text", "Binary"]},
    {"transport": "ServerSentEvents", "transferFormats": ["Text"]},
    {"transport": "LongPolling", "transferFormats": ["Text", "Binary"]},
]


class Endpoint:
    """HTTP in front of the connections."""

    def __init__(self, connections: Connections, timing: Timing) -> None:
        self._connections = connections
        self._timing = timing

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(f"{PATH}/negotiate", self._negotiate),
            web.get(PATH, self._connect, allow_head=False),
            web.post(PATH, self._send),
            web.delete(PATH, self._end),
        ]

    async def _negotiate(self, request: web.Request) -> web.Response:
        asked = request.query.get("negotiateVersion", "0").strip()
        if not re.fullmatch(r"[+-]?[0-9]{1,9}", asked):
            return web.json_response({"error": "The client requested a non-integer protocol version."})
        if int(asked) < 0:
            version = f"The client requested version '{int(asked)}'"
            return web.json_response({"error": f"{version}, but the server does not support this version."})
        version_ = min(int(asked), HIGHEST_NEGOTIATE_VERSION)
        try:
            connection = self._connections.create(visitor_of(request), version_)
        except Refusal as refusal:
            return _refused(refusal)
        return _negotiated(connection, version_)

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        try:
            if "text/event-stream" in request.headers.get("Accept", ""):
                connection = self._asked(request)
                return await transports.server_sent_events(request, self._connections, connection)
            if web.WebSocketResponse().can_prepare(request):
                return await self._connect_websocket(request)
            connection = self._asked(request)
            return await transports.long_polling(request, self._connections, connection, self._timing)
        except Refusal as refusal:
            return _refused(refusal)

    async def _connect_websocket(self, request: web.Request) -> web.StreamResponse:
        headers = {}
        if request.query.get("id"):
            connection = self._asked(request)
        else:
            connection = self._connections.create(visitor_of(request), 0)
            headers[HOLDER_HEADER] = connection.token
        return await transports.websocket(request, self._connections, connection, headers)

    async def _send(self, request: web.Request) -> web.Response:
        try:
            connection = self._asked(request)
            if connection.transport == "WebSockets":
                raise Refusal(405, "POST requests are not allowed for WebSocket connections.")
            if connection.transport is None:
                raise Refusal(409)
            data = await request.read()
            if connection.ended:
                raise Refusal(404)
        except Refusal as refusal:
            return _refused(refusal)
        self._connections.receive(connection, data)
        return web.Response(content_type="text/plain")

    async def _end(self, request: web.Request) -> web.Response:
        try:
            connection = self._asked(request)
            if connection.transport != "LongPolling":
                raise Refusal(400, "Cannot terminate this connection using the DELETE endpoint.")
        except Refusal as refusal:
            return _refused(refusal)
        self._connections.end(connection, "client")
        self._connections.discard(connection)
        return web.Response(status=202, content_type="text/plain")

    def _asked(self, request: web.Request) -> Connection:
        connection = self._connections.find(request.query.get("id", ""))
        connection.visitor = visitor_of(request) or connection.visitor
        return connection


def _negotiated(connection: Connection, version: int) -> web.Response:
    answer = {"negotiateVersion": version, "connectionId": connection.id}
    if version:
        answer["connectionToken"] = connection.token
    return web.json_response(
        answer | {"availableTransports": TRANSPORTS}, headers={HOLDER_HEADER: connection.token}
    )


def _refused(refusal: Refusal) -> web.Response:
    return web.Response(status=refusal.status, text=refusal.text, headers=transports.NO_CACHE)
