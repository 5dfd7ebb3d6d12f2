"""Checks about the agent-script lab."""

from __future__ import annotations

import re

from services.exercises.checks.registry import Event, Evidence, Result, check
from services.words import say

_WORDS = {
    "running": say("an agent that was seen running"),
    "exec_format": say("Exec format error"),
    "loader_missing": say("a loader that is missing"),
}


@check("agent_script.rehearsed", wakes=("agent_script.",))
def rehearsed(evidence: Evidence, outcome: str) -> Result:
    """A rehearsal since the step began ended with this outcome."""
    expected = say("A rehearsal that ends with %(get)s.", get=_WORDS.get(outcome, outcome))
    ends = evidence.of("agent_script.rehearsed")
    right = [event for event in ends if event["data"].get("outcome") == outcome]
    if right:
        return Result(True, expected, _said(right[-1]))
    if ends:
        return Result(False, expected, _said(ends[-1]))
    under_way = evidence.state["agent_script"]["phase"] not in ("stopped", "failed")
    return Result(
        False,
        expected,
        say("A rehearsal is under way.") if under_way else say("No rehearsal since this step began."),
    )


@check("agent_script.build_started", wakes=("agent_script.rehearsed",))
def rehearsed_for_here(evidence: Evidence, here: bool) -> Result:
    """The package that was rehearsed last is for this machine's processor, or is not."""
    own = evidence.state["agent_script"].get("machine", {}).get("rid")
    expected = (
        say("The package for this machine (%(own)s is its own).", own=own)
        if here
        else say("The package for another machine (%(own)s is its own).", own=own)
    )
    if not evidence.of("agent_script.build_started"):
        return Result(False, expected, say("No rehearsal since this step began."))
    rid = evidence.state["agent_script"].get("rid")
    return Result((rid == own) == here, expected, say("%(rid)s was rehearsed.", rid=rid))


@check(asks=True)
def machine_named(evidence: Evidence) -> Result:
    """The student says what `uname -m` prints on the machine that the lab runs on."""
    expected = say("What uname -m prints on the machine that Labdeck runs on.")
    uname = str(evidence.state["agent_script"].get("machine", {}).get("uname", ""))
    said = evidence.answer.strip().lower()
    if not said:
        return Result(False, expected, say("Nothing yet."), uname)
    right = said == uname.lower()
    seen = (
        say("%(answer)s is right.", answer=repr(said[:40]))
        if right
        else say("%(answer)s is another processor.", answer=repr(said[:40]))
    )
    return Result(right, expected, seen, uname)


@check(wakes=("agent_script.rehearsed",), asks=True)
def exit_code_named(evidence: Evidence) -> Result:
    """The student says with which code bash ended after the error of the last rehearsal."""
    expected = say("The exit code of the last rehearsal.")
    result = evidence.state["agent_script"].get("result")
    if not result:
        return Result(False, expected, say("Nothing is rehearsed yet."))
    code = str(result.get("exit_code"))
    said = re.search(r"\d+", evidence.answer)
    if not said:
        return Result(False, expected, say("No number yet."), code)
    right = said[0] == code
    seen = (
        say("%(answer)s is right.", answer=said[0])
        if right
        else say("%(answer)s is not what bash said.", answer=said[0])
    )
    return Result(right, expected, seen, code)


@check(wakes=("agent_script.package_made",), asks=True)
def header_named(evidence: Evidence) -> Result:
    """The student says for which processor the header of the package's program was made."""
    expected = say("The processor that the header of Agent.Listener names.")
    binary = evidence.state["agent_script"].get("binary")
    if not binary:
        return Result(False, expected, say("No package is made yet."))
    machine = str(binary.get("machine", ""))
    said = evidence.answer.strip().lower()
    if not said:
        return Result(False, expected, say("Nothing yet."), machine)
    right = said.removeprefix("linux-") == machine.lower()
    seen = (
        say("%(answer)s is right.", answer=repr(said[:40]))
        if right
        else say("%(answer)s is not what the header says.", answer=repr(said[:40]))
    )
    return Result(right, expected, seen, machine)


def _said(event: Event) -> str:
    line = event["data"].get("line")
    return f"{event['text']} {line}".strip() if line else str(event["text"])
