"""One line of Envoy's access log, read: addresses made names, only what may leave the balancer kept."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from services.balancer.endpoints import Names
from services.balancer.pin import read_pin

HUB = "/_blazor"
OPENED, CHOSEN, ENDED = "DownstreamTunnelSuccessfullyEstablished", "UpstreamPoolReady", "DownstreamEnd"
"""Envoy's names for: a WebSocket is open, a replica was chosen for a stream of events, a request is over."""
_MAY_BE_NULL = ("visitor", "cookie")
_VISITOR = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LONGEST_ID = 64
"""Real ids have 22 characters; who invents longer ones shall not fill the log with them."""


@dataclass(frozen=True)
class Entry:
    """Who asked which replica for what, and what came of it."""

    type: str
    method: str
    path: str
    connection: str | None
    """The token that the request carried in `id=`, or that the replica just gave; for a WebSocket that has
    none, the balancer's own name for the request."""
    asked_with_id: bool
    status: int
    flags: str
    """Envoy's response flags, `-` for none."""
    ms: int
    replica: str | None
    visitor: str | None
    transport: str | None
    """What the request is part of, as far as it shows: a POST is the same for two transports."""
    cookie: dict[str, Any] | None = None
    """The affinity cookie that it carried, as `read_pin` has it."""

    @property
    def who(self) -> str:
        return self.visitor or "a visitor without a name"

    def data(self, **other: Any) -> dict[str, Any]:
        """The fields of a lab line; only `visitor` and `cookie` may be null."""
        fields = {
            "visitor": self.visitor,
            "connection": self.connection,
            "transport": self.transport,
            "replica": self.replica,
            "method": self.method,
            "path": self.path[:200],
            "status": self.status,
            "ms": self.ms,
            "cookie": self.cookie,
            **other,
        }
        return {name: value for name, value in fields.items() if value is not None or name in _MAY_BE_NULL}


def read_entry(line: bytes, names: Names) -> Entry:
    """Raises ValueError, KeyError or TypeError for a line that is not ours."""
    fields = json.loads(line)
    url = urlsplit(fields["path"] or "")
    to_hub = url.path == HUB or url.path.startswith(f"{HUB}/")
    asked = parse_qs(url.query).get("id", [None])[0] if to_hub else None
    visitor = fields["visitor"] or fields.get("named")
    websocket = (fields["upgrade"] or "").lower() == "websocket"
    given = fields["connection"] or fields.get("token")
    if to_hub and websocket and fields["status"] == 101:
        given = given or fields.get("request")
    return Entry(
        type=fields["type"],
        method=fields["method"] or "",
        path=url.path,
        connection=(asked or given or "")[:_LONGEST_ID] or None,
        asked_with_id=asked is not None,
        status=int(fields["status"] or 0),
        flags=fields["flags"] or "",
        ms=int(fields["ms"] or 0),
        replica=names.of(fields["upstream"]),
        visitor=visitor if isinstance(visitor, str) and _VISITOR.fullmatch(visitor) else None,
        transport=_transport(fields) if url.path == HUB else None,
        cookie=read_pin(fields, names),
    )


def _transport(fields: dict[str, Any]) -> str | None:
    if fields["method"] != "GET":
        return None
    if (fields["upgrade"] or "").lower() == "websocket":
        return "WebSockets"
    return "ServerSentEvents" if (fields["accept"] or "").startswith("text/event-stream") else "LongPolling"
