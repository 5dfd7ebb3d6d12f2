"""What came of a cell, counted from the lines that visitors, balancer and replicas wrote meanwhile."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.events.event import Event

REQUESTS = ("page.served", "connection.negotiated", "connection.routed", "connection.refused")
"""The balancer tells of these; messages, later polls and goodbyes are not counted, also where refused."""
REFUSED = "connection.refused"


@dataclass(frozen=True)
class Came:
    """How it ended for one visitor: `new`, `kept`, `lost` are back, `failed` and `away` are not.

    `failed` gave up, `away` had not come back after the tries that were waited for.
    """

    how: str
    replica: str | None = None
    seconds: float | None = None


@dataclass
class Watch:
    """Reads on in the log until the outcome of each of `visitors` is known."""

    visitors: frozenset[str]
    attempts: int
    came: dict[str, Came] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    read: int = 0
    """The last line that was taken."""
    _cut_at: dict[str, str] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        return len(self.came) == len(self.visitors)

    def take(self, events: Iterable[Event]) -> None:
        """Lines in their order; those of other visitors do not count."""
        for event in events:
            self.read = event.seq
            visitor = event.data.get("visitor")
            if visitor not in self.visitors:
                continue
            if event.kind in REQUESTS and (event.kind != REFUSED or event.data.get("method") == "GET"):
                self.requests[str(event.data.get("replica") or event.source)] += 1
            elif event.source == "visitors" and visitor not in self.came:
                self._take_visitors(str(visitor), event)

    def close(self) -> None:
        """Time is up: who has no outcome yet is away."""
        for visitor in self.visitors - self.came.keys():
            self.came[visitor] = Came("away")

    def _take_visitors(self, visitor: str, event: Event) -> None:
        if event.kind == "visitor.reconnecting":
            self._cut_at.setdefault(visitor, event.at)
            if event.data.get("attempt", 0) > self.attempts:
                self.came[visitor] = Came("away")
        elif event.kind == "visitor.failed":
            self.came[visitor] = Came("failed")
        elif event.kind == "visitor.connected":
            seconds = self._seconds(visitor, event)
            self.came[visitor] = Came(str(event.data.get("memory")), event.data.get("replica"), seconds)

    def _seconds(self, visitor: str, event: Event) -> float:
        """Since it was cut off; for who was not, since it began to load the page."""
        if cut_at := self._cut_at.get(visitor):
            return (_moment(event.at) - _moment(cut_at)).total_seconds()
        return float(event.data.get("ms", 0)) / 1000


@dataclass(frozen=True)
class Outcome:
    """A cell's figures; shares are always told with `n`, of how many visitors they are."""

    n: int
    back: int
    kept: int
    lost: int
    failed: int
    away: int
    seconds: dict[str, float] | None
    """Of those that are back: `median`, `p95`, `slowest`."""
    load: dict[str, int]
    """Replica → visitors that are connected to it after all."""
    requests: dict[str, int]
    """Replica → pages, negotiates and connects that the balancer sent there."""

    def as_dict(self) -> dict[str, Any]:
        return dict(vars(self))


def outcome(watch: Watch, replicas: Sequence[str]) -> Outcome:
    """The figures of a watch that has ended."""
    how = Counter(came.how for came in watch.came.values())
    load = Counter(came.replica for came in watch.came.values() if came.replica)
    seconds = sorted(came.seconds for came in watch.came.values() if came.seconds is not None)
    return Outcome(
        n=len(watch.came),
        back=how["new"] + how["kept"] + how["lost"],
        kept=how["kept"],
        lost=how["lost"],
        failed=how["failed"],
        away=how["away"],
        seconds=_spread(seconds),
        load={name: load[name] for name in replicas},
        requests={name: watch.requests[name] for name in replicas},
    )


def _spread(values: list[float]) -> dict[str, float] | None:
    """The nearest rank, so that each figure is one that was measured."""
    if not values:
        return None
    ranks = {"median": 0.5, "p95": 0.95, "slowest": 1.0}
    return {name: round(values[math.ceil(share * len(values)) - 1], 3) for name, share in ranks.items()}


def _moment(at: str) -> datetime:
    return datetime.fromisoformat(at)
