"""What an exercise is made of, once its file was read and found good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal


class BadExercise(ValueError):
    """A content file cannot be used: which one, at which line, and what to do about it."""

    def __init__(self, file: Path | str, line: int, what: str, mend: str) -> None:
        super().__init__(f"{file}, line {line}: {what} {mend}")
        self.file, self.line, self.what, self.mend = str(file), line, what, mend


@dataclass(frozen=True)
class Call:
    """One call of the HTTP contract, as the page makes it."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    optional: bool = False
    """Go on when it is refused with 409: what it asks for is so already, or cannot be on this engine."""

    def as_dict(self) -> dict[str, Any]:
        return {"method": self.method, "path": self.path, "body": self.body, "optional": self.optional}


@dataclass(frozen=True)
class Wait:
    """Do not go on before this check passes."""

    check: str
    arguments: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return {"wait": self.check, "arguments": dict(self.arguments)}


Deed = Call | Wait
Deeds = tuple[Deed, ...]


@dataclass(frozen=True)
class Block:
    """A piece of a step's text; `html` is rendered by us from Markdown without raw HTML."""

    kind: Literal["text", "button", "predict", "command", "output"]
    html: str = ""
    text: str = ""
    """The command, the output, or the button's and the prediction's label."""
    number: int = 0
    """Of a button, within its step."""


@dataclass(frozen=True)
class CheckUse:
    """A check by name, with its arguments; `question` (HTML) asks for the answer that it judges."""

    name: str
    arguments: Mapping[str, Any]
    question: str = ""


@dataclass(frozen=True)
class Step:
    """One stage: a text, what may be clicked, what must be so in the end."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    buttons: tuple[Deeds, ...]
    checks: tuple[CheckUse, ...]
    hint: str
    solution: str
    solve: Deeds
    reset: Deeds


@dataclass(frozen=True)
class Question:
    """For the teacher to ask, with what a good answer has."""

    ask: str
    answer: str


@dataclass(frozen=True)
class Exercise:
    """A guided text of several steps about one lab."""

    slug: str
    order: int
    title: str
    summary: str
    minutes: int
    lab: str
    """The page of the lab that it is about, such as `/affinity`."""
    picture: bool
    """Whether the affinity lab's picture belongs to it."""
    intro: str
    aim: str
    timing: tuple[str, ...]
    questions: tuple[Question, ...]
    steps: tuple[Step, ...]
    language: str = "en"
    translations: Mapping[str, Exercise] = field(default_factory=dict)
    """The same in other languages."""

    def told_in(self, language: str) -> Exercise:
        """In that language, or where there is no translation as it was written, which is in English."""
        return self.translations.get(language, self)

    def step(self, name: str) -> Step | None:
        """The step of that id."""
        return next((step for step in self.steps if step.id == name), None)

    def number(self, name: str) -> int:
        """The step's place, from 1."""
        return [step.id for step in self.steps].index(name) + 1


def in_order(exercises: Sequence[Exercise]) -> tuple[Exercise, ...]:
    """As they are listed."""
    return tuple(sorted(exercises, key=lambda one: (one.order, one.slug)))
