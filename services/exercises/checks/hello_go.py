"""Checks about the Hello-Go lab."""

from __future__ import annotations

import re

from services.exercises.checks.registry import Evidence, Result, check
from services.words import say
from services.words.phases import phase_name

_BODY = "Hello-Go"


@check("hello_go.build_started", "hello_go.built", wakes=("hello_go.failed",))
def hello_built(evidence: Evidence) -> Result:
    """A build was started since the step began, and came to its end."""
    expected = say("A build that ends with an image (on the local engine: a program).")
    built = evidence.of("hello_go.built")
    if built:
        return Result(True, expected, built[-1]["text"])
    begun = evidence.of("hello_go.build_started")
    return Result(
        False, expected, say("A build is under way.") if begun else say("No build since this step began.")
    )


@check("hello_go.build_step", "hello_go.built")
def hello_rebuilt(evidence: Evidence) -> Result:
    """Two builds, the second of which used what the first had made, where the engine has layers."""
    docker = evidence.state["engine"]["name"] == "docker"
    built = evidence.of("hello_go.built")
    cached = [event for event in evidence.of("hello_go.build_step") if event["data"].get("state") == "cached"]
    if docker:
        expected = say("One more build, with steps that Docker took from its cache.")
        seen = say(
            "%(number)s builds since this step began, %(number2)s steps from the cache.",
            number=len(built),
            number2=len(cached),
        )
        return Result(bool(built and cached), expected, seen)
    expected = say("One more build. The local engine has no layers, so it has no steps to take from a cache.")
    return Result(bool(built), expected, say("%(number)s builds since this step began.", number=len(built)))


@check(wakes=("hello_go.",))
def hello_answers(evidence: Evidence) -> Result:
    """The app runs and says Hello-Go when it is really asked."""
    expected = say("Hello-Go runs, and a request to it is answered 200 with %(body)s.", body=_BODY)
    found = evidence.state["hello_go"]
    if found["phase"] != "running" or not found.get("url"):
        return Result(False, expected, say("Hello-Go is %(phase)s.", phase=phase_name(found["phase"])))
    page = evidence.fetch(found["url"])
    if page is None:
        return Result(False, expected, say("Nothing answers at %(url)s.", url=found["url"]))
    seen = say(
        "%(url)s answered %(status)s: %(value)s",
        url=found["url"],
        status=page.status,
        value=page.body.strip()[:60],
    )
    return Result(page.status == 200 and page.body.strip() == _BODY, expected, seen)


@check("hello_go.called")
def hello_called(evidence: Evidence, times: int = 1) -> Result:
    """The app was called from the page so many times since the step began, and answered each time."""
    expected = say("Called at least %(times)s times from the lab's page, each answered 200.", times=times)
    calls = evidence.of("hello_go.called")
    good = [call for call in calls if call["data"].get("status") == 200]
    seen = say(
        "%(number)s calls since this step began, %(number2)s of them answered 200.",
        number=len(calls),
        number2=len(good),
    )
    return Result(len(good) >= times, expected, seen)


@check("hello_go.stopped", wakes=("hello_go.started",))
def hello_gone(evidence: Evidence) -> Result:
    """The app was stopped since the step began, and nothing answers where it was."""
    expected = say("Hello-Go was stopped in this step, and nothing answers at its address any more.")
    stopped = evidence.of("hello_go.stopped")
    if evidence.state["hello_go"]["phase"] != "stopped" or not stopped:
        return Result(
            False,
            expected,
            say("Hello-Go is %(phase)s.", phase=phase_name(evidence.state["hello_go"]["phase"])),
        )
    command = evidence.state["hello_go"].get("commands", {}).get("call", "")
    url = next(iter(re.findall(r"http://\S+", command)), "")
    page = evidence.fetch(url) if url else None
    if page is not None and page.body.strip() == _BODY:
        return Result(False, expected, say("%(url)s still answers %(status)s.", url=url, status=page.status))
    return Result(True, expected, say("Stopped, and %(url)s is silent.", url=url or say("its address")))


@check(wakes=("hello_go.built",), asks=True)
def hello_size(evidence: Evidence) -> Result:
    """The student names the size of what was built, in MB."""
    expected = say("The size in MB, as the page shows it, to within 0.5.")
    image = evidence.state["hello_go"].get("image")
    if not image:
        return Result(False, expected, say("Nothing is built yet."))
    right = f"{image['size'] / 1e6:.1f}"
    number = re.search(r"\d+(?:[.,]\d+)?", evidence.answer)
    if not number:
        return Result(False, expected, say("No number yet."), right)
    said = float(number[0].replace(",", "."))
    near = abs(said - image["size"] / 1e6) <= 0.5
    size = format(said, "g")
    seen = (
        say("%(size)s MB is right.", size=size)
        if near
        else say("%(size)s MB is not what was built.", size=size)
    )
    return Result(near, expected, seen, right)


@check(asks=True)
def hello_stage(evidence: Evidence, answer: str) -> Result:
    """The student names a stage of the Dockerfile."""
    expected = say("The name after AS in the Dockerfile.")
    said = evidence.answer.strip().lower()
    if not said:
        return Result(False, expected, say("No name yet."), answer)
    right = said == answer.lower()
    seen = (
        say("%(answer)s is right.", answer=repr(said[:40]))
        if right
        else say("%(answer)s is another one, or none.", answer=repr(said[:40]))
    )
    return Result(right, expected, seen, answer)
