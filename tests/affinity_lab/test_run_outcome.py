"""How a cell is counted out of the log's lines, and how a run is written into a table."""

import csv
import io
import json
from dataclasses import asdict

import sqlalchemy

from services.affinity_lab.runs.export import FIELDS, as_csv
from services.affinity_lab.runs.outcome import Watch, outcome
from services.affinity_lab.runs.plan import Cell, Plan
from services.affinity_lab.runs.store import RunStore
from services.events.event import Event

NAMES = ("replica-1", "replica-2")


def line(seq, kind, visitor, second=0.0, source="visitors", **data):
    at = f"2026-11-22T19:20:{second:06.3f}Z"
    return Event(seq, at, source, kind, "info", "", {"visitor": visitor} | data)


def watched(*lines, visitors=("visitor-1", "visitor-2", "visitor-3"), attempts=2):
    watch = Watch(frozenset(visitors), attempts)
    watch.take(lines)
    return watch


def test_each_visitor_counts_once_by_what_came_of_it_first():
    watch = watched(
        line(1, "visitor.reconnecting", "visitor-1", 1.0, attempt=1),
        line(2, "visitor.connected", "visitor-1", 1.25, memory="kept", replica="replica-1", ms=9),
        line(3, "visitor.reconnecting", "visitor-1", 2.0, attempt=1),
        line(4, "visitor.connected", "visitor-2", 3.0, memory="lost", replica="replica-2", ms=80),
        line(5, "visitor.failed", "visitor-3"),
        line(5, "visitor.connected", "visitor-3", 4.0, memory="lost", replica="replica-1", ms=7),
        line(5, "visitor.failed", "visitor-1"),
        line(6, "visitor.connected", "visitor-4", memory="new", replica="replica-2", ms=5),
    )
    assert watch.done
    found = outcome(watch, NAMES)
    assert (found.n, found.back, found.kept, found.lost, found.failed, found.away) == (3, 2, 1, 1, 1, 0)
    assert found.seconds == {"median": 0.08, "p95": 0.25, "slowest": 0.25}
    assert found.load == {"replica-1": 1, "replica-2": 1}


def test_who_tried_as_often_as_is_waited_for_is_away_and_so_is_who_is_not_heard_of():
    watch = watched(
        line(1, "visitor.reconnecting", "visitor-1", attempt=1),
        line(2, "visitor.reconnecting", "visitor-1", attempt=2),
        line(3, "visitor.reconnecting", "visitor-1", attempt=3),
        line(4, "visitor.reconnecting", "visitor-2", attempt=2),
    )
    assert not watch.done
    watch.close()
    found = outcome(watch, NAMES)
    assert (found.n, found.back, found.away, found.seconds) == (3, 0, 3, None)


def test_requests_are_counted_at_the_replica_that_was_asked():
    watch = watched(
        line(1, "page.served", "visitor-1", source="replica-1"),
        line(2, "connection.refused", "visitor-1", source="replica-2", method="GET", holder="replica-1"),
        line(2, "connection.refused", "visitor-1", source="replica-2", method="DELETE"),
        line(3, "page.served", "browser-1", source="replica-1"),
    )
    watch.close()
    assert outcome(watch, NAMES).requests == {"replica-1": 1, "replica-2": 1}


def test_a_run_is_a_table_with_a_line_a_cell():
    watch = watched(line(1, "visitor.failed", "visitor-1"), visitors=("visitor-1",))
    cell = asdict(Cell("none", "auto", "drop")) | {"theory": None}
    run = {"id": 4, "phase": "cancelled", "asked_at": "2026-11-22T19:20:00.000Z", "plan": Plan().as_dict()}
    [row] = csv.DictReader(
        io.StringIO(as_csv(run | {"cells": [cell | {"outcome": outcome(watch, NAMES).as_dict()}]}))
    )
    assert tuple(row) == FIELDS
    assert (row["run"], row["phase"], row["n"], row["back"], row["back_share"]) == (
        "4",
        "cancelled",
        "1",
        "0",
        "0.0",
    )
    assert (row["theory_back_share"], row["median_s"], row["load"]) == ("", "", "replica-1=0 replica-2=0")


def test_a_run_of_an_older_dashboard_is_read_with_the_keys_it_had(tmp_path):
    """They had one kind, in the plan; where nothing was stored, each replica's own."""
    database = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'runs.sqlite'}")
    store = RunStore(database, "demo")
    run = store.add(Plan())
    old = {name: value for name, value in Plan().as_dict().items() if name != "keys"}
    with database.begin() as connection:
        words = "UPDATE runs SET plan = :plan"
        connection.execute(sqlalchemy.text(words), {"plan": json.dumps(old | {"shared_keys": True})})
    cell = {name: value for name, value in asdict(Cell("none", "auto", "drop")).items() if name != "keys"}
    store.add_cell(run, 0, cell, {})
    found = store.get(run)
    assert found["plan"]["keys"] == ["shared"] and "shared_keys" not in found["plan"]
    assert found["cells"] == [cell | {"keys": "shared"}]
