"""Checks about the Hello-Go lab."""

from __future__ import annotations

import re

from services.exercises.checks.registry import Evidence, Result, check

_BODY = "Hello-Go"


@check("hello_go.build_started", "hello_go.built", wakes=("hello_go.failed",))
def hello_built(evidence: Evidence) -> Result:
    """A build was started since the step began, and came to its end."""
    expected = "A build that ends with an image (on the local engine: a program)."
    built = evidence.of("hello_go.built")
    if built:
        return Result(True, expected, built[-1]["text"])
    begun = evidence.of("hello_go.build_started")
    return Result(False, expected, "A build is under way." if begun else "No build since this step began.")


@check("hello_go.build_step", "hello_go.built")
def hello_rebuilt(evidence: Evidence) -> Result:
    """Two builds, the second of which used what the first had made, where the engine has layers."""
    docker = evidence.state["engine"]["name"] == "docker"
    built = evidence.of("hello_go.built")
    cached = [event for event in evidence.of("hello_go.build_step") if event["data"].get("state") == "cached"]
    if docker:
        expected = "One more build, with steps that Docker took from its cache."
        seen = f"{len(built)} builds since this step began, {len(cached)} steps from the cache."
        return Result(bool(built and cached), expected, seen)
    expected = "One more build. The local engine has no layers, so it has no steps to take from a cache."
    return Result(bool(built), expected, f"{len(built)} builds since this step began.")


@check(wakes=("hello_go.",))
def hello_answers(evidence: Evidence) -> Result:
    """The app runs and says Hello-Go when it is really asked."""
    expected = f"Hello-Go runs, and a request to it is answered 200 with {_BODY}."
    found = evidence.state["hello_go"]
    if found["phase"] != "running" or not found.get("url"):
        return Result(False, expected, f"Hello-Go is {found['phase']}.")
    page = evidence.fetch(found["url"])
    if page is None:
        return Result(False, expected, f"Nothing answers at {found['url']}.")
    seen = f"{found['url']} answered {page.status}: {page.body.strip()[:60]}"
    return Result(page.status == 200 and page.body.strip() == _BODY, expected, seen)


@check("hello_go.called")
def hello_called(evidence: Evidence, times: int = 1) -> Result:
    """The app was called from the page so many times since the step began, and answered each time."""
    expected = f"Called at least {times} times from the lab's page, each answered 200."
    calls = evidence.of("hello_go.called")
    good = [call for call in calls if call["data"].get("status") == 200]
    seen = f"{len(calls)} calls since this step began, {len(good)} of them answered 200."
    return Result(len(good) >= times, expected, seen)


@check("hello_go.stopped", wakes=("hello_go.started",))
def hello_gone(evidence: Evidence) -> Result:
    """The app was stopped since the step began, and nothing answers where it was."""
    expected = "Hello-Go was stopped in this step, and nothing answers at its address any more."
    stopped = evidence.of("hello_go.stopped")
    if evidence.state["hello_go"]["phase"] != "stopped" or not stopped:
        return Result(False, expected, f"Hello-Go is {evidence.state['hello_go']['phase']}.")
    command = evidence.state["hello_go"].get("commands", {}).get("call", "")
    url = next(iter(re.findall(r"http://\S+", command)), "")
    page = evidence.fetch(url) if url else None
    if page is not None and page.body.strip() == _BODY:
        return Result(False, expected, f"{url} still answers {page.status}.")
    return Result(True, expected, f"Stopped, and {url or 'its address'} is silent.")


@check(wakes=("hello_go.built",), asks=True)
def hello_size(evidence: Evidence) -> Result:
    """The student names the size of what was built, in MB."""
    expected = "The size in MB, as the page shows it, to within 0.5."
    image = evidence.state["hello_go"].get("image")
    if not image:
        return Result(False, expected, "Nothing is built yet.")
    right = f"{image['size'] / 1e6:.1f}"
    number = re.search(r"\d+(?:[.,]\d+)?", evidence.answer)
    if not number:
        return Result(False, expected, "No number yet.", right)
    said = float(number[0].replace(",", "."))
    near = abs(said - image["size"] / 1e6) <= 0.5
    seen = f"{said:g} MB{' is right.' if near else ' is not what was built.'}"
    return Result(near, expected, seen, right)


@check(asks=True)
def hello_stage(evidence: Evidence, answer: str) -> Result:
    """The student names a stage of the Dockerfile."""
    expected = "The name after AS in the Dockerfile."
    said = evidence.answer.strip().lower()
    if not said:
        return Result(False, expected, "No name yet.", answer)
    right = said == answer.lower()
    seen = f"{said[:40]!r}{' is right.' if right else ' is another one, or none.'}"
    return Result(right, expected, seen, answer)
