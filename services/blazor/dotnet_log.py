"""What .NET logs, one JSON object a line: read, with the HTTP request that each line belongs to."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

LEVELS = {
    "Microsoft.AspNetCore.Hosting.Diagnostics": "Information",
    "Microsoft.AspNetCore.Components.Server.ComponentHub": "Debug",
    "Microsoft.AspNetCore.Components.Server.Circuits.CircuitFactory": "Debug",
    "Microsoft.AspNetCore.Components.Server.Circuits.CircuitRegistry": "Debug",
    "Microsoft.AspNetCore.Components.Server.Circuits.ICircuitPersistenceProvider": "Debug",
    "Microsoft.AspNetCore.DataProtection": "Error",
}
"""Only these say which connection a circuit has; at their usual levels they would be silent."""

IDENTITY = "application/x-labdeck"
"""The balancer writes who asks into a header that .NET logs and a GET has no use for: Content-Type."""

_IDENTITY = re.compile(rf"{IDENTITY}; visitor=([A-Za-z0-9_-]{{0,64}}); request=([0-9a-f-]{{8,64}})")
_STARTING = "Request starting "


def settings() -> dict[str, str]:
    """The variables that have .NET log so (its documentation, "Console log formatting")."""
    formatter = "Logging__Console__FormatterOptions__"
    return {
        "Logging__Console__FormatterName": "json",
        f"{formatter}IncludeScopes": "true",
        f"{formatter}UseUtcTimestamp": "true",
        f"{formatter}TimestampFormat": "yyyy-MM-ddTHH:mm:ss.fffZ",
        **{f"Logging__LogLevel__{category}": level for category, level in LEVELS.items()},
    }


@dataclass(frozen=True)
class Entry:
    """One line of .NET's own."""

    at: str
    level: str
    category: str
    """Its last word, such as `ComponentHub`."""
    said: str
    """The message before its values were put in, by which one kind of message is known."""
    message: str
    values: Mapping[str, Any]
    request: str | None
    """.NET's name for the HTTP request that it belongs to; a WebSocket is one request."""
    exception: str


@dataclass(frozen=True)
class Asked:
    """Who opened a transport, as far as it shows."""

    connection: str | None = None
    visitor: str | None = None
    transport: str | None = None


def read_entry(found: Mapping[str, Any]) -> Entry:
    """Raises KeyError or TypeError for JSON that is not .NET's."""
    values = found.get("State") or {}
    request = next((scope["RequestId"] for scope in found.get("Scopes") or () if "RequestId" in scope), None)
    return Entry(
        at=str(found["Timestamp"]),
        level=str(found["LogLevel"]),
        category=str(found["Category"]).rpartition(".")[2],
        said=str(values.get("{OriginalFormat}", "")),
        message=str(found["Message"]),
        values=values,
        request=request,
        exception=str(found.get("Exception") or ""),
    )


def read_object(text: str) -> dict[str, Any] | None:
    """The JSON object in a line; None for anything else."""
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def opens_transport(entry: Entry) -> Asked | None:
    """Who begins to be connected by this request; None for a request that opens nothing.

    A long poll carries the time in its address, so that no cache answers it; server-sent events cannot
    carry what Blazor sends. Without an id the connection gets the balancer's name for the request.
    """
    values = entry.values
    if entry.category != "Diagnostics" or not entry.said.startswith(_STARTING):
        return None
    if values.get("Method") != "GET" or values.get("Path") != "/_blazor":
        return None
    query = parse_qs(str(values.get("QueryString") or "").removeprefix("?"))
    known = _IDENTITY.fullmatch(str(values.get("ContentType") or ""))
    name = known[1] if known and known[1] not in ("", "-") else None
    request = known[2] if known else None
    transport = "LongPolling" if "_" in query else "WebSockets"
    return Asked(query.get("id", [request])[0], name, transport)
