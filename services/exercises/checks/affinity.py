"""Checks about the affinity lab."""

from __future__ import annotations

from collections import Counter
from functools import reduce
from typing import Any

from services.exercises.checks.registry import Event, Evidence, Result, check, counted
from services.words import say, together
from services.words.phases import phase_name

_CHANGES = ("affinity.changed", "affinity_lab.", "balancer.", "replica.", "endpoints.changed")


@check(wakes=_CHANGES)
def lab_runs(evidence: Evidence, replicas: int) -> Result:
    """The lab is up with so many replicas running."""
    expected = say("The affinity lab runs with %(replicas)s.", replicas=counted(replicas, "replica"))
    running = [one for one in evidence.state["replicas"] if one["phase"] == "running"]
    phase = evidence.state["affinity_lab"]["phase"]
    balancer = evidence.state["balancer"]["phase"]
    if phase != "running" or balancer != "running":
        return Result(
            False,
            expected,
            say(
                "The lab is %(phase)s, the balancer %(balancer)s.",
                phase=phase_name(phase),
                balancer=phase_name(balancer),
            ),
        )
    return Result(
        len(running) == replicas,
        expected,
        say("%(replicas)s running.", replicas=counted(len(running), "replica")),
    )


@check(wakes=_CHANGES)
def affinity_is(evidence: Evidence, mode: str) -> Result:
    """The balancer obeys this affinity."""
    actual = evidence.state["balancer"]["affinity"]["mode"]
    return Result(
        actual == mode,
        say("Affinity: %(words)s.", words=_words(mode)),
        say("Affinity: %(words)s.", words=_words(actual)),
    )


@check(wakes=("affinity.changed", "affinity_lab."))
def cookie_lives(evidence: Evidence, at_most: int) -> Result:
    """Affinity is a cookie that expires after at most so many seconds."""
    expected = say("Affinity by a cookie that lives %(at_most)s s or less.", at_most=at_most)
    affinity = evidence.state["balancer"]["affinity"]
    if affinity["mode"] != "cookie":
        return Result(False, expected, say("Affinity: %(words)s.", words=_words(affinity["mode"])))
    seconds = affinity["cookie"]["ttl_seconds"]
    return Result(0 < seconds <= at_most, expected, say("The cookie lives %(seconds)s s.", seconds=seconds))


@check(wakes=("crowd.changed", "visitor.", "circuit."))
def visitors(evidence: Evidence, connected: int) -> Result:
    """At least so many virtual visitors are connected at this moment."""
    count, here = evidence.state["visitors"]["count"], evidence.state["visitors"]["connected"]
    expected = say("At least %(visitors)s connected.", visitors=counted(connected, "visitor"))
    return Result(
        here >= connected,
        expected,
        say("%(here)s of %(visitors)s connected.", here=here, visitors=counted(count, "visitor")),
    )


@check(wakes=("crowd.changed",))
def crowd(evidence: Evidence, transport: str = "", skip_negotiation: bool = False) -> Result:
    """The visitors use this transport, with or without negotiate."""
    actual = evidence.state["visitors"]
    expected = say("Visitors by %(way)s.", way=_way(transport or actual["transport"], skip_negotiation))
    same = actual["skip_negotiation"] == skip_negotiation and transport in ("", actual["transport"])
    return Result(
        same, expected, say("Visitors by %(way)s.", way=_way(actual["transport"], actual["skip_negotiation"]))
    )


@check("connection.refused")
def refused(evidence: Evidence, at_least: int = 1) -> Result:
    """So many requests reached a replica that did not know the connection, which another one holds."""
    expected = say(
        "At least %(at_least)s × 404: a replica was asked that did not open the connection.",
        at_least=at_least,
    )
    events = [
        event
        for event in evidence.of("connection.refused")
        if event["data"].get("holder") not in (None, event["data"].get("replica"))
    ]
    last = _last(events)
    return Result(
        len(events) >= at_least,
        expected,
        together(say("%(number)s × 404 since this step began.", number=len(events)), last),
    )


@check("connection.refused", asks=True)
def holder_named(evidence: Evidence) -> Result:
    """The student names a 404's visitor and the replica that holds its connection."""
    expected = say("A visitor that got 404, and the replica that holds its connection: visitor-3 replica-2.")
    refusals = [e for e in evidence.of("connection.refused") if e["data"].get("holder")]
    newest = refusals[-1]["data"] if refusals else {}
    answer = f"{newest['visitor']} {newest['holder']}" if newest.get("visitor") else ""
    words = evidence.answer.lower().replace(",", " ").split()
    visitor = next((word for word in words if word.startswith("visitor-")), None)
    holder = next((word for word in words if word.startswith("replica-")), None)
    if not visitor or not holder:
        return Result(False, expected, say("Write both names."), answer)
    its = [event for event in refusals if event["data"].get("visitor") == visitor]
    if not its:
        return Result(
            False, expected, say("%(visitor)s got no 404 since this step began.", visitor=visitor), answer
        )
    right = any(event["data"]["holder"] == holder for event in its)
    asked = its[-1]["data"].get("replica")
    said = (
        say("%(holder)s holds it; %(asked)s was asked.", holder=holder, asked=asked)
        if right
        else say("%(holder)s is not the one that holds it.", holder=holder)
    )
    return Result(right, expected, together(visitor, said, by=": "), answer)


