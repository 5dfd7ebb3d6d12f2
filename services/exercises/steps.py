"""A step of the Markdown: its text in blocks, and what the marked fences in it mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from markdown_it.token import Token

from services.exercises.checks import CHECKS
from services.exercises.deeds import demand_check
from services.exercises.exercise import BadExercise, Block, CheckUse, Deeds, Step
from services.exercises.source import Section, line_of, load_yaml, render, render_line, render_text

ReadDeeds = Callable[[str, int], Deeds]
FENCES = ("button", "check", "question", "predict", "command", "output", "solve", "reset")
TITLE = re.compile(r"(?P<title>.+?)\s*\{#(?P<id>[a-z0-9]+(?:-[a-z0-9]+)*)\}")
_PARTS = ("Hint", "Solution")


def read_step(file: Path, section: Section, deeds: ReadDeeds) -> Step:
    """Raises BadExercise."""
    named = TITLE.fullmatch(section.title)
    if not named:
        mend = "Write `## Title {#name}`, the name in small letters, digits and dashes."
        raise BadExercise(file, section.line, f"the step {section.title!r} has no name.", mend)
    reader = Reader(file, deeds)
    reader.read(section.tokens)
    parts = parts_of(file, section, named["id"])
    if not reader.checks:
        mend = "Add a fence ```check …, so that a student sees when it is done."
        raise BadExercise(file, section.line, f"the step {named['id']!r} checks nothing.", mend)
    return Step(
        id=named["id"],
        title=named["title"],
        blocks=tuple(reader.blocks),
        buttons=tuple(reader.buttons),
        checks=tuple(reader.checks),
        hint=render(parts["Hint"].tokens),
        solution=render(_texts(parts["Solution"].tokens)),
        solve=_sequence(
            file, parts["Solution"], "solve", deeds, not all(use.question for use in reader.checks)
        ),
        reset=_sequence(file, section, "reset", deeds),
    )


def parts_of(file: Path, section: Section, step: str) -> dict[str, Section]:
    """Hint and solution of a step; raises BadExercise."""
    parts = {part.title: part for part in section.parts}
    for part in section.parts:
        if part.title not in _PARTS:
            mend = f"Below a step only these have three #: {', '.join(_PARTS)}."
            raise BadExercise(file, part.line, f"there is no part {part.title!r}.", mend)
    for name in _PARTS:
        if name not in parts:
            mend = f"Add `### {name}` and say it there."
            raise BadExercise(file, section.line, f"the step {step!r} has no {name.lower()}.", mend)
    return parts


class Reader:
    """Sorts a step's tokens into blocks; text between two marked fences is one block."""

    def __init__(self, file: Path, deeds: ReadDeeds) -> None:
        self._file, self._deeds = file, deeds
        self._text: list[Token] = []
        self.blocks: list[Block] = []
        self.buttons: list[Deeds] = []
        self.checks: list[CheckUse] = []

    def read(self, tokens: list[Token]) -> None:
        for token in tokens:
            if token.type != "fence" or token.level > 0:
                self._text.append(token)
                continue
            self._end_text()
            self._fence(token)
        self._end_text()

    def _end_text(self) -> None:
        if self._text:
            self.blocks.append(Block("text", html=render(self._text)))
            self._text = []

    def _fence(self, token: Token) -> None:
        kind, _, rest = token.info.strip().partition(" ")
        if kind not in FENCES:
            mend = f"Marks are {', '.join(FENCES)}."
            raise BadExercise(self._file, line_of(token), f"a fence is marked {kind!r}.", mend)
        if kind in ("command", "output"):
            self.blocks.append(
                Block("command" if kind == "command" else "output", text=token.content.rstrip())
            )
        elif kind == "button":
            self._button(token, rest)
        elif kind == "predict":
            self._demand(token, rest, "predict What will happen?")
            self.blocks.append(Block("predict", html=render_text(token.content), text=rest))
        elif kind in ("check", "question"):
            self.checks.append(self._check(token, kind, rest))
        elif kind == "solve":
            what = "`solve` stands outside of the solution."
            raise BadExercise(self._file, line_of(token), what, "Put it below `### Solution`.")

    def _button(self, token: Token, label: str) -> None:
        self._demand(token, label, "button Launch three replicas")
        deeds = self._deeds(token.content, line_of(token) + 1)
        if not deeds:
            mend = "Write the call that it makes into the fence."
            raise BadExercise(self._file, line_of(token), f"the button {label!r} does nothing.", mend)
        self.blocks.append(Block("button", text=label, number=len(self.buttons)))
        self.buttons.append(deeds)

    def _demand(self, token: Token, label: str, example: str) -> None:
        if not label:
            what = "the fence has no words for people."
            raise BadExercise(self._file, line_of(token), what, f"Write ```{example}")

    def _check(self, token: Token, kind: str, name: str) -> CheckUse:
        line = line_of(token)
        arguments: Mapping[str, Any] = load_yaml(self._file, token.content, line + 1) or {}
        if not isinstance(arguments, Mapping):
            raise BadExercise(
                self._file, line + 1, "arguments are no mapping.", "Write lines such as `count: 3`."
            )
        given = dict(arguments)
        question = str(given.pop("ask", ""))
        demand_check(self._file, line, name, given)
        if CHECKS[name].asks != (kind == "question"):
            right = "question" if CHECKS[name].asks else "check"
            raise BadExercise(self._file, line, f"{name} is no {kind}.", f"Mark the fence ```{right} {name}")
        if kind == "question" and not question:
            raise BadExercise(self._file, line, "the question is missing.", "Add a line `ask: …`.")
        return CheckUse(name, given, render_line(question))


def _texts(tokens: list[Token]) -> list[Token]:
    return [token for token in tokens if token.type != "fence"]


def _sequence(file: Path, section: Section, mark: str, deeds: ReadDeeds, needed: bool = False) -> Deeds:
    found = [token for token in section.tokens if token.type == "fence" and token.info.strip() == mark]
    if mark == "solve" and not found and needed:
        mend = "Add a fence ```solve with the calls that do the step."
        raise BadExercise(file, section.line, "the solution does nothing.", mend)
    if len(found) > 1:
        raise BadExercise(file, line_of(found[1]), f"there are two fences {mark!r}.", "Join them.")
    return deeds(found[0].content, line_of(found[0]) + 1) if found else ()
