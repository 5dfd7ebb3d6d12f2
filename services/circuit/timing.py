"""How long and how much a replica bears; the defaults are those of the real server, but for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from services.wire.environment import BadEnvironment

NOTE_LIMIT = 500
"""Characters in a note."""
OUTBOX_LIMIT = 256 * 1024
"""Bytes that wait for one client; one that reads more slowly than that is cut."""
CONNECTION_LIMIT = 12_000
"""Connections of one replica, negotiated ones included."""
_RETAINED = "LAB_RETAINED_CIRCUITS"


@dataclass(frozen=True)
class Timing:
    """Seconds, but for `retained`. Each can be set, as by `LAB_RETENTION_SECONDS=20`."""

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

    retained: int = CONNECTION_LIMIT
    """Circuits without a connection that are kept. Blazor keeps 100 (DisconnectedCircuitMaxRetained): when
    more are cut off at once, affinity brings all of them back and finds the memory of a hundred. Here it is
    as many as can be connected; `LAB_RETAINED_CIRCUITS=100` shows what Blazor does."""

    @property
    def tick(self) -> float:
        """How often the limits above are looked at."""
        return min(1.0, *(getattr(self, name) / 4 for name in _SECONDS))


_SECONDS = tuple(field.name for field in fields(Timing) if field.name != "retained")


def read_timing(environment: Mapping[str, str]) -> Timing:
    """Defaults where a variable is not set; raises BadEnvironment with its name."""
    given: dict[str, Any] = {}
    for name in _SECONDS:
        variable = f"LAB_{name.upper()}_SECONDS"
        if text := environment.get(variable):
            given[name] = _seconds(variable, text)
    if text := environment.get(_RETAINED):
        given["retained"] = _circuits(text)
    return Timing(**given)


def _circuits(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > CONNECTION_LIMIT:
        raise BadEnvironment(f"{_RETAINED} must be a number from 0 to {CONNECTION_LIMIT}, not {text!r}")
    return int(text)


def _seconds(variable: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0.05 <= seconds <= 86_400:
        raise BadEnvironment(f"{variable} must be seconds from 0.05 to 86400, not {text!r}")
    return seconds
