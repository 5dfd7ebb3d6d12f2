"""What a run measures: the matrix of its cells, in the order in which they are measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from services.words import say

AFFINITIES = ("none", "cookie", "source_ip")
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
    delays: tuple[int, ...] = RECONNECT_DELAYS
    """Seconds before each try to reconnect."""
    attempts: int = FIRST_ATTEMPTS
    """How many of them a run waits for, unless it is told otherwise."""


def _column(name: str, label: str, transport: str, skip: bool = False) -> Column:
    return Column(name, label, {"transport": transport, "skip_negotiation": skip})


SITUATIONS = (
    Situation("first_connect", say("First connect"), say("who connected at the first visit")),
    Situation("drop", say("Reconnect after drop"), say("who came back after a drop")),
    Situation("replica_death", say("Replica death"), say("who came back after a replica died")),
    Situation("page_reload", say("Page reload"), say("who connected after loading the page again")),
)
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
    ),
    "blazor": App(
        "blazor",
        (
            _column("auto", say("Blazor's own"), "auto"),
            _column("WebSockets", "WebSockets", "WebSockets"),
            _column("skip", say("WebSockets, no negotiate"), "WebSockets", skip=True),
            _column("LongPolling", say("Long polling"), "LongPolling"),
        ),
        SITUATIONS,
        BLAZOR_DELAYS,
        len(BLAZOR_DELAYS),
    ),
}
TRANSPORTS = tuple(column.name for column in APPS["circuit"].columns)
SITUATION_NAMES = tuple(situation.name for situation in SITUATIONS)


@dataclass(frozen=True)
class Cell:
    """One experiment: n visitors, kept so, connecting so, and this happens to them."""

    affinity: str
    transport: str
    situation: str

    @property
    def words(self) -> str:
        """`none, LongPolling, replica death`."""
        happens = self.situation.replace("_", " ")
        return f"{self.affinity.replace('_', ' ')}, {_SPOKEN.get(self.transport, self.transport)}, {happens}"


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
    shared_keys: bool = False
    engine: str = field(default="")

    @property
    def cells(self) -> list[Cell]:
        """By situation, so that each table is whole as early as can be."""
        return [
            Cell(affinity, transport, situation)
            for situation in self.situations
            for affinity in self.affinities
            for transport in self.transports
        ]

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


def rough_seconds(cell: Cell, plan: Plan) -> float:
    """How long a cell takes, roughly; a run corrects this by what its first cells took."""
    some_fail = cell.affinity == "none" and cell.transport != "skip" and cell.situation == "drop"
    waits = plan.waits if some_fail else 0
    return _ROUGH_SECONDS[cell.situation] + _EACH_SECONDS * plan.n + waits


def transports_of(app: str) -> tuple[str, ...]:
    """The columns of an app by name."""
    return tuple(column.name for column in APPS[app].columns)


def offer(app: str) -> dict[str, Any]:
    """What can be asked of a run on this app: names, labels, and roughly how long each situation takes."""
    situations, columns = APPS[app].situations, APPS[app].columns
    return {
        "app": app,
        "n": FIRST_VISITORS,
        "most": MOST_VISITORS,
        "situations": [
            {"name": each.name, "label": each.label, "title": each.title, **_rough(each.name, app)}
            for each in situations
        ],
        "transports": [{"name": column.name, "label": column.label} for column in columns],
    }


def _rough(situation: str, app: str) -> dict[str, float]:
    """`seconds` for nobody at all, and `seconds_each` more for each visitor."""
    asked: dict[str, Any] = {"app": app, "transports": transports_of(app), "situations": (situation,)}
    nobody, somebody = (Plan(n=n, attempts=APPS[app].attempts, **asked) for n in (0, 1))
    seconds = sum(rough_seconds(cell, nobody) for cell in nobody.cells)
    more = sum(rough_seconds(cell, somebody) for cell in somebody.cells) - seconds
    return {"seconds": round(seconds, 2), "seconds_each": round(more, 3)}


_ROUGH_SECONDS = {"first_connect": 0.1, "drop": 0.3, "replica_death": 2.9, "page_reload": 0.3}
_EACH_SECONDS = 0.005