@check("page.rejected")
def pages_rejected(evidence: Evidence, at_least: int = 1) -> Result:
    """So many visitors were connected, but to a replica that could not read the page of another one."""
    expected = say(
        "At least %(pages)s that a replica could not read, signed by another.",
        pages=counted(at_least, "page"),
    )
    events = evidence.of("page.rejected")
    last = _last(events)
    return Result(
        len(events) >= at_least,
        expected,
        together(say("%(pages)s not read.", pages=counted(len(events), "page")), last),
    )


@check(wakes=("page_keys.changed",))
def page_keys(evidence: Evidence, shared: bool) -> Result:
    """The replicas sign pages with one key, or each with its own."""
    words = {True: say("one key for all replicas"), False: say("a key for each replica")}
    actual = evidence.state["page_keys"]["shared"]
    return Result(
        actual == shared,
        say("Pages: %(value)s.", value=words[shared]),
        say("Pages: %(value)s.", value=words[actual]),
    )


@check("fault.drop_asked")
def dropped(evidence: Evidence) -> Result:
    """Connections were cut since the step began."""
    drops = evidence.of("fault.drop_asked")
    expected = say("Connections cut in this step.")
    return Result(bool(drops), expected, drops[-1]["text"] if drops else say("Nothing was cut in this step."))


@check("circuit.rejected")
def circuits_rejected(evidence: Evidence, at_least: int = 1, fate: str = "") -> Result:
    """So many visitors were connected to a replica that has no memory of them."""
    visitors = counted(at_least, "visitor")
    expected = say("At least %(visitors)s connected, but not remembered.", visitors=visitors)
    if fate in _FATES:
        expected = say(
            "At least %(visitors)s connected, but not remembered: their memory %(fate)s.",
            visitors=visitors,
            fate=_FATES[fate],
        )
    events = [e for e in evidence.of("circuit.rejected") if fate in ("", e["data"].get("fate"))]
    last = _last(events)
    return Result(
        len(events) >= at_least,
        expected,
        together(say("%(visitors)s not remembered.", visitors=counted(len(events), "visitor")), last),
    )


@check("fault.drop_asked", "visitor.connected", "connection.refused")
def kept_after_drop(evidence: Evidence, at_least: int) -> Result:
    """After the last cut so many visitors came back to their memory, and nobody got 404."""
    expected = say(
        "After a cut, at least %(visitors)s back with their memory, and no 404.",
        visitors=counted(at_least, "visitor"),
    )
    after = _since_last(evidence, "fault.drop_asked")
    if after is None:
        return Result(False, expected, say("Nothing was cut in this step."))
    kept = _visitors(after, "visitor.connected", memory="kept")
    refusals = [event for event in after if event["kind"] == "connection.refused"]
    seen = say(
        "%(visitors)s back with memory, %(number)s × 404 since the cut.",
        visitors=counted(len(kept), "visitor"),
        number=len(refusals),
    )
    return Result(len(kept) >= at_least and not refusals, expected, seen)


@check("fault.drop_asked", "replica.killed", "replica.stopped", "visitor.connected", "job.started")
def memory_lost(evidence: Evidence, at_least: int = 1, after: str = "fault.drop_asked") -> Result:
    """After the last event of that kind so many visitors came back without their memory."""
    what = _AFTER.get(after, after)
    expected = say(
        "After %(what)s, at least %(visitors)s back without memory.",
        what=what,
        visitors=counted(at_least, "visitor"),
    )
    later = _since_last(evidence, after, began="job.started")
    if later is None:
        return Result(False, expected, say("There was not %(what)s in this step.", what=what))
    lost = _visitors(later, "visitor.connected", memory="lost")
    kept = _visitors(later, "visitor.connected", memory="kept")
    seen = say(
        "Since then %(number)s back without memory, %(number2)s with it.", number=len(lost), number2=len(kept)
    )
    return Result(len(lost) >= at_least, expected, seen)


@check("replica.killed")
def killed(evidence: Evidence, replica: str = "") -> Result:
    """A replica was killed since the step began."""
    expected = say("%(replica)s killed in this step.", replica=replica or say("A replica"))
    events = [event for event in evidence.of("replica.killed") if replica in ("", event["source"])]
    return Result(
        bool(events), expected, events[-1]["text"] if events else say("Nobody killed it in this step.")
    )


@check("replica.drained")
def drained(evidence: Evidence, replica: str, at_least: int = 1) -> Result:
    """The replica was drained since the step began, and so many memories went along to others."""
    expected = say(
        "%(replica)s drained in this step, and at least %(at_least)s of its memories taken elsewhere.",
        replica=replica,
        at_least=at_least,
    )
    events = [event for event in evidence.of("replica.drained") if event["source"] == replica]
    if not events:
        return Result(False, expected, say("%(replica)s was not drained in this step.", replica=replica))
    moved = int(events[-1]["data"].get("moved", 0))
    return Result(moved >= at_least, expected, events[-1]["text"])


