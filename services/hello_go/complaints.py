"""Go's complaints in a build's output: which file, which line, what about it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from services.engines.escapes import plain

_COMPLAINT = re.compile(r"(?:\./)?([\w.-]+\.go):(\d+):(?:(\d+):)? (.+)")
_MOST = 10


@dataclass(frozen=True)
class Complaint:
    file: str
    line: int
    """Counted from 1."""
    column: int
    text: str


class Complaints:
    """Fed line by line; the first ten are kept."""

    def __init__(self) -> None:
        self.found: list[Complaint] = []

    def feed(self, line: str) -> None:
        match = _COMPLAINT.fullmatch(plain(line).strip())
        if match and len(self.found) < _MOST:
            self.found.append(Complaint(match[1], int(match[2]), int(match[3] or 1), match[4]))

    def as_patch(self) -> list[dict[str, Any]]:
        """As `state.hello_go.build.complaints` holds them."""
        return [asdict(one) for one in self.found]
