"""The control port of a lab program: JSON over HTTP for whoever has the workspace's key."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from services.wire.environment import Listen

BODY_LIMIT = 64 * 1024
_log = logging.getLogger(__name__)
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ControlError(Exception):
    """A control call that cannot be; becomes `{"error": {"kind", "message", "hint"}}`."""

    def __init__(self, message: str, *, status: int = 400, kind: str = "bad_request", hint: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.hint = hint or "Look at what the control API of this program takes."

    def response(self) -> web.Response:
        error = {"kind": self.kind, "message": self.message, "hint": self.hint}
        return web.json_response({"error": error}, status=self.status)


def control_app(key: str) -> web.Application:
    """An application that checks the key, caps bodies at 64 KiB and words every error as JSON."""
    return web.Application(middlewares=[_worded_errors, _key_check(key)], client_max_size=BODY_LIMIT)


async def serve(app: web.Application, listen: Listen, **options: Any) -> tuple[web.AppRunner, int]:
    """Listen, without an access log; the runner to clean up, and the port that it got.

    `options` go to aiohttp's AppRunner; raises OSError when the port is taken.
    """
    runner = web.AppRunner(app, access_log=None, **options)
    await runner.setup()
    site = web.TCPSite(runner, listen.host, listen.port)
    try:
        await site.start()
    except OSError:
        await runner.cleanup()
        raise
    return runner, runner.addresses[0][1]


async def read_fields(request: web.Request, allowed: Collection[str]) -> dict[str, Any]:
    """The JSON object in the body, an empty body being `{}`; raises ControlError for anything else."""
    raw = await request.read()
    try:
        fields = json.loads(raw.decode() or "{}")
    except (ValueError, RecursionError) as error:
        raise ControlError("The body is not JSON.") from error
    if not isinstance(fields, dict):
        raise ControlError("The body is not a JSON object.")
    if unknown := sorted(set(fields) - set(allowed)):
        raise ControlError(f"Unknown field {unknown[0]!r}.", hint=f"Known: {', '.join(sorted(allowed))}.")
    return fields


def text_field(fields: dict[str, Any], name: str, default: str | None, *, limit: int = 200) -> str | None:
    """Text of at most `limit` characters, or the default when the field is absent or null."""
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, str) or len(value) > limit:
        raise ControlError(f"{name} must be text of at most {limit} characters.")
    return value


def choice_field(fields: dict[str, Any], name: str, choices: Collection[str], default: str) -> str:
    """One of the choices, or the default when the field is absent."""
    value = fields.get(name, default)
    if not isinstance(value, str) or value not in choices:
        raise ControlError(f"{name} must be one of {', '.join(choices)}.")
    return value


def number_field(fields: dict[str, Any], name: str, low: int, high: int, default: int) -> int:
    """A whole number from `low` to `high`, or the default when the field is absent."""
    value = fields.get(name, default)
    if type(value) is not int or not low <= value <= high:
        raise ControlError(f"{name} must be a whole number from {low} to {high}.")
    return value


def flag_field(fields: dict[str, Any], name: str, default: bool) -> bool:
    """True or false, or the default when the field is absent."""
    value = fields.get(name, default)
    if not isinstance(value, bool):
        raise ControlError(f"{name} must be true or false.")
    return value


@web.middleware
async def _worded_errors(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ControlError as error:
        return error.response()
    except web.HTTPException as error:
        kind = (error.reason or "error").lower().replace(" ", "_")
        return ControlError(error.reason or "Error", status=error.status, kind=kind).response()
    except Exception:
        _log.exception("%s %s failed", request.method, request.path)
        return ControlError("This program met an error of its own.", status=500, kind="internal").response()


def _key_check(key: str) -> Middleware:
    expected = f"Bearer {key}".encode()

    @web.middleware
    async def check(request: web.Request, handler: _Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, expected):
            raise ControlError(
                "The control key is missing or wrong.",
                status=401,
                kind="not_signed_in",
                hint="Send `Authorization: Bearer <LAB_CONTROL_KEY>`.",
            )
        return await handler(request)

    return check
