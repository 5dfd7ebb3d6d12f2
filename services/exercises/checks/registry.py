"""What a check is, and all of them by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_type_hints

from services.words import Said, say, say_n

Event = Mapping[str, Any]
"""An event as the API has it."""


@dataclass(frozen=True)
class Page:
    """What a real GET brought."""

    status: int
    body: str


@dataclass(frozen=True)
class Evidence:
    """All that a check may look at. Nothing here can change anything."""

    state: Mapping[str, Any]
    """The workspace, as `GET /api/workspaces/demo` answers it."""
    events: Sequence[Event] = ()
    """Since the step began, ascending, of the kinds that the check reads."""
    ask: Callable[[str], Mapping[str, Any]] = lambda path: {}
    """GET of the HTTP contract below the workspace; raises LabError."""
    fetch: Callable[[str], Page | None] = lambda url: None
    """A real GET of an address of the lab; None when nothing answers."""
    answer: str = ""
    """What the student wrote, for checks that ask."""

    def of(self, *kinds: str) -> list[Event]:
        """The events of these kinds."""
        return [event for event in self.events if event["kind"] in kinds]


@dataclass(frozen=True)
class Result:
    """What should be so, and what was found; both are shown."""

    passed: bool
    expected: str
    seen: str
    answer: str = ""
    """What would have been right, where the student is asked; shown on request only."""


Judge = Callable[..., Result]
"""(evidence, arguments by name) → result."""


@dataclass(frozen=True)
class Check:
    """A function with the kinds of event that it reads; a kind that ends in `.` means all below it."""

    name: str
    judge: Judge
    kinds: tuple[str, ...]
    wakes: tuple[str, ...]
    """Kinds that it does not read, but that change the state it looks at: a reason to ask it again."""
    asks: bool
    """Whether it judges an answer of the student."""

    @property
    def about(self) -> str:
        """Its first line of documentation."""
        return say((self.judge.__doc__ or "").strip().splitlines()[0])

    def parameters(self) -> dict[str, tuple[type, bool]]:
        """Argument → its type, and whether it must be given."""
        hints = get_type_hints(self.judge)
        found = list(inspect.signature(self.judge).parameters.values())[1:]
        return {one.name: (hints[one.name], one.default is inspect.Parameter.empty) for one in found}

    def problem(self, arguments: Mapping[str, Any]) -> str | None:
        """What is wrong with these arguments, in one sentence; None when nothing is."""
        wanted = self.parameters()
        for name, value in arguments.items():
            if name not in wanted:
                return f"{self.name} takes {', '.join(wanted) or 'no arguments'}, not {name!r}."
            kind = wanted[name][0]
            if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
                return f"{name} of {self.name} is a {_WORDS[kind]}, not {value!r}."
        missing = [name for name, (_, needed) in wanted.items() if needed and name not in arguments]
        return f"{self.name} needs {', '.join(missing)}." if missing else None


_WORDS = {int: "whole number", str: "text", bool: "true or false"}
CHECKS: dict[str, Check] = {}


def check(*kinds: str, wakes: tuple[str, ...] = (), asks: bool = False) -> Callable[[Judge], Judge]:
    """Register a check under its function's name; see Check for what is given."""

    def keep(judge: Judge) -> Judge:
        name = judge.__name__
        CHECKS[name] = Check(name, judge, kinds, wakes, asks)
        return judge

    return keep


def counted(number: int, what: Literal["visitor", "replica", "page"]) -> Said:
    """`1 visitor`, `3 visitors`, `no visitors`."""
    n = number or say("no")
    return {
        "visitor": say_n("%(n)s visitor", "%(n)s visitors", number, n=n),
        "replica": say_n("%(n)s replica", "%(n)s replicas", number, n=n),
        "page": say_n("%(n)s page", "%(n)s pages", number, n=n),
    }[what]
