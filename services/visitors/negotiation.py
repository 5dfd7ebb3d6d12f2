"""How the client gets a connection: negotiate, then one transport after the other, as the real one does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from services.visitors import wording
from services.visitors.browser import Browser, HttpFailed
from services.visitors.settings import Ways
from services.visitors.transports import HUB, TRANSPORTS, Transport, WebSockets


class StartFailed(Exception):
    """No connection; `errors` is all that the client would have logged, in order."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__(errors[-1])
        self.errors = errors


@dataclass(frozen=True)
class Opened:
    """A transport that is open; the handshake is still to come."""

    transport: Transport
    name: str
    token: str | None
    """The id of the connection; None without a negotiate."""
    tries: int
    """Transports that were tried, this one included."""


@dataclass(frozen=True)
class _Negotiated:
    token: str
    transports: list[dict[str, Any]]


async def open_transport(browser: Browser, ways: Ways) -> Opened:
    """The first transport that works, each with a negotiate of its own; raises StartFailed."""
    if ways.skip_negotiation:
        return await _open_websocket_at_once(browser, ways)
    return await _Attempt(browser, ways).open()


async def _open_websocket_at_once(browser: Browser, ways: Ways) -> Opened:
    try:
        return Opened(await WebSockets.open(browser, None, ways.binary), "WebSockets", None, 1)
    except HttpFailed as error:
        raise StartFailed([wording.connection_failed(str(error))]) from error


class _Attempt:
    """One start of the connection, with what failed so far."""

    def __init__(self, browser: Browser, ways: Ways) -> None:
        self._browser = browser
        self._ways = ways
        self._logged: list[str] = []
        self._reasons: list[str] = []
        self._tries = 0

    async def open(self) -> Opened:
        negotiated = first = await self._negotiate()
        for offered in first.transports:
            name = offered["transport"]
            if why := self._unsuitable(name, offered):
                self._reasons.append(f"{name} failed: {why}")
                continue
            if self._tries:
                negotiated = await self._negotiate()
            if opened := await self._try(name, negotiated.token):
                return opened
        raise self._failed(wording.unable(self._reasons) if self._reasons else wording.NONE_SUPPORTED)

    async def _try(self, name: str, token: str) -> Opened | None:
        self._tries += 1
        try:
            transport = await TRANSPORTS[name].open(self._browser, token, self._ways.binary)
        except HttpFailed as error:
            self._logged.append(wording.transport_failed(name, str(error)))
            self._reasons.append(f"Error: {name} failed: {error}")
            return None
        return Opened(transport, name, token, self._tries)

    def _unsuitable(self, name: str, offered: dict[str, Any]) -> str | None:
        if self._ways.transports and name not in self._ways.transports:
            return wording.disabled(name)
        formats = offered.get("transferFormats") or []
        return wording.not_binary(name) if self._ways.binary and "Binary" not in formats else None

    async def _negotiate(self) -> _Negotiated:
        try:
            answer = await self._browser.ask("POST", f"{HUB}/negotiate?negotiateVersion=1")
            return _read(answer.body)
        except HttpFailed as error:
            why = wording.negotiation(str(error), error.status)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            why = wording.negotiation(f"Error: {error}", None)
        self._logged.append(why)
        raise self._failed(f"Error: {why}")

    def _failed(self, why: str) -> StartFailed:
        return StartFailed([*self._logged, wording.connection_failed(why)])


def _read(body: bytes) -> _Negotiated:
    """Raises ValueError, KeyError, TypeError or AttributeError for an answer that is none."""
    fields = json.loads(body)
    if fields.get("error"):
        raise ValueError(fields["error"])
    token = fields["connectionToken"] if fields.get("negotiateVersion", 0) > 0 else fields["connectionId"]
    transports = [offered for offered in fields["availableTransports"] if offered["transport"] in TRANSPORTS]
    return _Negotiated(quote(str(token), safe=""), transports)
