"""What a run measures: the matrix of its cells, in the order in which they are measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from services.words import say

AFFINITIES = ("none", "cookie", "source_ip")
KEYS = ("own", "shared", "store")
"""Who can read what a replica signed: itself; all; all, and a store keeps what expired beside the keys."""
MOST_VISITORS = 200
"""In one cell: with more, circuits that wait (100 a replica) would be given up while they are counted."""
FIRST_VISITORS = 20
FIRST_ATTEMPTS = 2
RECONNECT_DELAYS = (0, 2, 10, 30)
"""Seconds before each try of the client's withAutomaticReconnect()."""
BLAZOR_DELAYS = (*(0 for _ in range(10)), 5)
"""Of the script of .NET 10: ten tries at once, then one every five seconds; no more are waited for."""


@dataclass(frozen=True)
class Column:
    """One way to connect, and what the crowd is told to connect so."""

    name: str
    label: str
    crowd: Mapping[str, Any]


@dataclass(frozen=True)
class Situation:
    """One thing that happens to visitors; `title` says what is asked about them."""

    name: str
    label: str
    title: str


@dataclass(frozen=True)
class App:
    """What can be measured of an app; another app behind the replicas is another entry of `APPS`."""

    name: str
    columns: tuple[Column, ...]
    situations: tuple[Situation, ...]
    keys: tuple[str, ...]
    tables: Mapping[str, tuple[str, ...]]
    """What answers with one click what affinity, keys and a store cure: parts of a plan."""
    delays: tuple[int, ...] = RECONNECT_DELAYS
    """Seconds before each try to reconnect."""
    attempts: int = FIRST_ATTEMPTS
    """How many of them a run waits for, unless it is told otherwise."""
    restart_seconds: float = 2.0
    """Roughly, for all replicas, one after the other."""


def _column(name: str, label: str, transport: str, skip: bool = False) -> Column:
    return Column(name, label, {"transport": transport, "skip_negotiation": skip})


FIRST_SITUATIONS = (
    Situation("first_connect", say("First connect"), say("who connected at the first visit")),
    Situation("drop", say("Reconnect after drop"), say("who came back after a drop")),
    Situation("replica_death", say("Replica death"), say("who came back after a replica died")),
    Situation("page_reload", say("Page reload"), say("who connected after loading the page again")),
)
"""Measured unless a run is asked for others."""
SITUATIONS = (
    *FIRST_SITUATIONS,
    Situation("replica_stop", say("Replica stopped"), say("who came back after a replica was stopped")),
    Situation("drain", say("Drain"), say("who came back after a replica was drained")),
)
AWAY = Situation(
    "away", say("Away too long"), say("who came back after more time than a replica keeps a memory")
)
"""Asked of Blazor alone: how long it keeps one is a setting, and then there may be more than nothing left."""
APPS = {
    "circuit": App(
        "circuit",
        (
            _column("auto", say("Auto"), "auto"),
            _column("WebSockets", "WebSockets", "WebSockets"),
            _column("skip", say("WebSockets, no negotiate"), "WebSockets", skip=True),
            _column("ServerSentEvents", say("Server-sent events"), "ServerSentEvents"),
            _column("LongPolling", say("Long polling"), "LongPolling"),
        ),
        SITUATIONS,
        ("own", "shared"),
        {
            "affinities": ("none", "cookie"),
            "transports": ("auto", "skip"),
            "keys": ("own", "shared"),
            "situations": ("first_connect", "drop", "replica_death", "replica_stop", "drain"),
        },
    ),
    "blazor": App(
        "blazor",
        (
            _column("auto", say("Blazor's own"), "auto"),
            _column("WebSockets", "WebSockets", "WebSockets"),
            _column("skip", say("WebSockets, no negotiate"), "WebSockets", skip=True),
            _column("LongPolling", say("Long polling"), "LongPolling"),
        ),
        (*SITUATIONS, AWAY),
        KEYS,
        {
            "affinities": ("none", "cookie"),
            "transports": ("auto", "skip", "LongPolling"),
            "keys": KEYS,
            "situations": ("first_connect", "drop", "replica_death", "replica_stop", "drain", "away"),
        },
        BLAZOR_DELAYS,
        len(BLAZOR_DELAYS),
        6.0,
    ),
}
TRANSPORTS = tuple(column.name for column in APPS["circuit"].columns)
SITUATION_NAMES = tuple(situation.name for situation in FIRST_SITUATIONS)


@dataclass(frozen=True)
class Cell:
    """One experiment: n visitors, kept so, connecting so, and this happens to them."""

    affinity: str
    transport: str
    situation: str
    keys: str = "own"

    @property
    def words(self) -> str:
        """`none, long polling, own keys, replica death`."""
        happens = self.situation.replace("_", " ")
        how = _SPOKEN.get(self.transport, self.transport)
        return f"{self.affinity.replace('_', ' ')}, {how}, {_KEYS[self.keys]}, {happens}"

    @property
    def readable(self) -> bool:
        """Whether a replica can read what another one signed."""
        return self.keys != "own"

    @property
    def brief(self) -> bool:
        """Whether the replicas have to be set to keep a memory for a short time only."""
        return self.situation == AWAY.name

    @property
    def stage(self) -> tuple[str, bool]:
        """What the replicas have to be started with."""
        return self.keys, self.brief


