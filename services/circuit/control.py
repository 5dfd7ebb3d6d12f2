"""The replica's control port: look, drop, forget, drain, move."""

from __future__ import annotations

from aiohttp import web

from services.circuit.replica import Replica
from services.wire.control import control_app, read_fields, text_field


class Control:
    """What the dashboard may do with a replica."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    def app(self, key: str) -> web.Application:
        """The control port as an application."""
        app = control_app(key)
        app.add_routes([
            web.get("/control/state", self._state),
            web.post("/control/drop", self._drop),
            web.post("/control/forget", self._forget),
            web.post("/control/drain", self._drain),
            web.post("/control/move", self._move),
        ])  # fmt: skip
        return app

    async def _state(self, request: web.Request) -> web.Response:
        replica = self._replica
        return web.json_response({
            "replica": replica.name,
            "draining": replica.hub.draining,
            "connections": [c.facts() for c in replica.connections if c.opened and not c.ended],
            "circuits": [circuit.facts() for circuit in replica.circuits],
        })  # fmt: skip

    async def _drop(self, request: web.Request) -> web.Response:
        fields = await read_fields(request, {"visitor", "connection"})
        visitor, connection = text_field(fields, "visitor", None), text_field(fields, "connection", None)
        return web.json_response({"dropped": self._replica.connections.drop(visitor, connection)})

    async def _forget(self, request: web.Request) -> web.Response:
        fields = await read_fields(request, {"circuit"})
        return web.json_response(
            {"forgotten": self._replica.circuits.forget(text_field(fields, "circuit", None))}
        )

    async def _drain(self, request: web.Request) -> web.Response:
        await read_fields(request, ())
        self._replica.hub.draining = True
        return web.json_response({"draining": True})

    async def _move(self, request: web.Request) -> web.Response:
        await read_fields(request, ())
        asked, held = self._replica.connections.move(self._replica.hub.seal)
        return web.json_response({"asked": asked, "held": held})
