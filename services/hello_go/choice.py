"""What a learner may choose about Hello-Go, and nothing beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from services.errors import BadRequest
from services.words import say

Base = Literal["alpine", "scratch", "debian-slim", "distroless"]
Stages = Literal["multi", "single"]
Flags = Literal["-s -w", "-w", "-s", ""]
Mistake = Literal["none", "misspelt", "unused_import", "missing_brace"]

BASES: tuple[Base, ...] = get_args(Base)
LOWEST_PORT, HIGHEST_PORT = 1024, 65535
"""Below 1024 a process that is not root may not listen."""
LONGEST_GREETING = 80


@dataclass(frozen=True)
class Choice:
    """Each value is checked by `checked`, or comes from the state, where only checked ones go."""

    greeting: str = "Hello-Go"
    port: int = 8080
    """Where the program listens, inside its container."""
    base: Base = "alpine"
    """What the runtime image is made on; a single-stage image has no such base."""
    flags: Flags = "-s -w"
    """For the linker: without symbol table (-s), without debugging information (-w)."""
    stages: Stages = "multi"
    mistake: Mistake = "none"
    """Left in the Go source on purpose, to see what the compiler says."""

    @property
    def name(self) -> str:
        """The image's name: one a base, so that their sizes can be compared."""
        if self.stages == "single":
            return "hello-go-single"
        return "hello-go" if self.base == "alpine" else f"hello-go-{self.base}"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def kept(state: Mapping[str, Any] | None) -> Choice:
    """The choice that the state remembers; what it does not name is as it comes."""
    known = {field.name for field in fields(Choice)}
    return Choice(**{name: value for name, value in (state or {}).items() if name in known})


def check_greeting(greeting: str) -> None:
    """Raises BadRequest for what is not one line that can be read."""
    if not greeting.strip() or not greeting.isprintable():
        raise BadRequest(
            say("greeting: it must be one line of letters, digits and signs that can be seen."),
            hint=say(
                "Give up to %(longest_greeting)s characters, such as Hello-Go.",
                longest_greeting=LONGEST_GREETING,
            ),
        )
