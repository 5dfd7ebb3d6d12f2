"""How long and how much a replica bears; the defaults are those of the real server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from services.wire.environment import BadEnvironment

NOTE_LIMIT = 500
"""Characters in a note."""
OUTBOX_LIMIT = 256 * 1024
"""Bytes that wait for one client; one that reads more slowly than that is cut."""
CONNECTION_LIMIT = 12_000
"""Connections of one replica, negotiated ones included."""
DISCONNECTED_LIMIT = 100
"""Circuits without a connection that are kept (Blazor's DisconnectedCircuitMaxRetained)."""


@dataclass(frozen=True)
class Timing:
    """Seconds. Each can be set by `LAB_<NAME>_SECONDS`, such as `LAB_RETENTION_SECONDS=20`."""

    keep_alive: float = 15
    """The server pings after this long without sending."""
    client_timeout: float = 30
    """A client that sent nothing for this long is gone."""
    handshake: float = 15
    """A transport without a handshake is closed."""
    disconnect: float = 15
    """A connection without a transport, or between two polls, is over."""
    poll: float = 90
    """A long poll without news ends empty."""
    retention: float = 180
    """A circuit without a connection is forgotten (Blazor's DisconnectedCircuitRetentionPeriod)."""

    @property
    def tick(self) -> float:
        """How often the limits above are looked at."""
        return min(1.0, *(getattr(self, field.name) / 4 for field in fields(self)))


def read_timing(environment: Mapping[str, str]) -> Timing:
    """Defaults where a variable is not set; raises BadEnvironment with its name."""
    given = {}
    for field in fields(Timing):
        variable = f"LAB_{field.name.upper()}_SECONDS"
        if text := environment.get(variable):
            given[field.name] = _seconds(variable, text)
    return Timing(**given)


def _seconds(variable: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0.05 <= seconds <= 86_400:
        raise BadEnvironment(f"{variable} must be seconds from 0.05 to 86400, not {text!r}")
    return seconds
