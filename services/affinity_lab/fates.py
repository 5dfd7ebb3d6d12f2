"""Who held a circuit that a replica does not know, and what became of it: only the dashboard can tell."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Any

from services.affinity_lab.verdicts import GONE, Fate, where_it_is
from services.events.log import EventLog
from services.workspaces.tail import Line

_MADE = ("circuit.started", "circuit.resumed", "circuit.moved", "circuit.restored")
_LOOKED_BACK = 500
_REMEMBERED = 20_000
_NEWEST = 2**53
_NEWS_SECONDS = 1.0
_PATIENCE_SECONDS = 5.0
_POLL = 0.02


@dataclass
class _Circuit:
    replica: str
    made_after: int
    """An event before the one that made it."""
    fate: Fate | None = None
    """What its replica said became of it; None also when that can only be known from the replica's end."""


@dataclass
class _Ends:
    """The ends of one replica, in the log as far as it was read."""

    read_to: int = 0
    found: list[tuple[int, Fate]] = field(default_factory=list)


class Fates:
    """Answers from the state while the circuit is held, else from memory.

    When a replica is killed, hundreds are asked for within a second: the stored log, some milliseconds
    each, answers only for circuits that were made before this dashboard started.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._waited: dict[str, float] = {}
        self._circuits: OrderedDict[str, _Circuit] = OrderedDict()
        self._ends: dict[str, _Ends] = {}

    def explain(self, line: Line) -> Line:
        """`circuit.rejected` with `holder` and `fate`, and both in its sentence; other lines unchanged."""
        self._learn(line)
        if line.kind != "circuit.rejected":
            return line
        visitor, circuit = line.data.get("visitor"), line.data.get("circuit")
        holder, fate = self.of(circuit, visitor)
        who, where = visitor or "a visitor without a name", where_it_is(line.source, holder, fate)
        text = f"{line.source} has no memory of {who}: {where}."
        return replace(line, text=text, data=line.data | {"holder": holder, "fate": fate})

    def of(self, circuit: Any, visitor: Any) -> tuple[str | None, Fate]:
        """The replica that made the circuit, None when nobody saw it, and what became of it there."""
        if not isinstance(circuit, str):
            return None, "unknown"
        held = self._await_news(circuit)
        if held:
            return held["replica"], "held"
        if known := self._circuits.get(circuit):
            return known.replica, known.fate or self._end_of(known)
        return self._stored(circuit, visitor) if isinstance(visitor, str) else (None, "unknown")

    def _learn(self, line: Line) -> None:
        circuit = line.data.get("circuit")
        if not isinstance(circuit, str):
            return
        if line.kind in _MADE:
            self._circuits[circuit] = _Circuit(line.source, self._log.last)
            self._circuits.move_to_end(circuit)
            if len(self._circuits) > _REMEMBERED:
                self._circuits.popitem(last=False)
        elif line.kind in GONE and (known := self._circuits.get(circuit)):
            known.fate = GONE[line.kind]

    def _end_of(self, circuit: _Circuit) -> Fate:
        """What ended its replica first after it was made; the log is read on only when that is not known."""
        ends = self._ends.setdefault(circuit.replica, _Ends())
        for again in (False, True):
            if again:
                self._read_on(circuit.replica, ends)
            for seq, fate in ends.found:
                if seq > circuit.made_after:
                    return fate
        return "unknown"

    def _read_on(self, replica: str, ends: _Ends) -> None:
        last = self._log.last
        lines = self._log.read(ends.read_to, _LOOKED_BACK, replica, "replica.")
        ends.found += [(line.seq, GONE[line.kind]) for line in lines if line.kind in GONE]
        ends.read_to = lines[-1].seq if len(lines) == _LOOKED_BACK else max(last, ends.read_to)

    def _await_news(self, circuit: str) -> dict[str, Any] | None:
        """The circuit in the state. Who comes back within milliseconds may be faster than the news that its
        replica was killed: a circuit that still counts as connected is waited for, now and then."""
        held = self._log.at("circuits", circuit)
        if not held or not held.get("connected"):
            return held
        begun, holder = time.monotonic(), str(held.get("replica"))
        if begun - self._waited.get(holder, -_PATIENCE_SECONDS) < _PATIENCE_SECONDS:
            return held
        while held and held.get("connected") and time.monotonic() - begun < _NEWS_SECONDS:
            time.sleep(_POLL)
            held = self._log.at("circuits", circuit)
        self._waited[holder] = time.monotonic()
        return held

    def _stored(self, circuit: str, visitor: str) -> tuple[str | None, Fate]:
        lines = self._log.about(visitor, before=_NEWEST, limit=_LOOKED_BACK)
        known = [line for line in lines if line.data.get("circuit") == circuit]
        made = next((line for line in reversed(known) if line.kind in _MADE), None)
        if made is None:
            return None, "unknown"
        for line in known:
            if line.seq > made.seq and line.kind in GONE:
                return made.source, GONE[line.kind]
        ends = self._log.read(made.seq, 50, made.source, "replica.")
        return made.source, next((GONE[line.kind] for line in ends if line.kind in GONE), "unknown")
