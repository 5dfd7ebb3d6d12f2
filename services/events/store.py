"""Events on disk: SQLite in WAL mode through SQLAlchemy, so that a killed dashboard loses nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.dialects.sqlite import insert

from services.events.event import Event
from services.events.found import found
from services.events.outline import Outline, ends, outline
from services.events.search import VISITOR, Search
from services.settings import BadSetting

_BEYOND = 2**62
_tables = sql.MetaData()

_events = sql.Table(
    "events",
    _tables,
    sql.Column("workspace", sql.String, primary_key=True),
    sql.Column("seq", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("at", sql.String, nullable=False),
    sql.Column("source", sql.String, nullable=False),
    sql.Column("kind", sql.String, nullable=False),
    sql.Column("level", sql.String, nullable=False),
    sql.Column("text", sql.String, nullable=False),
    sql.Column("data", sql.String, nullable=False),
    sql.Column("patch", sql.String, nullable=False),
    sqlite_with_rowid=False,
)
_INDEXES = (
    f"CREATE INDEX IF NOT EXISTS events_of_a_visitor ON events (workspace, {VISITOR}, seq)",
    "CREATE INDEX IF NOT EXISTS events_by_kind ON events (workspace, kind, level, source, seq)",
    "CREATE INDEX IF NOT EXISTS events_by_time ON events (workspace, at, seq)",
)
_ABOUT = (
    "SELECT * FROM events INDEXED BY events_of_a_visitor WHERE workspace = :workspace "
    f"AND {VISITOR} = :visitor AND seq > :after AND seq < :before ORDER BY seq"
)
"""Left alone, SQLite walks the primary key of a table without rowid: 25 ms instead of 4 in 100,000 events."""
_cursors = sql.Table(
    "cursors",
    _tables,
    sql.Column("workspace", sql.String, primary_key=True),
    sql.Column("instance_id", sql.String, primary_key=True),
    sql.Column("cursor", sql.String, nullable=False),
)
_states = sql.Table(
    "states",
    _tables,
    sql.Column("workspace", sql.String, primary_key=True),
    sql.Column("seq", sql.Integer, nullable=False),
    sql.Column("state", sql.String, nullable=False),
)


class Store:
    """Events, log cursors and the last saved state of every workspace."""

    def __init__(self, url: str) -> None:
        """Open or make the database; raises BadSetting when that cannot be."""
        try:
            self._engine = _open(url)
            _tables.create_all(self._engine)
            with self._engine.begin() as connection:
                for index in _INDEXES:
                    connection.execute(sql.text(index))
        except (sql.exc.SQLAlchemyError, ImportError, OSError) as error:
            reason = getattr(error, "orig", None) or error
            raise BadSetting(f"LAB_DATABASE_URL cannot be used: {str(reason).splitlines()[0]}") from error

    @property
    def database(self) -> sql.Engine:
        """For tables of other rooms, which they make and know themselves."""
        return self._engine

    def append(
        self,
        workspace: str,
        events: Sequence[Event],
        cursors: Mapping[str, str],
        state: tuple[int, str] | None = None,
    ) -> None:
        """Write all of it or nothing: events, how far each service's output was read, maybe the state."""
        with self._engine.begin() as connection:
            if events:
                connection.execute(_events.insert(), [_row(workspace, event) for event in events])
            for instance_id, cursor in cursors.items():
                self._upsert(
                    connection, _cursors, workspace=workspace, instance_id=instance_id, cursor=cursor
                )
            if state:
                self._upsert(connection, _states, workspace=workspace, seq=state[0], state=state[1])

    def read(
        self,
        workspace: str,
        *,
        after: int = 0,
        limit: int = 1000,
        source: str | None = None,
        kind: str | None = None,
    ) -> list[Event]:
        """Events with `seq` > after, ascending, at most `limit`; a kind ending in `.` means all below it."""
        search = Search(sources=(source,) if source else (), kinds=(kind,) if kind else ())
        return self.find(workspace, search, after=after, limit=limit)

    def find(
        self,
        workspace: str,
        search: Search,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int = 1000,
    ) -> list[Event]:
        """Ascending, at most `limit`: the first after `after`, with `before` the last before it."""
        with self._engine.connect() as connection:
            low, high = after + 1, _BEYOND if before is None else before - 1
            if search.words:
                first, last = ends(connection, workspace)
                low, high = max(low, first), min(high, last)
            seqs = found(connection, workspace, search, low, high, backwards=before is not None, limit=limit)
            query = sql.select(_events).where(_events.c.workspace == workspace, _events.c.seq.in_(list(seqs)))
            return [_event(row) for row in connection.execute(query.order_by(_events.c.seq))]

    def since(self, workspace: str, at: str) -> int | None:
        """The number of the first event at or after that moment; None when there is none so late."""
        query = sql.select(_events.c.seq).where(_events.c.workspace == workspace, _events.c.at >= at)
        with self._engine.connect() as connection:
            return connection.scalar(query.order_by(_events.c.at, _events.c.seq).limit(1))

    def outline(self, workspace: str, search: Search, every: int) -> Outline:
        """How many events are meant, and the number of each `every`-th of them."""
        with self._engine.connect() as connection:
            return outline(connection, workspace, search, every)

    def tail(self, workspace: str, count: int) -> list[Event]:
        """The newest `count` events, ascending."""
        newest = sql.select(_events).where(_events.c.workspace == workspace)
        return self._fetch(newest.order_by(_events.c.seq.desc()).limit(count))[::-1]

    def about(
        self, workspace: str, visitor: str, *, before: int | None = None, after: int = 0, limit: int = 200
    ) -> list[Event]:
        """The lines of one visitor, ascending: the newest `limit` before that seq, else the first after."""
        newest = before is not None
        query = sql.text(f"{_ABOUT} {'DESC' if newest else 'ASC'} LIMIT :limit").bindparams(
            workspace=workspace, visitor=visitor, after=after, before=before or _BEYOND, limit=limit
        )
        found = self._fetch(query)
        return found[::-1] if newest else found

    def last_seq(self, workspace: str) -> int:
        """The highest `seq` ever stored, also when the events are cleared; 0 for a new workspace."""
        newest = sql.select(sql.func.max(_events.c.seq)).where(_events.c.workspace == workspace)
        saved = sql.select(_states.c.seq).where(_states.c.workspace == workspace)
        with self._engine.connect() as connection:
            return max(connection.scalar(newest) or 0, connection.scalar(saved) or 0)

    def cursor(self, workspace: str, instance_id: str) -> str | None:
        """How far the output of that instance was read; None if never."""
        query = sql.select(_cursors.c.cursor).where(
            _cursors.c.workspace == workspace, _cursors.c.instance_id == instance_id
        )
        with self._engine.connect() as connection:
            return connection.scalar(query)

    def saved_state(self, workspace: str) -> tuple[int, dict[str, Any]] | None:
        """The last saved state with the `seq` that it includes."""
        query = sql.select(_states.c.seq, _states.c.state).where(_states.c.workspace == workspace)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return (row.seq, json.loads(row.state)) if row else None

    def clear(self, workspace: str, seq: int) -> None:
        """Forget events, cursors and state; numbering goes on after `seq`, so no watcher is misled."""
        with self._engine.begin() as connection:
            for table in (_events, _cursors):
                connection.execute(table.delete().where(table.c.workspace == workspace))
            self._upsert(connection, _states, workspace=workspace, seq=seq, state="{}")

    def workspaces(self) -> list[str]:
        """Names of all workspaces that have left a trace."""
        with self._engine.connect() as connection:
            return sorted(connection.scalars(sql.select(_states.c.workspace).distinct()))

    def close(self) -> None:
        """Close the database's files."""
        self._engine.dispose()

    def _fetch(self, query: sql.Executable) -> list[Event]:
        with self._engine.connect() as connection:
            return [_event(row) for row in connection.execute(query)]

    @staticmethod
    def _upsert(connection: sql.Connection, table: sql.Table, **values: Any) -> None:
        change = insert(table).values(**values)
        connection.execute(change.on_conflict_do_update(index_elements=table.primary_key, set_=values))


def _open(url: str) -> sql.Engine:
    address = sql.make_url(url)
    if address.get_backend_name() != "sqlite":
        raise OSError("only SQLite is supported, such as sqlite:////var/lib/labdeck/labdeck.db")
    if address.database and address.database != ":memory:":
        Path(address.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = sql.create_engine(address)
    sql.event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    """WAL: readers never wait for the writer; NORMAL: safe against SIGKILL (sqlite.org/wal.html)."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}").close()


def _row(workspace: str, event: Event) -> dict[str, Any]:
    values = {name: getattr(event, name) for name in ("seq", "at", "source", "kind", "level", "text")}
    return values | {"workspace": workspace, "data": _dump(event.data), "patch": _dump(event.patch)}


def _event(row: Any) -> Event:
    return Event(
        row.seq,
        row.at,
        row.source,
        row.kind,
        row.level,
        row.text,
        json.loads(row.data),
        json.loads(row.patch),
    )


def _dump(value: Mapping[str, Any] | Iterable[Any]) -> str:
    return json.dumps(value, separators=(",", ":"))
