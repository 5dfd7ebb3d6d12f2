"""The numbers of the lines that are meant, found so that nobody else waits long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sql

from services.events.search import Search

_AT_ONCE = 2_000
"""Lines searched for words before others get their turn: a quarter of a second in 100,000 would be felt."""
_workspace, _seq = sql.column("workspace", sql.String), sql.column("seq", sql.Integer)


def found(
    connection: sql.Connection,
    workspace: str,
    search: Search,
    low: int,
    high: int,
    *,
    backwards: bool = False,
    limit: int | None = None,
) -> Iterator[int]:
    """Ascending from `low` to `high`, both included, or backwards; at most `limit`.

    Left alone, SQLite walks the lines themselves, because they are in order. The index has all that is
    asked for but words: 20 ms instead of 200 in 100,000 lines, where few of them are meant.
    """
    query = sql.select(_seq).where(_workspace == workspace, *search.conditions())
    query = query.select_from(sql.text(_table(search))).order_by(_seq.desc() if backwards else _seq)
    if search.words:
        yield from _portions(connection, query, low, high, backwards, limit)
        return
    yield from connection.scalars(query.where(_seq.between(low, high)).limit(limit))


def _table(search: Search) -> str:
    if search.words or search.everything:
        return "events"
    return f"events INDEXED BY {'events_by_kind' if search.visitor is None else 'events_of_a_visitor'}"


def _portions(
    connection: sql.Connection,
    query: sql.Select[Any],
    low: int,
    high: int,
    backwards: bool,
    limit: int | None,
) -> Iterator[int]:
    left = limit
    for start in _starts(low, high, backwards):
        end = min(high, start + _AT_ONCE - 1)
        seqs = connection.scalars(query.where(_seq.between(start, end)).limit(left)).all()
        yield from seqs
        if left is not None:
            left -= len(seqs)
            if left == 0:
                return
        time.sleep(0)


def _starts(low: int, high: int, backwards: bool) -> range:
    starts = range(low, high + 1, _AT_ONCE)
    return starts[::-1] if backwards else starts
