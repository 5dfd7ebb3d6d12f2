"""Checks about the affinity lab."""

from __future__ import annotations

from collections import Counter
from typing import Any

from services.exercises.checks.registry import Event, Evidence, Result, check, counted

_CHANGES = ("affinity.changed", "affinity_lab.", "balancer.", "replica.", "endpoints.changed")


@check(wakes=_CHANGES)
def lab_runs(evidence: Evidence, replicas: int) -> Result:
    """The lab is up with so many replicas running."""
    expected = f"The affinity lab runs with {counted(replicas, 'replica')}."
    running = [one for one in evidence.state["replicas"] if one["phase"] == "running"]
    phase = evidence.state["affinity_lab"]["phase"]
    balancer = evidence.state["balancer"]["phase"]
    if phase != "running" or balancer != "running":
        return Result(False, expected, f"The lab is {phase}, the balancer {balancer}.")
    return Result(len(running) == replicas, expected, f"{counted(len(running), 'replica')} running.")


@check(wakes=_CHANGES)
def affinity_is(evidence: Evidence, mode: str) -> Result:
    """The balancer obeys this affinity."""
    actual = evidence.state["balancer"]["affinity"]["mode"]
    return Result(actual == mode, f"Affinity: {_words(mode)}.", f"Affinity: {_words(actual)}.")


@check(wakes=("affinity.changed", "affinity_lab."))
def cookie_lives(evidence: Evidence, at_most: int) -> Result:
    """Affinity is a cookie that expires after at most so many seconds."""
    expected = f"Affinity by a cookie that lives {at_most} s or less."
    affinity = evidence.state["balancer"]["affinity"]
    if affinity["mode"] != "cookie":
        return Result(False, expected, f"Affinity: {_words(affinity['mode'])}.")
    seconds = affinity["cookie"]["ttl_seconds"]
    return Result(0 < seconds <= at_most, expected, f"The cookie lives {seconds} s.")


@check(wakes=("crowd.changed", "visitor.", "circuit."))
def visitors(evidence: Evidence, connected: int) -> Result:
    """At least so many virtual visitors are connected at this moment."""
    count, here = evidence.state["visitors"]["count"], evidence.state["visitors"]["connected"]
    expected = f"At least {counted(connected, 'visitor')} connected."
    return Result(here >= connected, expected, f"{here} of {counted(count, 'visitor')} connected.")


@check(wakes=("crowd.changed",))
def crowd(evidence: Evidence, transport: str = "", skip_negotiation: bool = False) -> Result:
    """The visitors use this transport, with or without negotiate."""
    actual = evidence.state["visitors"]
    expected = f"Visitors by {_way(transport or actual['transport'], skip_negotiation)}."
    same = actual["skip_negotiation"] == skip_negotiation and transport in ("", actual["transport"])
    return Result(same, expected, f"Visitors by {_way(actual['transport'], actual['skip_negotiation'])}.")


@check("connection.refused")
def refused(evidence: Evidence, at_least: int = 1) -> Result:
    """So many requests reached a replica that did not know the connection, which another one holds."""
    expected = f"At least {at_least} × 404: a replica was asked that did not open the connection."
    events = [
        event
        for event in evidence.of("connection.refused")
        if event["data"].get("holder") not in (None, event["data"].get("replica"))
    ]
    last = f" The last: {events[-1]['text']}" if events else ""
    return Result(len(events) >= at_least, expected, f"{len(events)} × 404 since this step began.{last}")


