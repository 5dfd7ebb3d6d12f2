"""What a benchmark gives: a table that reads well on a terminal and is Markdown as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class Skipped(Exception):
    """This machine cannot measure it; the message says why."""


@dataclass(frozen=True)
class Table:
    """Rows of words, and what has to be known to read them."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.columns))]
        rule = ["-" * width for width in widths]
        shown = [_row(line, widths) for line in (self.columns, rule, *self.rows)]
        return "\n".join([*shown, *(["", *(f"- {note}" for note in self.notes)] if self.notes else [])])


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
