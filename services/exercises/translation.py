"""An exercise in another language: `exercise.de.md` beside `exercise.md` has the words, and no more.

Calls, checks and their arguments stand in `exercise.md` alone, so the two cannot ask for different things.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from markdown_it.token import Token

from services.exercises.exercise import BadExercise, Block, CheckUse, Exercise, Step
from services.exercises.source import FrontMatter, Section, line_of, load_yaml, read, render, render_line
from services.exercises.steps import TITLE, Reader, parts_of

ReadTexts = Callable[[Path, FrontMatter], dict[str, Any]]
_NAME = re.compile(r"exercise\.([a-z]{2,3}(?:_[A-Z]{2})?)\.md")
_ELSEWHERE = ("check", "solve", "reset")


def translations_of(file: Path) -> dict[str, Path]:
    """Language → the file with its words; raises BadExercise for a name that says no language."""
    found = {}
    for other in sorted(file.parent.glob("exercise.*.md")):
        named = _NAME.fullmatch(other.name)
        if not named:
            raise BadExercise(other, 1, "its name has no language.", "Name it as `exercise.de.md`.")
        found[named[1]] = other
    return found


def translated(file: Path, original: Exercise, texts: ReadTexts) -> Exercise:
    """The exercise in the words of `file`; `texts(file, front)` reads what the top says.

    Raises BadExercise where it has other steps, buttons, questions, commands or outputs than `original`.
    """
    front, body = read(file)
    _same_steps(file, body, original)
    steps = [_step(file, part, step) for part, step in zip(body.parts, original.steps, strict=True)]
    named = _NAME.fullmatch(file.name)
    assert named is not None
    intro = render(body.tokens)
    return replace(original, language=named[1], intro=intro, steps=tuple(steps), **texts(file, front))


def only_words(file: Path, front: FrontMatter, words: Sequence[str]) -> None:
    """Raise BadExercise for a field of the top that is not translated."""
    for key in front.values:
        if key not in words:
            mend = f"Leave it out here; only these are translated: {', '.join(words)}."
            raise BadExercise(file, front.line(str(key)), f"{key!r} stands in exercise.md.", mend)


def _same_steps(file: Path, body: Section, original: Exercise) -> None:
    wanted = [step.id for step in original.steps]
    for place, part in enumerate(body.parts):
        named = TITLE.fullmatch(part.title)
        right = wanted[place] if place < len(wanted) else None
        if named is None or named["id"] != right:
            mend = f"The steps of exercise.md are, in this order: {', '.join(wanted)}."
            raise BadExercise(file, part.line, f"here should be {_step_named(right)}.", mend)
    if len(body.parts) < len(wanted):
        mend = f"Translate the steps from {wanted[len(body.parts)]!r} on."
        raise BadExercise(file, 1, "steps are missing.", mend)


def _step_named(name: str | None) -> str:
    return f"the step {{#{name}}}" if name else "no step more"


def _step(file: Path, section: Section, original: Step) -> Step:
    reader = _Words(file, original)
    reader.read(section.tokens)
    reader.end(section.line)
    parts = parts_of(file, section, original.id)
    return replace(
        original,
        title=section.title[: section.title.index("{#")].strip(),
        blocks=tuple(reader.blocks),
        checks=tuple(reader.asked),
        hint=render(parts["Hint"].tokens),
        solution=render(parts["Solution"].tokens),
    )


class _Words(Reader):
    """Reads a step whose calls and checks are known."""

    def __init__(self, file: Path, original: Step) -> None:
        super().__init__(file, lambda text, line: ())
        self._original = original
        self._shown = [block for block in original.blocks if block.kind in ("button", "command", "output")]
        self._questions = [use for use in original.checks if use.question]
        self.asked: list[CheckUse] = list(original.checks)

    def _fence(self, token: Token) -> None:
        kind, _, rest = token.info.strip().partition(" ")
        if kind in _ELSEWHERE:
            mend = "Leave the fence out here; what is done and checked is the same in every language."
            raise BadExercise(self._file, line_of(token), f"{kind!r} stands in exercise.md.", mend)
        if kind in ("button", "command", "output"):
            self._same(token, kind, rest)
        elif kind == "question":
            self._question(token, rest)
        else:
            super()._fence(token)

    def _same(self, token: Token, kind: str, label: str) -> None:
        """The next of what is shown, in the same order as in the original."""
        wanted = self._shown.pop(0) if self._shown else None
        if wanted is None or wanted.kind != kind:
            right = f"a {wanted.kind}" if wanted else "no fence more"
            mend = "Keep buttons, commands and outputs in the order of exercise.md."
            raise BadExercise(self._file, line_of(token), f"here should be {right}, not a {kind}.", mend)
        if kind == "button":
            self._demand(token, label, "button and its label")
            if token.content.strip():
                mend = "Leave the fence empty here: only the label is translated."
                raise BadExercise(self._file, line_of(token) + 1, "calls stand in exercise.md.", mend)
            self.blocks.append(replace(wanted, text=label))
            return
        if token.content.rstrip() != wanted.text:
            mend = "Copy it from exercise.md: what is typed or printed is not translated."
            raise BadExercise(self._file, line_of(token) + 1, f"this {kind} is another one.", mend)
        self.blocks.append(wanted)

    def _question(self, token: Token, name: str) -> None:
        wanted = self._questions.pop(0) if self._questions else None
        if wanted is None or wanted.name != name:
            right = f"the question {wanted.name}" if wanted else "no question more"
            mend = "Keep the questions in the order of exercise.md."
            raise BadExercise(self._file, line_of(token), f"here should be {right}.", mend)
        given = load_yaml(self._file, token.content, line_of(token) + 1)
        if not isinstance(given, dict) or set(given) != {"ask"}:
            mend = "Write `ask: …` and nothing else; arguments stand in exercise.md."
            raise BadExercise(self._file, line_of(token) + 1, "the question has other fields than ask.", mend)
        place = self.asked.index(wanted)
        self.asked[place] = replace(wanted, question=render_line(str(given["ask"])))

    def end(self, line: int) -> None:
        """Raise BadExercise for what the step should have shown or asked as well."""
        left = [_missing(block) for block in self._shown] + [
            f"question {use.name}" for use in self._questions
        ]
        if left:
            what = f"the step {self._original.id!r} lacks {left[0]}."
            raise BadExercise(self._file, line, what, "Add it in the order of exercise.md.")


def _missing(block: Block) -> str:
    return f"the {block.kind} {block.text.splitlines()[0]!r}"
