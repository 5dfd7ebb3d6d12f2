"""The shape of a whole log in a few numbers: what a page needs to scroll in a hundred thousand lines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import sqlalchemy as sql

from services.events.found import found
from services.events.outcomes import outcome
from services.events.search import Search

_LINES = "events WHERE workspace = :workspace"


@dataclass(frozen=True, slots=True)
class Outline:
    """The events that are meant: how many, and where each `every`-th of them is."""

    first: int
    """The oldest event that is still there, meant or not; 0 when there is none."""
    last: int
    """The newest, meant or not. What comes later is not counted here."""
    total: int
    every: int
    starts: list[int]
    """The seq of the 1st, of the `every` + 1st, and so on."""
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    """Of all events, meant or not: how many by `outcome`, `source` and `kind`."""


def outline(connection: sql.Connection, workspace: str, search: Search, every: int) -> Outline:
    """Look through all of it."""
    first, last = ends(connection, workspace)
    if last == 0:
        return Outline(0, 0, 0, every, [], _counts(connection, workspace, 0))
    if search.everything:  # numbers have no holes
        total, starts = last - first + 1, list(range(first, last + 1, every))
    else:
        total, starts = 0, []
        for seq in found(connection, workspace, search, first, last):
            if total % every == 0:
                starts.append(seq)
            total += 1
    return Outline(first, last, total, every, starts, _counts(connection, workspace, last))


def ends(connection: sql.Connection, workspace: str) -> tuple[int, int]:
    """The oldest and the newest number that are still there; 0 and 0 when none is."""
    query = f"SELECT (SELECT min(seq) FROM {_LINES}), (SELECT max(seq) FROM {_LINES})"
    first, last = connection.execute(sql.text(query).bindparams(workspace=workspace)).one()
    return first or 0, last or 0


def _counts(connection: sql.Connection, workspace: str, last: int) -> dict[str, dict[str, int]]:
    query = sql.text(
        f"SELECT kind, level, source, count(*) FROM {_LINES} AND seq <= :last GROUP BY kind, level, source"
    )
    counts: dict[str, Counter[str]] = {"outcome": Counter(), "source": Counter(), "kind": Counter()}
    for kind, level, source, number in connection.execute(query.bindparams(workspace=workspace, last=last)):
        counts["outcome"][outcome(kind, level)] += number
        counts["source"][source] += number
        counts["kind"][kind] += number
    return {name: dict(numbers) for name, numbers in counts.items()}
