"""Reads the classic builder's output: which step of which stage runs, ended, or came from the cache."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from services.engines.escapes import plain

_STEP = re.compile(r"Step (\d+)/(\d+) : (.*)")
_STAGE = re.compile(r"FROM\s+\S+\s+as\s+(\S+)", re.IGNORECASE)


@dataclass
class Step:
    """One instruction of the Dockerfile, as far as it got."""

    number: int
    total: int
    instruction: str
    stage: str
    state: str = "running"
    """`running`, `done`, `cached` or `failed`."""
    seconds: float = 0.0

    def as_patch(self) -> dict[str, object]:
        """The step as `state.hello_go.build.steps` holds it."""
        return {
            "instruction": self.instruction,
            "stage": self.stage,
            "state": self.state,
            "seconds": round(self.seconds, 2),
        }


class Steps:
    """Fed line by line; says which steps changed. Lines look as docker-py's classic builder writes them."""

    def __init__(self) -> None:
        self.current: Step | None = None
        self._stage = ""
        self._began = 0.0
        self._cached = False

    def feed(self, line: str) -> list[Step]:
        """The steps that this line ended or began, in this order."""
        line = plain(line).strip()
        if line == "---> Using cache":
            self._cached = True
        found = _STEP.match(line)
        if not found:
            return []
        ended = self.end()
        number, total, instruction = int(found[1]), int(found[2]), found[3].strip()
        if stage := _STAGE.match(instruction):
            self._stage = stage[1]
        self.current = Step(number, total, instruction, self._stage)
        self._began, self._cached = time.monotonic(), False
        return [*ended, self.current]

    def end(self, *, failed: bool = False) -> list[Step]:
        """The running step, now ended; empty when none runs."""
        step, self.current = self.current, None
        if step is None:
            return []
        step.seconds = time.monotonic() - self._began
        step.state = "failed" if failed else "cached" if self._cached else "done"
        return [step]
