"""What happened to one visitor, as the steps of a sequence diagram with a verdict in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

from services.affinity_lab import verdicts
from services.affinity_lab.attempts import Attempt, attempts
from services.affinity_lab.steps import Step, steps_of
from services.affinity_lab.verdicts import Verdict
from services.errors import NotFound
from services.events.event import Event
from services.events.log import EventLog

Outcome = Literal["connected", "memory_lost", "failed", "under_way", "left"]
_LOOKED_BACK, _LOOKED_ON = 300, 100
_NEWEST = 2**53
_MARKS = {"cures": "+", "partly": "~", "no": "-"}
_WAYS = {
    "WebSockets": "by WebSocket",
    "ServerSentEvents": "by server-sent events",
    "LongPolling": "by long polling",
}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def story(log: EventLog, visitor: str, before: int | None = None) -> dict[str, Any]:
    """The visitor's last attempt, or with `before` the last that began before that seq, to its outcome.

    Raises NotFound for a visitor of whom no line is stored.
    """
    lines = log.about(visitor, before=before or _NEWEST, limit=_LOOKED_BACK)
    if not lines:
        raise NotFound(
            f"Nothing is known of {visitor!r}.",
            hint="Take a name from people in the snapshot, or from data.visitor of an event.",
        )
    if before:
        lines += log.about(visitor, after=before - 1, limit=_LOOKED_ON)
    return tell(visitor, lines, before or _NEWEST)


def tell(visitor: str, lines: Sequence[Event], before: int = _NEWEST) -> dict[str, Any]:
    """The story out of these lines of the visitor; pure."""
    begun = [attempt for attempt in attempts(lines) if attempt.first_seq < before] or [Attempt()]
    # one that is only announced, such as a reconnect in ten seconds, has nothing to tell yet
    attempt = next((each for each in reversed(begun) if steps_of(each)), begun[-1])
    steps = steps_of(attempt)
    outcome, verdict = _judge(attempt, steps)
    heading = _heading(_spoken(visitor), outcome, verdict, attempt)
    shown = asdict(verdict)
    return {
        "visitor": visitor,
        "heading": heading,
        "steps": [step.as_dict() for step in steps],
        "outcome": outcome,
        "verdict": shown | {"again": _again(steps) if verdict.failure == "connection_unknown" else None},
        "text": _text(heading, steps, verdict, _again(steps)),
    }


def _judge(attempt: Attempt, steps: Sequence[Step]) -> tuple[Outcome, Verdict]:
    steps = [step for step in steps if step.kind != "late"]
    failed = [step for step in steps if step.failed]
    gave_up = [line for line in attempt.lines if line.kind == "visitor.failed"]
    if steps and steps[-1].kind == "call" and not steps[-1].failed:
        return _connected(attempt, steps, failed)
    if failed and (steps[-1].failed or gave_up):
        refused = next((step for step in failed if step.line.kind == "connection.refused"), failed[-1])
        return "failed", _of(refused if failed[-1].line.kind == refused.line.kind else failed[-1])
    if gave_up:
        said = gave_up[-1].data.get("errors") or [gave_up[-1].text]
        return "failed", Verdict(None, "The client gave up.", str(said[0])[:300])
    if attempt.has("visitor.left"):
        return "left", Verdict(None, "It went away.", "It left before anything came of it.")
    more = f" {_tries(len(failed)).capitalize()} refused until now." if failed else ""
    return "under_way", Verdict(None, "No outcome yet.", f"Nothing came of what it asked for yet.{more}")


def _connected(attempt: Attempt, steps: Sequence[Step], failed: Sequence[Step]) -> tuple[Outcome, Verdict]:
    last = steps[-1]
    rejected = next((step for step in reversed(failed) if step.line.kind in _UNREMEMBERED), None)
    if rejected:
        found = _of(rejected)
        reason = f"{found.reason} It loaded the page again and began anew on {last.asked}."
        return "memory_lost", Verdict(found.failure, found.title, reason, found.helped)
    lost = any(
        line.data.get("memory") == "lost" for line in attempt.lines if line.kind == "visitor.connected"
    )
    memory = _MEMORY["lost" if lost else last.line.kind]
    refused = f"{_tries(len(failed)).capitalize()} refused first. " if failed else ""
    reason = f"{refused}{_why_connected(steps)} {memory}{_since(attempt)}"
    return "memory_lost" if lost else "connected", Verdict(None, "Right number.", reason)


_UNREMEMBERED = ("circuit.rejected", "circuit.move_refused")
_MEMORY = {
    "circuit.started": "Its memory is new.",
    "circuit.resumed": "Its memory was kept.",
    "circuit.moved": "It brought its memory along.",
    "circuit.restored": "Its memory was kept: it had been put aside when its time was over.",
    "lost": "Its old memory is lost: it began anew.",
}


def _why_connected(steps: Sequence[Step]) -> str:
    connect = next(step for step in reversed(steps) if step.kind != "call" or step is steps[0])
    cookie = connect.cookie
    if cookie and cookie.get("replica") == connect.asked and not (cookie["expired"] or cookie["ignored"]):
        return f"The cookie named {connect.asked}, so that replica was asked each time."
    if connect.kind == "connect" and not connect.has_id:
        return f"{connect.asked} took a WebSocket without an id: nothing could be unknown to it."
    return f"No cookie pinned it. It came to {connect.asked} by luck, or because its address leads there."


def _since(attempt: Attempt) -> str:
    closed = [line for line in attempt.legs[-1].lines if line.kind == "connection.closed"]
    return (
        " Since then its connection was lost." if closed and closed[-1].data.get("reason") != "client" else ""
    )


def _of(step: Step) -> Verdict:
    data = step.line.data
    if step.line.kind == "circuit.rejected":
        return verdicts.circuit_unknown(step.asked, step.holder, data.get("fate", "unknown"))
    if step.line.kind == "circuit.move_refused":
        return verdicts.memory_unreadable(step.asked, step.holder)
    if step.line.kind == "page.rejected":
        return verdicts.page_from_elsewhere(step.asked, step.holder)
    if step.line.kind == "request.failed":
        return verdicts.no_replica(step.status, step.asked)
    return verdicts.connection_unknown(step.asked, step.holder)


def _again(steps: Sequence[Step]) -> str | None:
    """`Then the same by long polling, with a new id. Two of two refused.`"""
    by: dict[str, str] = {}
    for step in steps:
        if step.kind in ("connect", "send"):
            by.setdefault(step.line.data.get("connection", ""), _WAYS.get(step.transport or "", ""))
    refused = {
        step.line.data.get("connection", "") for step in steps if step.line.kind == "connection.refused"
    }
    ways = [way for connection, way in by.items() if connection in refused and way][1:]
    if not ways:
        return None
    each = ", each with a new id" if len(ways) > 1 else ", with a new id"
    count = f"{_number(len(refused)).capitalize()} of {_number(len(by))} refused."
    return f"Then the same {' and '.join(ways)}{each}. {count}"


def _heading(name: str, outcome: Outcome, verdict: Verdict, attempt: Attempt) -> str:
    if outcome == "failed":
        return f"Why did {name} fail?"
    if outcome == "memory_lost":
        return f"Why did {name} lose its memory?" if verdict.failure else f"How {name} began anew"
    if outcome == "connected":
        if attempt.has("circuit.moved"):
            return f"How {name} moved"
        back = attempt.has("circuit.resumed", "circuit.restored")
        return f"How {name} came back" if back else f"How {name} connected"
    return f"{name.capitalize()} {'has left' if outcome == 'left' else 'is on its way'}"


def _text(heading: str, steps: Sequence[Step], verdict: Verdict, again: str | None) -> str:
    """The whole story for a mail or an issue; times in UTC."""
    lines = [heading, ""]
    if steps:
        lines[1:1] = [f"{steps[0].at[:10]}, times in UTC"]
    lines += [f"{number:>2}. {step.at[11:23]}  {step.sentence}" for number, step in enumerate(steps, 1)]
    again = again if verdict.failure == "connection_unknown" else None
    lines += ["", " ".join(filter(None, (verdict.title, verdict.reason, again)))]
    if verdict.helped:
        lines += ["", "What would have helped (+ cures, ~ partly, - no):"]
        lines += [f"{_MARKS[each.outcome]} {each.what}: {each.why}" for each in verdict.helped]
    return "\n".join(lines) + "\n"


def _spoken(visitor: str) -> str:
    return re.sub(r"^(visitor|browser)-", r"\1 ", visitor)


def _tries(count: int) -> str:
    return f"{_number(count)} {'try was' if count == 1 else 'tries were'}"


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)
