"""One replica of the circuit app: its memory, its connections and its two faces."""

from __future__ import annotations

import asyncio
import logging
import time

from aiohttp import web

from services.circuit.circuits import Circuits
from services.circuit.connections import Connections
from services.circuit.descriptor import Signer
from services.circuit.endpoint import Endpoint
from services.circuit.hub import Hub
from services.circuit.journal import Journal
from services.circuit.page.routes import Page
from services.circuit.timing import Timing
from services.wire.control import BODY_LIMIT

_log = logging.getLogger(__name__)


class Replica:
    """Everything of one replica, put together; nothing of it is shared with another one."""

    def __init__(self, name: str, page_key: bytes, timing: Timing) -> None:
        self.name = name
        self.journal = Journal(name, self.counts)
        self.circuits = Circuits(self.journal, timing)
        signer = Signer(name, page_key)
        self.hub = Hub(self.journal, self.circuits, signer)
        self.connections = Connections(self.journal, self.circuits, self.hub, timing)
        self._endpoint = Endpoint(self.connections, timing)
        self._page = Page(self.journal, signer)
        self._timing = timing

    def counts(self) -> dict[str, int]:
        """Absolute, as every event carries them."""
        return {"connections": self.connections.opened, "circuits": len(self.circuits)}

    def public_app(self) -> web.Application:
        """The face to visitors: page, hub, health."""
        app = web.Application(client_max_size=BODY_LIMIT)
        app.add_routes([*self._endpoint.routes(), *self._page.routes(), web.get("/healthz", self._health)])
        app.on_response_prepare.append(_harden)
        return app

    async def keep_time(self) -> None:
        """Look at what has to be pinged, ended or forgotten, for ever."""
        while True:
            await asyncio.sleep(self._timing.tick)
            try:
                self.connections.tick(time.monotonic())
                self.circuits.tick(time.monotonic())
            except Exception:
                _log.exception("a look at the time failed")

    async def _health(self, request: web.Request) -> web.Response:
        status = "draining" if self.hub.draining else "ok"
        body = {"status": status, "replica": self.name}
        return web.json_response(body, status=503 if self.hub.draining else 200)


async def _harden(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["X-Content-Type-Options"] = "nosniff"
