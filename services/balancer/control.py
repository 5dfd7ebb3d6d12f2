"""The balancer's control port."""

from __future__ import annotations

import asyncio

from aiohttp import web

from services.balancer.affinity import read_affinity
from services.balancer.controller import Controller
from services.balancer.endpoints import read_endpoints
from services.wire.control import control_app, read_fields


def balancer_control(controller: Controller, key: str) -> web.Application:
    """`GET /control/state`, `PUT /control/affinity`, `PUT /control/endpoints`."""

    async def state(request: web.Request) -> web.Response:
        return web.json_response(controller.state())

    async def affinity(request: web.Request) -> web.Response:
        fields = await read_fields(request, ("mode", "algorithm", "cookie"))
        ms = await asyncio.shield(controller.set_affinity(lambda now: read_affinity(fields, now)))
        return web.json_response({"affinity": controller.affinity.as_dict(), "ms": ms})

    async def endpoints(request: web.Request) -> web.Response:
        wanted = read_endpoints((await read_fields(request, ("endpoints",))).get("endpoints"))
        ms = await asyncio.shield(controller.set_endpoints(wanted))
        return web.json_response({"endpoints": [endpoint.as_dict() for endpoint in wanted], "ms": ms})

    app = control_app(key)
    app.router.add_get("/control/state", state)
    app.router.add_put("/control/affinity", affinity)
    app.router.add_put("/control/endpoints", endpoints)
    return app
