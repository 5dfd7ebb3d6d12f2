"""How far somebody got, and what is being presented: kept over reload and restart, in tables of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sql
from sqlalchemy.dialects.sqlite import insert

from services.words.said import packed, unpacked

_tables = sql.MetaData()
_exercises = sql.Table(
    "exercises_begun",
    _tables,
    sql.Column("workspace", sql.String, primary_key=True),
    sql.Column("exercise", sql.String, primary_key=True),
    sql.Column("begun_at", sql.String, nullable=False),
    sql.Column("extra_minutes", sql.Integer, nullable=False),
    sql.Column("step", sql.String),
)
_steps = sql.Table(
    "exercise_steps",
    _tables,
    sql.Column("workspace", sql.String, primary_key=True),
    sql.Column("exercise", sql.String, primary_key=True),
    sql.Column("step", sql.String, primary_key=True),
    sql.Column("since", sql.Integer, nullable=False),
    sql.Column("passed_at", sql.String),
    sql.Column("results", sql.String, nullable=False),
)
_presented = sql.Table(
    "exercise_presented",
    _tables,
    sql.Column("workspace", sql.String, primary_key=True),
    sql.Column("exercise", sql.String, nullable=False),
    sql.Column("step", sql.String, nullable=False),
)


class Progress:
    """Rows by workspace, exercise and step; no more rules than that."""

    def __init__(self, engine: sql.Engine) -> None:
        """The tables are made where they are missing."""
        self._engine = engine
        _tables.create_all(engine)

    def begun(self, workspace: str) -> dict[str, dict[str, Any]]:
        """Exercise → when it was begun, how much it was extended, which step is open."""
        query = sql.select(_exercises).where(_exercises.c.workspace == workspace)
        with self._engine.connect() as connection:
            return {row.exercise: _plain(row) for row in connection.execute(query)}

    def steps(self, workspace: str, exercise: str | None = None) -> dict[tuple[str, str], dict[str, Any]]:
        """(exercise, step) → since which event it counts, when it was passed, what its checks saw then."""
        query = sql.select(_steps).where(_steps.c.workspace == workspace)
        if exercise is not None:
            query = query.where(_steps.c.exercise == exercise)
        with self._engine.connect() as connection:
            rows = [_plain(row) for row in connection.execute(query)]
        return {
            (row["exercise"], row["step"]): row | {"results": unpacked(json.loads(row["results"]))}
            for row in rows
        }

    def begin(self, workspace: str, exercise: str, at: str, step: str) -> None:
        """Note the beginning, once, and the step that is open."""
        new = insert(_exercises).values(
            workspace=workspace, exercise=exercise, begun_at=at, extra_minutes=0, step=step
        )
        self._do(new.on_conflict_do_update(index_elements=_exercises.primary_key, set_={"step": step}))

    def extend(self, workspace: str, exercise: str, minutes: int) -> None:
        """So many minutes more."""
        more = _exercises.c.extra_minutes + minutes
        self._do(_exercises.update().where(_is(_exercises, workspace, exercise)).values(extra_minutes=more))

    def step(
        self,
        workspace: str,
        exercise: str,
        step: str,
        *,
        since: int,
        passed_at: str | None = None,
        results: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        """Note a step as it is now."""
        values = {"since": since, "passed_at": passed_at, "results": json.dumps(packed(list(results or ())))}
        new = insert(_steps).values(workspace=workspace, exercise=exercise, step=step, **values)
        self._do(new.on_conflict_do_update(index_elements=_steps.primary_key, set_=values))

    def forget(self, workspace: str, exercise: str) -> None:
        """As if it had never been begun."""
        with self._engine.begin() as connection:
            for table in (_exercises, _steps):
                connection.execute(table.delete().where(_is(table, workspace, exercise)))

    def presented(self, workspace: str) -> dict[str, str] | None:
        """Exercise and step on the projector; None when nothing is presented."""
        query = sql.select(_presented.c.exercise, _presented.c.step).where(
            _presented.c.workspace == workspace
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return {"exercise": row.exercise, "step": row.step} if row else None

    def present(self, workspace: str, exercise: str | None, step: str | None) -> None:
        """Put a step on the projector, or with None take it away."""
        if exercise is None or step is None:
            self._do(_presented.delete().where(_presented.c.workspace == workspace))
            return
        values = {"exercise": exercise, "step": step}
        new = insert(_presented).values(workspace=workspace, **values)
        self._do(new.on_conflict_do_update(index_elements=_presented.primary_key, set_=values))

    def _do(self, change: sql.Executable) -> None:
        with self._engine.begin() as connection:
            connection.execute(change)


def _is(table: sql.Table, workspace: str, exercise: str) -> sql.ColumnElement[bool]:
    return sql.and_(table.c.workspace == workspace, table.c.exercise == exercise)


def _plain(row: sql.Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)