@check(wakes=("visitor.", "crowd.changed", "affinity.changed"))
def all_on_one(evidence: Evidence, visitors: int) -> Result:
    """Everybody, at least so many, is connected to one and the same replica."""
    expected = say(
        "At least %(visitors)s connected, all on one replica.", visitors=counted(visitors, "visitor")
    )
    held = _held(evidence)
    seen = say("%(held)s.", held=_who_has(held)) if held else say("Nobody is connected.")
    return Result(len(held) == 1 and sum(held.values()) >= visitors, expected, seen)


@check(wakes=("visitor.", "crowd.changed", "affinity.changed"))
def connected_without_affinity(evidence: Evidence, visitors: int) -> Result:
    """Everybody is connected, to several replicas, with affinity off and no 404 since the crowd changed."""
    expected = say(
        "Affinity off, at least %(visitors)s connected, on several replicas.",
        visitors=counted(visitors, "visitor"),
    )
    mode = evidence.state["balancer"]["affinity"]["mode"]
    held = _held(evidence)
    spread = _who_has(held) if held else say("nobody is connected")
    passed = mode == "none" and sum(held.values()) >= visitors and len(held) > 1
    return Result(
        passed, expected, say("Affinity: %(words)s; %(spread)s.", words=_words(mode), spread=spread)
    )


@check("circuit.started")
def browser_stays(evidence: Evidence, loads: int = 2) -> Result:
    """A real browser loaded the app so many times and reached the same replica each time."""
    expected = say(
        "Your own browser loads the app %(loads)s times, and reaches the same replica each time.", loads=loads
    )
    reached: dict[str, list[str]] = {}
    for event in evidence.of("circuit.started"):
        visitor = event["data"].get("visitor")
        if visitor and not visitor.startswith("visitor-"):
            reached.setdefault(visitor, []).append(event["source"])
    if not reached:
        return Result(False, expected, say("No browser has loaded the app since this step began."))
    replicas = max(reached.values(), key=len)
    same = len(set(replicas[-loads:])) == 1
    return Result(
        len(replicas) >= loads and same,
        expected,
        say("It reached %(names)s.", names=reduce(_then, replicas[-4:])),
    )


_FATES = {
    "held": say("is on another replica"),
    "killed": say("was killed with its replica"),
    "died": say("died with its replica"),
    "stopped": say("ended with its replica"),
    "expired": say("was given up"),
}
_AFTER = {
    "fault.drop_asked": say("a cut"),
    "replica.killed": say("a kill"),
    "replica.stopped": say("a stop"),
}


def _last(events: list[Event]) -> str:
    """The newest of them, as it was recorded."""
    return say("The last: %(text)s", text=events[-1]["text"]) if events else ""


def _who_has(held: Counter[str]) -> str:
    """`replica-1 has 4, replica-2 has 5`."""
    each = [say("%(replica)s has %(number)s", replica=name, number=n) for name, n in sorted(held.items())]
    return together(*each, by=", ")


def _then(before: str, after: str) -> str:
    return say("%(before)s, then %(after)s", before=before, after=after)


def _words(mode: str) -> str:
    return {"none": say("none"), "cookie": say("cookie"), "source_ip": say("source IP")}.get(mode, mode)


def _way(transport: str, skip: bool) -> str:
    if skip:
        return say("%(transport)s, without negotiate", transport=transport)
    return say("%(transport)s, with negotiate", transport=transport)


def _since_last(evidence: Evidence, kind: str, began: str = "") -> list[Event] | None:
    """The events after the last one of that kind; None when there was none.

    A replica is told to be killed only when the engine has done it, and by then its visitors may be back
    already: with `began`, what counts is from there on where the lab's own work began.
    """
    last = next((event["seq"] for event in reversed(evidence.events) if event["kind"] == kind), None)
    if last is None:
        return None
    if kind.startswith("replica."):
        works = (
            event for event in reversed(evidence.events) if event["kind"] == began and event["seq"] < last
        )
        last = next((one["seq"] for one in works if one["data"]["name"].startswith("affinity_lab.")), last)
    return [event for event in evidence.events if event["seq"] > last]


def _visitors(events: list[Event], kind: str, **data: Any) -> set[str]:
    """Whose last event of that kind has these data."""
    last = {event["data"].get("visitor"): event for event in events if event["kind"] == kind}
    return {
        str(name)
        for name, event in last.items()
        if all(event["data"].get(key) == value for key, value in data.items())
    }


def _held(evidence: Evidence) -> Counter[str]:
    """Connected people by the replica that has their memory."""
    people = evidence.state.get("people", {}).values()
    return Counter(
        str(person["replica"])
        for person in people
        if person.get("status") == "connected" and person.get("replica")
    )
