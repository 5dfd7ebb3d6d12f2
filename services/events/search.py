"""Which lines of a log are meant: what the page's filters, a download and the API have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sql

from services.events.outcomes import kinds_with

VISITOR = "CASE WHEN json_valid(data) THEN json_extract(data, '$.visitor') END"
"""An expression, so that a database of an earlier Labdeck needs no new column; NaN is no JSON to SQLite."""
_NAMED = " || ' ' || ".join(
    f"coalesce(json_extract(data, '$.{name}'), '')" for name in ("visitor", "connection", "circuit")
)
_SAID = f"lower(source || ' ' || kind || ' ' || text || ' ' || iif(json_valid(data), {_NAMED}, '') || ' ')"
_source = sql.column("source", sql.String)
_kind = sql.column("kind", sql.String)
_level = sql.column("level", sql.String)
_MOST_WORDS = 10


@dataclass(frozen=True, slots=True)
class Search:
    """Every part that is given must fit; of several values in one part, any."""

    sources: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    """One that ends in `.` means all kinds below it."""
    levels: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    visitor: str | None = None
    words: tuple[str, ...] = ()
    """Each must occur in the line or be part of its visitor, connection or circuit; small letters or not."""

    @property
    def everything(self) -> bool:
        return self == Search()

    def conditions(self) -> list[sql.ColumnElement[bool]]:
        """As SQL, the cheap ones first."""
        found: list[sql.ColumnElement[bool]] = []
        if self.kinds:
            found.append(sql.or_(*map(_of_kind, self.kinds)))
        for column, values in ((_source, self.sources), (_level, self.levels)):
            if values:
                found.append(column.in_(values))
        if self.outcomes:
            found.append(_with_outcome(self.outcomes))
        if self.visitor is not None:
            found.append(sql.literal_column(VISITOR) == self.visitor)
        return found + [_says(word) for word in self.words]


def words_of(text: str) -> tuple[str, ...]:
    """The words of a search field, without doubles, at most ten."""
    return tuple(dict.fromkeys(_small(text).split()))[:_MOST_WORDS]


def listed(text: str | None) -> tuple[str, ...]:
    """`replica-1,replica-2` as two values; None as none."""
    return tuple(dict.fromkeys(part for part in (text or "").split(",") if part))


def _of_kind(kind: str) -> sql.ColumnElement[bool]:
    return _kind.startswith(kind, autoescape=True) if kind.endswith(".") else _kind == kind


def _with_outcome(wanted: Iterable[str]) -> sql.ColumnElement[bool]:
    by_level = kinds_with(set(wanted))
    return sql.or_(*(sql.and_(_level == level, _kind.in_(kinds)) for level, kinds in by_level.items()))


def _says(word: str) -> sql.ColumnElement[bool]:
    """`visitor-7` is not found in visitor-70."""
    said = sql.literal_column(_SAID, sql.String)
    if not re.search(r"[0-9]$", word):
        return sql.func.instr(said, word) > 0
    plain = re.sub(r"[*?[]", r"[\g<0>]", word)
    return said.op("GLOB")(f"*{plain}[^0-9]*")


def _small(text: str) -> str:
    """As SQLite's `lower` does it: only A to Z."""
    return re.sub("[A-Z]+", lambda found: found[0].lower(), text)
