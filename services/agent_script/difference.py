"""Two scripts side by side, command by command, with what differs marked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

_WORDS = re.compile(r"\w+|\W")


def difference(default: Sequence[str], yours: Sequence[str]) -> list[dict[str, Any]]:
    """One row a command: `{"line", "default", "yours", "changed"}`; a side is of `{"text", "changed"}`."""
    rows = zip_longest(default, yours, fillvalue="")
    return [_row(number, left, right) for number, (left, right) in enumerate(rows, 1)]


def _row(number: int, left: str, right: str) -> dict[str, Any]:
    """Whole words are marked: x64 → arm, not the letters that happen to agree."""
    ours, theirs = _WORDS.findall(left), _WORDS.findall(right)
    steps = SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
    sides = (
        ("default", [(ours[a:b], tag) for tag, a, b, _, _ in steps]),
        (
            "yours",
            [(theirs[c:d], tag) for tag, _, _, c, d in steps],
        ),
    )
    row: dict[str, Any] = {"line": number, "changed": left != right}
    for name, pieces in sides:
        row[name] = [{"text": "".join(words), "changed": tag != "equal"} for words, tag in pieces if words]
    return row
