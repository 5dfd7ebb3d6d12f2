"""What a line says at a glance: it went well, was refused, warns, or is a plain fact."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, get_args

from services.events.event import Level
from services.events.kinds import KINDS

Outcome = Literal["refused", "elsewhere", "warn", "ok", "info"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

_REFUSED = frozenset({"connection.refused", "request.failed", "visitor.failed"})
_OK = frozenset(
    {
        "connection.negotiated",
        "connection.routed",
        "circuit.started",
        "circuit.resumed",
        "circuit.moved",
        "circuit.restored",
        "visitor.connected",
        "hello_go.built",
        "hello_go.started",
        "hello_go.called",
        "affinity_lab.launched",
        "replica.started",
        "balancer.started",
        "visitors.started",
        "engine.recovered",
    }
)


def outcome(kind: str, level: Level) -> Outcome:
    """The shape that the page draws beside the line (`static/js/kinds.js` says the same)."""
    if kind == "page.rejected":
        return "elsewhere"
    if level == "error" or kind in _REFUSED:
        return "refused"
    if level == "warning":
        return "warn"
    return "ok" if kind in _OK else "info"


def kinds_with(wanted: Collection[str]) -> dict[Level, list[str]]:
    """By level, the kinds of lines that have one of these outcomes."""
    return {level: [kind for kind in KINDS if outcome(kind, level) in wanted] for level in get_args(Level)}
