"""Runs on disk, beside the events: what was measured is there as soon as its cell is over."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sql

from services.affinity_lab.runs.plan import Plan
from services.events.event import now
from services.words.said import packed, unpacked

_tables = sql.MetaData()
_runs = sql.Table(
    "runs",
    _tables,
    sql.Column("workspace", sql.String, primary_key=True),
    sql.Column("id", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("phase", sql.String, nullable=False),
    sql.Column("asked_at", sql.String, nullable=False),
    sql.Column("ended_at", sql.String),
    sql.Column("plan", sql.String, nullable=False),
    sql.Column("before", sql.String),
    sql.Column("error", sql.String),
    sql.Column("first_seq", sql.Integer),
    sql.Column("last_seq", sql.Integer),
)
_cells = sql.Table(
    "run_cells",
    _tables,
    sql.Column("workspace", sql.String, primary_key=True),
    sql.Column("run", sql.Integer, primary_key=True),
    sql.Column("place", sql.Integer, primary_key=True),
    sql.Column("cell", sql.String, nullable=False),
    sql.Column("state", sql.String, nullable=False),
)
_TOLD = ("id", "phase", "asked_at", "ended_at", "plan", "error", "first_seq", "last_seq")


class RunStore:
    """The runs of one workspace, numbered from 1."""

    def __init__(self, database: sql.Engine, workspace: str) -> None:
        self._database = database
        self._workspace = workspace
        _tables.create_all(database)

    def add(self, plan: Plan) -> int:
        """A new run that waits for its turn; its number."""
        with self._database.begin() as connection:
            newest = sql.select(sql.func.max(_runs.c.id)).where(_runs.c.workspace == self._workspace)
            id = (connection.scalar(newest) or 0) + 1
            row = {"workspace": self._workspace, "id": id, "phase": "waiting", "asked_at": now()}
            connection.execute(_runs.insert().values(**row, plan=json.dumps(plan.as_dict())))
        return id

    def begin(self, id: int, before: dict[str, Any], seq: int) -> None:
        """It measures from now on, after that event; `before` is what the lab is to be put back to."""
        self._change(id, phase="measuring", before=json.dumps(before), first_seq=seq + 1)

    def add_cell(self, id: int, place: int, cell: dict[str, Any], state: dict[str, Any]) -> None:
        """`state` is what a replay of the cell begins with."""
        row = {"workspace": self._workspace, "run": id, "place": place, "cell": json.dumps(packed(cell))}
        with self._database.begin() as connection:
            connection.execute(_cells.insert().values(**row, state=json.dumps(state, separators=(",", ":"))))

    def end(self, id: int, phase: str, last_seq: int, error: dict[str, str] | None = None) -> None:
        """It is finished, cancelled, failed or cut off; what was measured stays."""
        told = json.dumps(packed(error)) if error else None
        self._change(id, phase=phase, ended_at=now(), last_seq=last_seq, error=told)

    def all(self) -> list[dict[str, Any]]:
        """All runs with their cells counted, the newest first."""
        count = sql.select(sql.func.count()).where(
            _cells.c.workspace == _runs.c.workspace, _cells.c.run == _runs.c.id
        )
        columns = [_runs.c[name] for name in _TOLD]
        query = sql.select(*columns, count.scalar_subquery().label("measured"))
        mine = query.where(_runs.c.workspace == self._workspace).order_by(_runs.c.id.desc())
        with self._database.connect() as connection:
            return [_told(row) for row in connection.execute(mine).mappings()]

    def get(self, id: int) -> dict[str, Any] | None:
        """One run with its cells in the order of its plan; None when there is no such run."""
        row = self._row(id)
        if row is None:
            return None
        mine = (_cells.c.workspace == self._workspace) & (_cells.c.run == id)
        query = sql.select(_cells.c.cell).where(mine).order_by(_cells.c.place)
        with self._database.connect() as connection:
            cells = [unpacked(json.loads(cell)) for cell in connection.scalars(query)]
        told = _told({name: row[name] for name in _TOLD} | {"measured": len(cells)})
        return told | {"cells": [{"keys": told["plan"]["keys"][0]} | cell for cell in cells]}

    def before(self, id: int) -> dict[str, Any] | None:
        """What the lab was before that run; None when it had not begun."""
        row = self._row(id)
        return json.loads(row["before"]) if row and row["before"] else None

    def state(self, id: int, place: int) -> dict[str, Any] | None:
        """The state that a replay of that cell begins with; None when it was not measured."""
        mine = (_cells.c.workspace == self._workspace) & (_cells.c.run == id) & (_cells.c.place == place)
        with self._database.connect() as connection:
            found = connection.scalar(sql.select(_cells.c.state).where(mine))
        return json.loads(found) if found else None

    def clear(self) -> None:
        """Forget all runs of the workspace."""
        with self._database.begin() as connection:
            for table in (_runs, _cells):
                connection.execute(table.delete().where(table.c.workspace == self._workspace))

    def _row(self, id: int) -> Any:
        query = sql.select(_runs).where(_runs.c.workspace == self._workspace, _runs.c.id == id)
        with self._database.connect() as connection:
            return connection.execute(query).mappings().first()

    def _change(self, id: int, **values: Any) -> None:
        mine = (_runs.c.workspace == self._workspace) & (_runs.c.id == id)
        with self._database.begin() as connection:
            connection.execute(_runs.update().where(mine).values(**values))


def _told(row: Any) -> dict[str, Any]:
    found = dict(row)
    found["plan"] = _plan(json.loads(found["plan"]))
    found["error"] = unpacked(json.loads(found["error"])) if found["error"] else None
    return found


def _plan(stored: dict[str, Any]) -> dict[str, Any]:
    """Runs of older dashboards measured with one kind of keys."""
    shared = stored.pop("shared_keys", False)
    return {"keys": ["shared" if shared else "own"]} | stored