_KEYS = {"own": "own keys", "shared": "shared keys", "store": "keys and memories in Redis"}
_SPOKEN = {"skip": "WebSockets without negotiate", "ServerSentEvents": "server-sent events"} | {
    "LongPolling": "long polling"
}


@dataclass(frozen=True)
class Plan:
    """All that was asked of a run, with what the lab was set to where nothing was asked."""

    n: int = FIRST_VISITORS
    affinities: tuple[str, ...] = AFFINITIES
    transports: tuple[str, ...] = TRANSPORTS
    situations: tuple[str, ...] = SITUATION_NAMES
    replicas: int = 3
    algorithm: str = "round_robin"
    attempts: int = FIRST_ATTEMPTS
    """How many tries to reconnect are waited for; the client makes them after its app's `delays`."""
    app: str = "circuit"
    keys: tuple[str, ...] = ("own",)
    engine: str = field(default="")

    @property
    def cells(self) -> list[Cell]:
        """By what the replicas are started with, then by situation, so that a table is whole early."""
        cells = [
            Cell(affinity, transport, situation, keys)
            for keys in self.keys
            for situation in self.situations
            for affinity in self.affinities
            for transport in self.transports
        ]
        return sorted(cells, key=lambda cell: (self.keys.index(cell.keys), cell.brief))

    def column(self, transport: str) -> Column:
        return next(column for column in APPS[self.app].columns if column.name == transport)

    @property
    def waits(self) -> float:
        """Seconds from the loss of a connection to the last try that is waited for."""
        return float(sum(APPS[self.app].delays[: self.attempts]))

    def as_dict(self) -> dict[str, Any]:
        """As it is stored and told."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }


def rough_seconds(plan: Plan) -> list[float]:
    """How long each cell takes, roughly; a run corrects this by what its first cells took."""
    cells = plan.cells
    anew = [i > 0 and cell.stage != cells[i - 1].stage for i, cell in enumerate(cells)]
    return [
        _rough_cell(cell, plan) + APPS[plan.app].restart_seconds * again
        for cell, again in zip(cells, anew, strict=True)
    ]


def _rough_cell(cell: Cell, plan: Plan) -> float:
    seconds = _ROUGH_SECONDS[cell.situation] + _EACH_SECONDS * plan.n
    some_fail = cell.affinity == "none" and cell.transport != "skip" and cell.situation in _BACK
    if some_fail:
        seconds += _DRAIN_SECONDS if cell.situation == "drain" else plan.waits
    return seconds


def transports_of(app: str) -> tuple[str, ...]:
    """The columns of an app by name."""
    return tuple(column.name for column in APPS[app].columns)


def offer(app: str, missing: Sequence[str] = ()) -> dict[str, Any]:
    """What can be asked of a run on this app: names, labels, and roughly how long it takes.

    `missing` are keys that this machine lacks what they need.
    """
    one = APPS[app]
    keys = tuple(each for each in one.keys if each not in missing)
    tables = {**one.tables, "keys": keys}
    return {
        "app": app,
        "n": FIRST_VISITORS,
        "most": MOST_VISITORS,
        "situations": [
            {"name": each.name, "label": each.label, "title": each.title, "first": each in FIRST_SITUATIONS}
            | _rough(app, transports=transports_of(app), situations=(each.name,))
            for each in one.situations
        ],
        "transports": [{"name": column.name, "label": column.label} for column in one.columns],
        "keys": keys,
        "restart_seconds": one.restart_seconds,
        "tables": {**tables, **_rough(app, **tables)},
    }


def _rough(app: str, **parts: tuple[str, ...]) -> dict[str, float]:
    """`seconds` for nobody at all, and `seconds_each` more for each visitor."""
    asked: dict[str, Any] = {"app": app, "attempts": APPS[app].attempts, **parts}
    nobody, one = (sum(rough_seconds(Plan(n=n, **asked))) for n in (0, 1))
    return {"seconds": round(nobody, 2), "seconds_each": round(one - nobody, 3)}


_BACK = ("drop", "replica_stop", "drain", "away")
_ROUGH_SECONDS = {
    "first_connect": 0.1,
    "drop": 0.3,
    "replica_death": 2.9,
    "replica_stop": 2.9,
    "drain": 3.2,
    "page_reload": 0.3,
    "away": 11.0,
}
_DRAIN_SECONDS = 15.0
"""A drain waits for those who cannot connect elsewhere."""
_EACH_SECONDS = 0.005
