"""What happened to one visitor, as the steps of a sequence diagram with a verdict in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import reduce
from typing import Any, Literal

from services.affinity_lab import verdicts
from services.affinity_lab.attempts import Attempt, attempts
from services.affinity_lab.steps import Step, steps_of
from services.affinity_lab.verdicts import Verdict
from services.errors import NotFound
from services.events.event import Event
from services.events.log import EventLog
from services.words import joined, say, say_n, together

Outcome = Literal["connected", "memory_lost", "failed", "under_way", "left"]
_LOOKED_BACK, _LOOKED_ON = 300, 100
_NEWEST = 2**53
_MARKS = {"cures": "+", "partly": "~", "no": "-"}
_WAYS = {
    "WebSockets": say("by WebSocket"),
    "ServerSentEvents": say("by server-sent events"),
    "LongPolling": say("by long polling"),
}
_SMALL = (
    say("no"), say("one"), say("two"), say("three"), say("four"),
    say("five"), say("six"), say("seven"), say("eight"), say("nine"),
)  # fmt: skip
_LARGE = (
    say("No"), say("One"), say("Two"), say("Three"), say("Four"),
    say("Five"), say("Six"), say("Seven"), say("Eight"), say("Nine"),
)  # fmt: skip


def story(log: EventLog, visitor: str, before: int | None = None) -> dict[str, Any]:
    """The visitor's last attempt, or with `before` the last that began before that seq, to its outcome.

    Raises NotFound for a visitor of whom no line is stored.
    """
    lines = log.about(visitor, before=before or _NEWEST, limit=_LOOKED_BACK)
    if not lines:
        raise NotFound(
            say("Nothing is known of %(visitor)s.", visitor=repr(visitor)),
            hint=say("Take a name from people in the snapshot, or from data.visitor of an event."),
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
    heading = _heading(visitor, outcome, verdict, attempt)
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
        return "failed", Verdict(None, say("The client gave up."), str(said[0])[:300])
    if attempt.has("visitor.left"):
        return "left", Verdict(None, say("It went away."), say("It left before anything came of it."))
    more = _refused_until_now(len(failed)) if failed else ""
    return "under_way", Verdict(
        None, say("No outcome yet."), together(say("Nothing came of what it asked for yet."), more)
    )


def _connected(attempt: Attempt, steps: Sequence[Step], failed: Sequence[Step]) -> tuple[Outcome, Verdict]:
    last = steps[-1]
    rejected = next((step for step in reversed(failed) if step.line.kind in _UNREMEMBERED), None)
    if rejected:
        found = _of(rejected)
        reason = together(
            found.reason, say("It loaded the page again and began anew on %(asked)s.", asked=last.asked)
        )
        return "memory_lost", Verdict(found.failure, found.title, reason, found.helped)
    lost = any(
        line.data.get("memory") == "lost" for line in attempt.lines if line.kind == "visitor.connected"
    )
    memory = _MEMORY["lost" if lost else last.line.kind]
    refused = _refused_first(len(failed)) if failed else ""
    reason = together(refused, _why_connected(steps), memory, _since(attempt))
    return "memory_lost" if lost else "connected", Verdict(None, say("Right number."), reason)


_UNREMEMBERED = ("circuit.rejected", "circuit.move_refused")
_MEMORY = {
    "circuit.started": say("Its memory is new."),
    "circuit.resumed": say("Its memory was kept."),
    "circuit.moved": say("It brought its memory along."),
    "circuit.restored": say("Its memory was kept: it had been put aside when its time was over."),
    "lost": say("Its old memory is lost: it began anew."),
}


def _why_connected(steps: Sequence[Step]) -> str:
    connect = next(step for step in reversed(steps) if step.kind != "call" or step is steps[0])
    cookie = connect.cookie
    if cookie and cookie.get("replica") == connect.asked and not (cookie["expired"] or cookie["ignored"]):
        return say("The cookie named %(asked)s, so that replica was asked each time.", asked=connect.asked)
    if connect.kind == "connect" and not connect.has_id:
        return say(
            "%(asked)s took a WebSocket without an id: nothing could be unknown to it.", asked=connect.asked
        )
    return say(
        "No cookie pinned it. It came to %(asked)s by luck, or because its address leads there.",
        asked=connect.asked,
    )


def _since(attempt: Attempt) -> str:
    closed = [line for line in attempt.legs[-1].lines if line.kind == "connection.closed"]
    lost = closed and closed[-1].data.get("reason") != "client"
    return say("Since then its connection was lost.") if lost else ""


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
    names = reduce(lambda some, one: say("%(some)s and %(one)s", some=some, one=one), ways)
    same = say_n(
        "Then the same %(ways)s, with a new id.",
        "Then the same %(ways)s, each with a new id.",
        len(ways),
        ways=names,
    )
    count = say("%(some)s of %(all)s refused.", some=_number(len(refused), _LARGE), all=_number(len(by)))
    return together(same, count)


def _heading(visitor: str, outcome: Outcome, verdict: Verdict, attempt: Attempt) -> str:
    name = _spoken(visitor)
    if outcome == "failed":
        return say("Why did %(visitor)s fail?", visitor=name)
    if outcome == "memory_lost":
        if verdict.failure:
            return say("Why did %(visitor)s lose its memory?", visitor=name)
        return say("How %(visitor)s began anew", visitor=name)
    if outcome == "connected":
        if attempt.has("circuit.moved"):
            return say("How %(visitor)s moved", visitor=name)
        back = attempt.has("circuit.resumed", "circuit.restored")
        if back:
            return say("How %(visitor)s came back", visitor=name)
        return say("How %(visitor)s connected", visitor=name)
    large = _spoken(visitor, large=True)
    if outcome == "left":
        return say("%(visitor)s has left", visitor=large)
    return say("%(visitor)s is on its way", visitor=large)


def _text(heading: str, steps: Sequence[Step], verdict: Verdict, again: str | None) -> str:
    """The whole story for a mail or an issue; times in UTC."""
    lines = [heading, ""]
    if steps:
        lines[1:1] = [say("%(day)s, times in UTC", day=steps[0].at[:10])]
    lines += [
        together(f"{number:>2}. {step.at[11:23]} ", step.sentence) for number, step in enumerate(steps, 1)
    ]
    again = again if verdict.failure == "connection_unknown" else None
    lines += ["", together(verdict.title, verdict.reason, again or "")]
    if verdict.helped:
        lines += ["", say("What would have helped (+ cures, ~ partly, - no):")]
        lines += [
            together(_MARKS[each.outcome], together(each.what, each.why, by=": ")) for each in verdict.helped
        ]
    return joined([*lines, ""], "\n")


def _spoken(visitor: str, *, large: bool = False) -> str:
    """`visitor 7`; `large` at the beginning of a sentence."""
    kind, _, name = visitor.partition("-")
    if kind == "visitor":
        return say("Visitor %(name)s", name=name) if large else say("visitor %(name)s", name=name)
    if kind == "browser":
        return say("Browser %(name)s", name=name) if large else say("browser %(name)s", name=name)
    return visitor.capitalize() if large else visitor


def _refused_first(count: int) -> str:
    return say_n(
        "One try was refused first.", "%(n)s tries were refused first.", count, n=_number(count, _LARGE)
    )


def _refused_until_now(count: int) -> str:
    return say_n(
        "One try was refused until now.",
        "%(n)s tries were refused until now.",
        count,
        n=_number(count, _LARGE),
    )


def _number(count: int, words: Sequence[str] = _SMALL) -> str:
    return words[count] if count < len(words) else str(count)