@check("connection.refused", asks=True)
def holder_named(evidence: Evidence) -> Result:
    """The student names a 404's visitor and the replica that holds its connection."""
    expected = "A visitor that got 404, and the replica that holds its connection: visitor-3 replica-2."
    refusals = [e for e in evidence.of("connection.refused") if e["data"].get("holder")]
    newest = refusals[-1]["data"] if refusals else {}
    answer = f"{newest['visitor']} {newest['holder']}" if newest.get("visitor") else ""
    words = evidence.answer.lower().replace(",", " ").split()
    visitor = next((word for word in words if word.startswith("visitor-")), None)
    holder = next((word for word in words if word.startswith("replica-")), None)
    if not visitor or not holder:
        return Result(False, expected, "Write both names.", answer)
    its = [event for event in refusals if event["data"].get("visitor") == visitor]
    if not its:
        return Result(False, expected, f"{visitor} got no 404 since this step began.", answer)
    right = any(event["data"]["holder"] == holder for event in its)
    asked = its[-1]["data"].get("replica")
    said = f"{holder} holds it; {asked} was asked." if right else f"{holder} is not the one that holds it."
    return Result(right, expected, f"{visitor}: {said}", answer)


@check("page.rejected")
def pages_rejected(evidence: Evidence, at_least: int = 1) -> Result:
    """So many visitors were connected, but to a replica that could not read the page of another one."""
    expected = f"At least {counted(at_least, 'page')} that a replica could not read, signed by another."
    events = evidence.of("page.rejected")
    last = f" The last: {events[-1]['text']}" if events else ""
    return Result(len(events) >= at_least, expected, f"{counted(len(events), 'page')} not read.{last}")


@check(wakes=("page_keys.changed",))
def page_keys(evidence: Evidence, shared: bool) -> Result:
    """The replicas sign pages with one key, or each with its own."""
    words = {True: "one key for all replicas", False: "a key for each replica"}
    actual = evidence.state["page_keys"]["shared"]
    return Result(actual == shared, f"Pages: {words[shared]}.", f"Pages: {words[actual]}.")


@check("fault.drop_asked")
def dropped(evidence: Evidence) -> Result:
    """Connections were cut since the step began."""
    drops = evidence.of("fault.drop_asked")
    expected = "Connections cut in this step."
    return Result(bool(drops), expected, drops[-1]["text"] if drops else "Nothing was cut in this step.")


@check("circuit.rejected")
def circuits_rejected(evidence: Evidence, at_least: int = 1, fate: str = "") -> Result:
    """So many visitors were connected to a replica that has no memory of them."""
    of_fate = f": their memory {_FATES[fate]}" if fate in _FATES else ""
    expected = f"At least {counted(at_least, 'visitor')} connected, but not remembered{of_fate}."
    events = [e for e in evidence.of("circuit.rejected") if fate in ("", e["data"].get("fate"))]
    last = f" The last: {events[-1]['text']}" if events else ""
    return Result(
        len(events) >= at_least, expected, f"{counted(len(events), 'visitor')} not remembered.{last}"
    )


@check("fault.drop_asked", "visitor.connected", "connection.refused")
def kept_after_drop(evidence: Evidence, at_least: int) -> Result:
    """After the last cut so many visitors came back to their memory, and nobody got 404."""
    expected = f"After a cut, at least {counted(at_least, 'visitor')} back with their memory, and no 404."
    after = _since_last(evidence, "fault.drop_asked")
    if after is None:
        return Result(False, expected, "Nothing was cut in this step.")
    kept = _visitors(after, "visitor.connected", memory="kept")
    refusals = [event for event in after if event["kind"] == "connection.refused"]
    seen = f"{counted(len(kept), 'visitor')} back with memory, {len(refusals)} × 404 since the cut."
    return Result(len(kept) >= at_least and not refusals, expected, seen)


@check("fault.drop_asked", "replica.killed", "replica.stopped", "visitor.connected", "job.started")
def memory_lost(evidence: Evidence, at_least: int = 1, after: str = "fault.drop_asked") -> Result:
    """After the last event of that kind so many visitors came back without their memory."""
    what = _AFTER.get(after, after)
    expected = f"After {what}, at least {counted(at_least, 'visitor')} back without memory."
    later = _since_last(evidence, after, began="job.started")
    if later is None:
        return Result(False, expected, f"There was not {what} in this step.")
    lost = _visitors(later, "visitor.connected", memory="lost")
    kept = _visitors(later, "visitor.connected", memory="kept")
    seen = f"Since then {len(lost)} back without memory, {len(kept)} with it."
    return Result(len(lost) >= at_least, expected, seen)


