"""One numbered line of a workspace's log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, in words for people (`text`), in facts (`data`) and as a change of state (`patch`)."""

    seq: int
    """Contiguous in its workspace, from 1."""
    at: str
    """UTC, ISO 8601 with milliseconds."""
    source: str
    """Who it is about: `replica-2`, `balancer`, `visitors`, `hello-go`, `dashboard`."""
    kind: str
    """One of `services.events.kinds.KINDS`."""
    level: Level
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    patch: Mapping[str, Any] = field(default_factory=dict)
    """JSON merge patch (RFC 7396) to the workspace's state; empty when nothing changed."""

    def as_dict(self) -> dict[str, Any]:
        """The event as JSON has it; `patch` is left out when it is empty."""
        line = {
            "seq": self.seq,
            "at": self.at,
            "source": self.source,
            "kind": self.kind,
            "level": self.level,
            "text": self.text,
            "data": dict(self.data),
        }
        if self.patch:
            line["patch"] = dict(self.patch)
        return line


def now() -> str:
    """This moment in UTC, with milliseconds: `2026-11-22T19:20:01.123Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
