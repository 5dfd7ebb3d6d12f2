"""The calls of runs: measure, cancel, list, read, export, replay."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from services.affinity_lab.lab import AffinityLab
from services.affinity_lab.runs.plan import FIRST_ATTEMPTS, FIRST_VISITORS, MOST_VISITORS
from services.errors import NotFound, WrongPhase
from services.web.access import asker
from services.web.answers import Answer, JobAccepted, Problem
from services.web.calls import Calls
from services.web.schemas import Body
from services.words import say
from services.workspaces.workspace import Workspace

calls = Calls()
"""Every call of runs."""

Affinity = Literal["none", "cookie", "source_ip"]
Transport = Literal["auto", "WebSockets", "skip", "ServerSentEvents", "LongPolling"]
SituationName = Literal[
    "first_connect", "drop", "replica_death", "replica_stop", "drain", "page_reload", "away"
]
Keys = Literal["own", "shared", "store"]


class AskRun(Body):
    """What to measure; what is left out is all of it, with the lab as it is set now.

    Of the situations four are measured unless others are asked for. Where `keys` differ from what the
    replicas were started with, they restart one after the other, and again when the run is over.
    """

    at_most: ClassVar = {"replicas": "max_replicas"}
    n: int = Field(FIRST_VISITORS, ge=1, le=MOST_VISITORS, description="Visitors in each cell.")
    affinities: Annotated[list[Affinity] | None, Field(min_length=1, max_length=3)] = None
    transports: Annotated[list[Transport] | None, Field(min_length=1, max_length=5)] = None
    situations: Annotated[list[SituationName] | None, Field(min_length=1, max_length=7)] = None
    keys: Annotated[list[Keys] | None, Field(min_length=1, max_length=3)] = None
    replicas: int | None = Field(None, ge=1)
    algorithm: Literal["round_robin", "least_request", "random"] | None = None
    attempts: int = Field(FIRST_ATTEMPTS, ge=1, le=4, description="Tries to reconnect that are waited for.")

    def wanted(self) -> dict[str, Any]:
        """Only what was given, each name once."""
        return {
            name: list(dict.fromkeys(value)) if isinstance(value, list) else value
            for name, value in self.given().items()
        }


class ReplayQuery(BaseModel):
    """Which cell, in the order in which they were measured."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    cell: int = Field(0, ge=0, le=1000)


class RunAccepted(JobAccepted):
    """The run is queued under its number; its cells arrive as events."""

    run: int


class Cancelling(Answer):
    """It ends after what it is at; the event `run.cancelled` says when."""

    run: int
    cancelling: bool


class RunPlan(Answer):
    """What was asked of a run."""

    n: int
    affinities: list[str]
    transports: list[str]
    situations: list[str]
    replicas: int
    algorithm: str
    attempts: int
    app: str
    keys: list[str]
    engine: str


class RunSummary(Answer):
    """A run without its cells; `measured` says how many there are."""

    id: int
    phase: Literal["waiting", "measuring", "finished", "cancelled", "failed", "cut_off"]
    asked_at: str
    ended_at: str | None
    plan: RunPlan
    error: Problem | None
    measured: int


class OfferedSituation(Answer):
    """Something that can happen; it takes roughly `seconds`, and `seconds_each` for each visitor."""

    name: str
    label: str
    title: str
    first: bool
    """Measured unless others are asked for."""
    seconds: float
    seconds_each: float


class OfferedTables(Answer):
    """Parts of a run that shows what affinity, keys and a shared store cure, and how long that takes."""

    affinities: list[str]
    transports: list[str]
    keys: list[str]
    situations: list[str]
    seconds: float
    seconds_each: float


class OfferedTransport(Answer):
    """One way to connect."""

    name: str
    label: str


class RunOffer(Answer):
    """What can be asked of a run: with `n` visitors a cell, at `most` so many, in these situations."""

    app: str
    n: int
    most: int
    situations: list[OfferedSituation]
    transports: list[OfferedTransport]
    keys: list[str]
    restart_seconds: float
    """Roughly how long it takes to have other keys, or another time to keep a memory."""
    tables: OfferedTables


class RunList(Answer):
    """All runs, the newest first, and what can be asked of the next one."""

    runs: list[RunSummary]
    offer: RunOffer


class CellOutcome(Answer):
    """Of `n` visitors `back` are connected, some with memory `kept`, some with it `lost`; the rest is not."""

    n: int
    back: int
    kept: int
    lost: int
    failed: int
    away: int
    seconds: dict[str, float] | None
    load: dict[str, int]
    requests: dict[str, int]


class CellTheory(Answer):
    """Expected shares from 0 to 1, and why."""

    back: float
    kept: float
    why: str


class RunCell(Answer):
    """One experiment of a run; `theory` is null where there is no number.

    `differs` has a sentence for each figure that chance does not explain; null in runs of older dashboards.
    """

    affinity: str
    transport: str
    situation: str
    keys: str
    outcome: CellOutcome
    theory: CellTheory | None
    differs: list[str] | None = None
    first_seq: int
    last_seq: int


class Run(RunSummary):
    """A run with all cells that were measured, and how its situations and transports are called."""

    cells: list[RunCell]
    labels: dict[str, dict[str, dict[str, str]]]


class RunTable(Answer):
    """A line a cell, for a spreadsheet."""


class Replay(Answer):
    """Fold the events from `first_seq` to `last_seq` into `state` to see the cell again."""

    run: int
    cell: int
    state: dict[str, Any]
    first_seq: int
    last_seq: int


@calls("POST", "/runs", RunAccepted, body=AskRun)
def start_run(workspace: Workspace, body: AskRun) -> dict[str, Any]:
    """Measure the matrix; afterwards the lab is set as before, with fresh visitors."""
    return workspace.lab(AffinityLab).runs.start(body.wanted(), asker())


@calls("GET", "/runs", RunList)
def list_runs(workspace: Workspace) -> dict[str, Any]:
    """All runs, the newest first, and what can be asked of the next one."""
    return workspace.lab(AffinityLab).runs.all()


@calls("GET", "/runs/<run>", Run)
def read_run(workspace: Workspace, run: str) -> dict[str, Any]:
    """One run with its cells, also while it measures."""
    return workspace.lab(AffinityLab).runs.get(_number(run))


@calls("GET", "/runs/<run>/csv", RunTable, media=("text/csv",))
def read_run_as_csv(workspace: Workspace, run: str) -> Response:
    """One run as a table, a line a cell."""
    return Response(workspace.lab(AffinityLab).runs.csv(_number(run)), mimetype="text/csv")


@calls("GET", "/runs/<run>/replay", Replay, query=ReplayQuery)
def read_replay(workspace: Workspace, run: str, query: ReplayQuery) -> dict[str, Any]:
    """Where a replay of a cell begins, and which part of the log it is."""
    return workspace.lab(AffinityLab).runs.replay(_number(run), query.cell)


@calls("POST", "/runs/<run>/cancel", Cancelling, raises=(WrongPhase,))
def cancel_run(workspace: Workspace, run: str) -> dict[str, Any]:
    """End a run that measures; what it has measured is kept, and the lab is put back."""
    return workspace.lab(AffinityLab).runs.cancel(_number(run))


def _number(run: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,8}", run, re.ASCII):
        raise NotFound(
            say("There is no run %(value)s.", value=repr(run[:20])), hint=say("Runs are numbered from 1.")
        )
    return int(run)