@check("replica.killed")
def killed(evidence: Evidence, replica: str = "") -> Result:
    """A replica was killed since the step began."""
    expected = f"{replica or 'A replica'} killed in this step."
    events = [event for event in evidence.of("replica.killed") if replica in ("", event["source"])]
    return Result(bool(events), expected, events[-1]["text"] if events else "Nobody killed it in this step.")


@check("replica.drained")
def drained(evidence: Evidence, replica: str, at_least: int = 1) -> Result:
    """The replica was drained since the step began, and so many memories went along to others."""
    expected = f"{replica} drained in this step, and at least {at_least} of its memories taken elsewhere."
    events = [event for event in evidence.of("replica.drained") if event["source"] == replica]
    if not events:
        return Result(False, expected, f"{replica} was not drained in this step.")
    moved = int(events[-1]["data"].get("moved", 0))
    return Result(moved >= at_least, expected, events[-1]["text"])


@check(wakes=("visitor.", "crowd.changed", "affinity.changed"))
def all_on_one(evidence: Evidence, visitors: int) -> Result:
    """Everybody, at least so many, is connected to one and the same replica."""
    expected = f"At least {counted(visitors, 'visitor')} connected, all on one replica."
    held = _held(evidence)
    seen = ", ".join(f"{name} has {number}" for name, number in sorted(held.items())) or "Nobody is connected"
    return Result(len(held) == 1 and sum(held.values()) >= visitors, expected, f"{seen}.")


@check(wakes=("visitor.", "crowd.changed", "affinity.changed"))
def connected_without_affinity(evidence: Evidence, visitors: int) -> Result:
    """Everybody is connected, to several replicas, with affinity off and no 404 since the crowd changed."""
    expected = f"Affinity off, at least {counted(visitors, 'visitor')} connected, on several replicas."
    mode = evidence.state["balancer"]["affinity"]["mode"]
    held = _held(evidence)
    spread = (
        ", ".join(f"{name} has {number}" for name, number in sorted(held.items())) or "nobody is connected"
    )
    passed = mode == "none" and sum(held.values()) >= visitors and len(held) > 1
    return Result(passed, expected, f"Affinity: {_words(mode)}; {spread}.")


@check("circuit.started")
def browser_stays(evidence: Evidence, loads: int = 2) -> Result:
    """A real browser loaded the app so many times and reached the same replica each time."""
    expected = f"Your own browser loads the app {loads} times, and reaches the same replica each time."
    reached: dict[str, list[str]] = {}
    for event in evidence.of("circuit.started"):
        visitor = event["data"].get("visitor")
        if visitor and not visitor.startswith("visitor-"):
            reached.setdefault(visitor, []).append(event["source"])
    if not reached:
        return Result(False, expected, "No browser has loaded the app since this step began.")
    replicas = max(reached.values(), key=len)
    same = len(set(replicas[-loads:])) == 1
    return Result(len(replicas) >= loads and same, expected, f"It reached {', then '.join(replicas[-4:])}.")


_FATES = {
    "held": "is on another replica",
    "killed": "was killed with its replica",
    "died": "died with its replica",
    "stopped": "ended with its replica",
    "expired": "was given up",
}
_AFTER = {
    "fault.drop_asked": "a cut",
    "replica.killed": "a kill",
    "replica.stopped": "a stop",
}


def _words(mode: str) -> str:
    return {"none": "none", "cookie": "cookie", "source_ip": "source IP"}.get(mode, mode)


def _way(transport: str, skip: bool) -> str:
    return f"{transport}, {'without' if skip else 'with'} negotiate"


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
