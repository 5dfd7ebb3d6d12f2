"""The crowd's control port."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from services.visitors.crowd import Crowd
from services.visitors.settings import FIELDS, read_settings
from services.wire.control import control_app, flag_field, read_fields


def crowd_control(crowd: Crowd, key: str) -> web.Application:
    """`GET /control/state`, `PUT /control/crowd`, `POST /control/reload`, `POST /control/offline`."""

    def summary() -> dict[str, Any]:
        return {**crowd.counts(), "settings": crowd.settings.as_dict()}

    async def state(request: web.Request) -> web.Response:
        return web.json_response({**summary(), "visitors": crowd.visitors()})

    async def change(request: web.Request) -> web.Response:
        fields = await read_fields(request, (*FIELDS, "anew"))
        crowd.set(read_settings(fields, crowd.settings), anew=flag_field(fields, "anew", False))
        return web.json_response(summary())

    async def reload(request: web.Request) -> web.Response:
        await read_fields(request, ())
        return web.json_response({"reloading": crowd.reload()})

    async def offline(request: web.Request) -> web.Response:
        fields = await read_fields(request, ("offline",))
        now = flag_field(fields, "offline", True)
        return web.json_response({"offline": now, "visitors": crowd.go_offline(now)})

    app = control_app(key)
    app.router.add_get("/control/state", state)
    app.router.add_put("/control/crowd", change)
    app.router.add_post("/control/reload", reload)
    app.router.add_post("/control/offline", offline)
    return app
