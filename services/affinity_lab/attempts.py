"""A visitor's lines, told by three programs and not quite in order, sorted into attempts to connect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.events.event import Event

_OF_A_CONNECTION = (
    "connection.negotiated", "connection.routed", "connection.refused", "connection.opened",
    "connection.closed", "circuit.started", "circuit.resumed", "circuit.rejected", "page.rejected",
    "circuit.moved", "circuit.restored", "circuit.move_refused",
)  # fmt: skip
_LONE = ("page.served", "request.failed", "visitor.reconnecting", "visitor.failed", "visitor.left")
_CONNECTED = ("circuit.started", "circuit.resumed", "circuit.moved", "circuit.restored")
_WITHIN = {"connection.negotiated": 0, "connection.routed": 1}


@dataclass
class Leg:
    """What belongs to one connection, or one line that belongs to none."""

    lines: list[Event]
    at: str = ""

    @property
    def kind(self) -> str | None:
        """The kind of a lone line; None for a connection."""
        return self.lines[0].kind if self.lines[0].kind in _LONE else None

    @property
    def transport(self) -> str | None:
        return next((line.data["transport"] for line in self.lines if line.data.get("transport")), None)

    def has(self, *kinds: str) -> bool:
        return any(line.kind in kinds for line in self.lines)

    @property
    def connected(self) -> bool:
        return self.has(*_CONNECTED)


@dataclass
class Attempt:
    """From a page load or a reconnect to what came of it."""

    legs: list[Leg] = field(default_factory=list)
    tried: set[str] = field(default_factory=set)

    @property
    def first_seq(self) -> int:
        return min(line.seq for leg in self.legs for line in leg.lines)

    @property
    def lines(self) -> list[Event]:
        """In the order in which it happened."""
        return [line for leg in self.legs for line in leg.lines]

    def has(self, *kinds: str) -> bool:
        return any(leg.has(*kinds) for leg in self.legs)

    @property
    def over(self) -> bool:
        return self.has("visitor.failed", "visitor.left") or bool(self.legs and self.legs[-1].connected)

    def take(self, leg: Leg) -> None:
        self.legs.append(leg)
        if leg.kind is None and leg.transport:
            self.tried.add(leg.transport)
        elif leg.kind == "page.served":
            self.tried.clear()


def attempts(lines: Sequence[Event]) -> list[Attempt]:
    """All attempts in these lines of one visitor, oldest first."""
    found: list[Attempt] = []
    for leg in _in_order(lines):
        if not found or _begins(found[-1], leg):
            found.append(Attempt())
        found[-1].take(leg)
    return found


def _begins(now: Attempt, leg: Leg) -> bool:
    """Whether this leg is the first of another attempt.

    A client tries each transport once. The one that was told that its circuit is unknown loads the page at
    once and by itself: that is how the same attempt ends.
    """
    if leg.kind == "visitor.reconnecting":
        return True
    if leg.kind == "page.served":
        return now.over or not now.legs[-1].has("circuit.rejected")
    if leg.kind in ("visitor.failed", "visitor.left"):
        return False
    return now.over or (leg.kind is None and leg.transport in now.tried)


def _in_order(lines: Sequence[Event]) -> list[Leg]:
    """Legs by when they began. `at` orders the programs among each other, `seq` each one's own lines."""
    legs: dict[str, Leg] = {}
    lone: list[Leg] = []
    for line in lines:
        connection = line.data.get("connection")
        if line.kind in _OF_A_CONNECTION and isinstance(connection, str):
            legs.setdefault(connection, Leg([])).lines.append(line)
        elif line.kind in _LONE:
            lone.append(Leg([line], line.at))
    pages = [leg for leg in lone if leg.kind == "page.served"]
    for leg in legs.values():
        _arrange(leg, pages)
    _attach_words(list(legs.values()), lines)
    known = [leg for leg in legs.values() if leg.lines[0].kind != "connection.closed"] + lone
    return sorted(known, key=lambda leg: (leg.at, leg.kind != "visitor.reconnecting", leg.lines[0].seq))


def _arrange(leg: Leg, pages: Sequence[Leg]) -> None:
    """The balancer's line comes before what the replica said of it, whoever was read first.

    The balancer tells of a page before it tells of a connection that this page opened.
    """
    leg.lines.sort(key=lambda line: (_WITHIN.get(line.kind, 2), line.seq))
    leg.at = min(line.at for line in leg.lines)
    told = [line.seq for line in leg.lines if line.kind.startswith("connection.") and line.data.get("method")]
    before = [page.at for page in pages if told and page.lines[0].seq < told[0]]
    leg.at = max([leg.at, *before])


def _attach_words(legs: list[Leg], lines: Sequence[Event]) -> None:
    """What the crowd said of being connected belongs to the connection that has the circuit."""
    for line in lines:
        if line.kind != "visitor.connected":
            continue
        mine = [leg for leg in legs if leg.connected and _circuit_of(leg) == line.data.get("circuit")]
        mine = [leg for leg in mine if leg.at <= line.at] or mine
        if mine:
            max(mine, key=lambda leg: leg.at).lines.append(line)


def _circuit_of(leg: Leg) -> str | None:
    return next((line.data.get("circuit") for line in leg.lines if line.kind in _CONNECTED), None)
