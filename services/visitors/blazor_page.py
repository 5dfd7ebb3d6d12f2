"""What Blazor's script reads from the page before it starts: components, saved state, how to connect."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from services.visitors.settings import Ways

_MARKER = re.compile(r"<!--\s*Blazor:[^{]*?(\{.*?\})\s*-->", re.DOTALL)
_STATE = re.compile(r"<!--\s*Blazor-Server-Component-State:([a-zA-Z0-9+/=]+)\s*-->")
_TRANSPORTS = re.compile(r'\bdata-transports="([^"]*)"')
_SKIP_NEGOTIATION = re.compile(r'\bdata-skip-negotiation="true"')
_NAMES = {"webSockets": "WebSockets", "longPolling": "LongPolling"}


@dataclass(frozen=True)
class BlazorPage:
    """As it was served."""

    markers: tuple[dict[str, Any], ...]
    """One a server component, signed by the replica that made the page; empty for a page without any."""
    state: str
    """What prerendering saved, signed too; empty without it."""
    transports: tuple[str, ...]
    """Those that the page allows; none named means any."""
    skip_negotiation: bool

    def ways(self, asked: Ways) -> Ways:
        """The page's word where it has one, else what was asked for."""
        transports = self.transports or asked.transports
        return Ways(asked.protocol, transports, self.skip_negotiation or asked.skip_negotiation)


def read_page(body: bytes) -> BlazorPage:
    """Raises ValueError for markers that are not JSON."""
    text = body.decode(errors="replace")
    markers = [json.loads(found[1]) for found in _MARKER.finditer(text)]
    state, transports = _STATE.search(text), _TRANSPORTS.search(text)
    named = transports[1].split(",") if transports else []
    return BlazorPage(
        tuple(marker for marker in markers if marker.get("type") == "server"),
        state[1] if state else "",
        tuple(_NAMES[name] for name in named if name in _NAMES),
        bool(_SKIP_NEGOTIATION.search(text)),
    )
