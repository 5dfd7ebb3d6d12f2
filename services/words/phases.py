"""What a phase is called in a sentence."""

from __future__ import annotations

from services.words.said import say

_NAMES = {
    "stopped": say("stopped"),
    "starting": say("starting"),
    "running": say("running"),
    "stopping": say("stopping"),
    "failed": say("failed"),
    "frozen": say("frozen"),
}


def phase_name(phase: str | None) -> str:
    """The phase itself where it has no other name."""
    return _NAMES.get(str(phase), str(phase))
