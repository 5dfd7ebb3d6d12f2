"""The lines of a button, a solution or a reset: calls of the HTTP contract, and waits between them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from services.exercises.checks import CHECKS
from services.exercises.exercise import BadExercise, Call, Deed, Deeds, Wait

KnownCall = Callable[[str, str, Mapping[str, Any] | None], str | None]
"""(method, path, body) → what is wrong with that call, None when it may be made."""

_LINE = re.compile(
    r"(?P<try>TRY\s+)?(?P<verb>GET|POST|PUT|DELETE|WAIT)\s+(?P<what>\S+)(?:\s+(?P<rest>\{.*\}))?\s*"
)


def read_deeds(file: Path, text: str, line: int, knows: KnownCall) -> Deeds:
    """One deed a line; `line` is where the first one stands. Raises BadExercise."""
    numbered = [(line + place, words.strip()) for place, words in enumerate(text.splitlines())]
    return tuple(_deed(file, number, words, knows) for number, words in numbered if words)


def _deed(file: Path, line: int, words: str, knows: KnownCall) -> Deed:
    found = _LINE.fullmatch(words)
    if not found:
        mend = 'Write lines such as `PUT /visitors {"count": 12}` or `WAIT visitors {"connected": 12}`.'
        raise BadExercise(file, line, f"this is no call: {words[:60]!r}.", mend)
    body = _json(file, line, found["rest"])
    if found["verb"] == "WAIT" and not found["try"]:
        arguments = body or {}
        demand_check(file, line, found["what"], arguments)
        return Wait(found["what"], arguments)
    if problem := knows(found["verb"], found["what"], body):
        raise BadExercise(file, line, problem, "GET /api/openapi.json lists every call and what it takes.")
    return Call(found["verb"], found["what"], body, optional=bool(found["try"]))


def demand_check(file: Path, line: int, name: str, arguments: Mapping[str, Any]) -> None:
    """Raise BadExercise where there is no such check, or it takes other arguments."""
    if name not in CHECKS:
        raise BadExercise(
            file, line, f"there is no check {name!r}.", f"There are {', '.join(sorted(CHECKS))}."
        )
    if problem := CHECKS[name].problem(arguments):
        raise BadExercise(file, line, problem, "docs/write-an-exercise.md lists the checks.")


def _json(file: Path, line: int, text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        mend = "Put names and texts into double quotes."
        raise BadExercise(file, line, f"{text[:60]} is not JSON: {error.msg}.", mend) from None
    return dict(value)
