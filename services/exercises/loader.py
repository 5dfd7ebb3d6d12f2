"""Reads content/<slug>/exercise.md into an Exercise; what is wrong names the file, the line and the mend."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from services.exercises.deeds import KnownCall, read_deeds
from services.exercises.exercise import BadExercise, Exercise, Question, in_order
from services.exercises.source import FrontMatter, read, render, render_text
from services.exercises.steps import read_step
from services.exercises.translation import only_words, translated, translations_of

CONTENT = Path(__file__).parent / "content"
FILE = "exercise.md"
LABS = ("/hello-go", "/affinity", "/agent-script")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def load_all(knows: KnownCall, folder: Path = CONTENT) -> tuple[Exercise, ...]:
    """Every exercise below `folder`, in order; raises BadExercise for the first that is malformed."""
    return in_order([load(one, knows) for one in sorted(folder.glob(f"*/{FILE}"))])


def load(file: Path, knows: KnownCall) -> Exercise:
    """One exercise; `knows` says what is wrong with a call of the HTTP contract."""
    slug = file.parent.name
    if not _SLUG.fullmatch(slug):
        mend = "Name the folder in small letters, digits and dashes; it becomes the address."
        raise BadExercise(file, 1, f"its folder is called {slug!r}.", mend)
    front, body = read(file)
    _only_known(file, front)
    if not body.parts:
        raise BadExercise(file, 1, "there are no steps.", "Begin each with a heading: `## Title {#name}`.")
    steps = [
        read_step(file, part, lambda text, line: read_deeds(file, text, line, knows)) for part in body.parts
    ]
    for number, step in enumerate(steps):
        if step.id in [other.id for other in steps[:number]]:
            line = body.parts[number].line
            raise BadExercise(file, line, f"{step.id!r} names two steps.", "Give each a name of its own.")
    exercise = Exercise(
        slug=slug,
        intro=render(body.tokens),
        steps=tuple(steps),
        **{name: take(file, front, name) for name, take in _FIELDS.items()},
    )
    others = translations_of(file).items()
    return replace(exercise, translations={code: translated(one, exercise, _words) for code, one in others})


def _words(file: Path, front: FrontMatter) -> dict[str, Any]:
    """What the top of a translation says."""
    only_words(file, front, _TRANSLATED)
    return {name: _FIELDS[name](file, front, name) for name in _TRANSLATED}


def _text(file: Path, front: FrontMatter, key: str) -> str:
    value = front.values.get(key)
    if not isinstance(value, str) or not value.strip():
        raise BadExercise(file, front.line(key), f"{key} is missing or no text.", f"Write `{key}: …`.")
    return value.strip()


def _markdown(file: Path, front: FrontMatter, key: str) -> str:
    return render_text(_text(file, front, key))


def _number(low: int, high: int) -> Callable[[Path, FrontMatter, str], int]:
    def take(file: Path, front: FrontMatter, key: str) -> int:
        value = front.values.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            mend = f"Write a whole number from {low} to {high}."
            raise BadExercise(file, front.line(key), f"{key} is {value!r}.", mend)
        return value

    return take


def _lab(file: Path, front: FrontMatter, key: str) -> str:
    value = front.values.get(key)
    if value not in LABS:
        raise BadExercise(file, front.line(key), f"{key} is {value!r}.", f"It is one of {', '.join(LABS)}.")
    return str(value)


def _flag(file: Path, front: FrontMatter, key: str) -> bool:
    value = front.values.get(key, False)
    if not isinstance(value, bool):
        raise BadExercise(file, front.line(key), f"{key} is {value!r}.", "Write true or false.")
    return value


def _texts(file: Path, front: FrontMatter, key: str) -> tuple[str, ...]:
    value = front.values.get(key)
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        mend = f"Write `{key}:` and below it lines such as `  - 0–5 min: …` in quotes."
        raise BadExercise(file, front.line(key), f"{key} is no list of texts.", mend)
    return tuple(value)


def _questions(file: Path, front: FrontMatter, key: str) -> tuple[Question, ...]:
    value = front.values.get(key)
    good = isinstance(value, list) and value and all(_is_question(one) for one in value)
    if not good:
        mend = f"Write `{key}:` and below it pairs of `- ask: …` and `answer: …`."
        raise BadExercise(file, front.line(key), f"{key} is no list of questions.", mend)
    assert isinstance(value, list)
    return tuple(Question(render_text(one["ask"]), render_text(one["answer"])) for one in value)


def _is_question(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and set(value) == {"ask", "answer"}
        and all(isinstance(text, str) for text in value.values())
    )


_FIELDS: dict[str, Callable[[Path, FrontMatter, str], Any]] = {
    "title": _text,
    "summary": _text,
    "order": _number(1, 999),
    "minutes": _number(1, 240),
    "lab": _lab,
    "picture": _flag,
    "aim": _markdown,
    "timing": _texts,
    "questions": _questions,
}


_TRANSLATED = ("title", "summary", "aim", "timing", "questions")


def _only_known(file: Path, front: FrontMatter) -> None:
    for key in front.values:
        if key not in _FIELDS:
            mend = f"Known are {', '.join(_FIELDS)}."
            raise BadExercise(file, front.line(str(key)), f"there is no field {key!r}.", mend)
