"""The server-side memory of visitors, each held by this replica alone."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from services.circuit.journal import Journal
from services.circuit.timing import Timing

if TYPE_CHECKING:
    from services.circuit.connection import Connection


@dataclass(eq=False)
class Circuit:
    """One visitor's memory: a counter and a note."""

    visitor: str | None
    connection: Connection | None
    """Who owns it now; at most one."""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    count: int = 0
    note: str = ""
    paused: bool = False
    """Its visitor was told to take it elsewhere; when it goes now, it took it along."""
    left_at: float = 0.0
    """When its connection went (monotonic seconds)."""

    def facts(self) -> dict[str, Any]:
        """As the control port shows it."""
        connected = self.connection is not None
        return {"circuit": self.id, "visitor": self.visitor, "connected": connected, "count": self.count}

    @property
    def whose(self) -> str:
        return f"{self.visitor}'s" if self.visitor else "A visitor's"


class Circuits:
    """All circuits of the replica; those without a connection are kept for a while, the oldest go first."""

    def __init__(self, journal: Journal, timing: Timing) -> None:
        self._journal = journal
        self._timing = timing
        self._held: dict[str, Circuit] = {}
        self._left: dict[str, Circuit] = {}
        """The disconnected ones among `_held`, the one that left first in front."""

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Circuit]:
        return iter(list(self._held.values()))

    def start(self, connection: Connection) -> Circuit:
        """A new memory, owned by this connection."""
        circuit = Circuit(connection.visitor, connection)
        self._held[circuit.id] = connection.circuit = circuit
        text = f"{connection.who} has a new memory on {self._journal.replica}."
        self._journal.tell("circuit.started", text, connection, count=0)
        return circuit

    def bring(self, connection: Connection, memory: Mapping[str, Any]) -> Circuit:
        """The memory that a visitor brought from another replica, as a new circuit of this one."""
        circuit = Circuit(connection.visitor, connection, count=memory["count"], note=memory["note"])
        self._held[circuit.id] = connection.circuit = circuit
        before = str(memory["replica"])
        text = f"{connection.who} is on {self._journal.replica} now and brought its memory from {before}."
        moved = {"from": before, "paused": memory["circuit"], "count": circuit.count}
        self._journal.tell("circuit.moved", text, connection, **moved)
        return circuit

    def connect(self, connection: Connection, id: str) -> bool:
        """Give a circuit to this connection, whoever had it before; False when it is not held here."""
        circuit = self._held.get(id)
        replica = self._journal.replica
        if circuit is None:
            text = f"{connection.who} asked {replica} for a memory that {replica} does not hold."
            self._journal.tell("circuit.rejected", text, connection, "warning", circuit=id[:64])
            return False
        if circuit.connection is not None:
            circuit.connection.circuit = None
        circuit.connection, connection.circuit = connection, circuit
        self._left.pop(id, None)
        text = f"{connection.who} is back on {replica}, its memory was kept: count {circuit.count}."
        self._journal.tell("circuit.resumed", text, connection, count=circuit.count)
        return True

    def leave(self, connection: Connection, *, said_goodbye: bool = False) -> None:
        """The connection is gone; its circuit waits for another one, unless its visitor took it along."""
        circuit, connection.circuit = connection.circuit, None
        if circuit is None:
            return None
        if circuit.paused and said_goodbye:
            return self._take_along(circuit)
        circuit.connection, circuit.left_at = None, time.monotonic()
        self._left[circuit.id] = circuit
        if len(self._left) > self._timing.retained:
            why = f"no more than {self._timing.retained} may wait"
            self._expire(next(iter(self._left.values())), why)
        return None

    def _take_along(self, circuit: Circuit) -> None:
        self._remove(circuit)
        text = f"{circuit.whose} memory left {self._journal.replica} with its visitor: count {circuit.count}."
        self._tell_gone("circuit.paused", text, circuit)

    def tick(self, now: float) -> None:
        """Forget what has waited for longer than the retention."""
        for circuit in list(self._left.values()):
            if now - circuit.left_at < self._timing.retention:
                break
            self._expire(circuit, f"it waited for {self._timing.retention:g} s")

    def forget(self, id: str | None) -> int:
        """Lose one circuit, or all of them, as a replica does that restarts; how many they were."""
        chosen = [circuit for circuit in self if id is None or circuit.id == id]
        for circuit in chosen:
            self._remove(circuit)
            text = f"{circuit.whose} memory on {self._journal.replica} was thrown away on request."
            self._tell_gone("circuit.forgotten", text, circuit)
        return len(chosen)

    def _expire(self, circuit: Circuit, why: str) -> None:
        self._remove(circuit)
        text = f"{circuit.whose} memory on {self._journal.replica} is gone: {why}."
        self._tell_gone("circuit.expired", text, circuit)

    def _remove(self, circuit: Circuit) -> None:
        del self._held[circuit.id]
        self._left.pop(circuit.id, None)
        if circuit.connection is not None:
            circuit.connection.circuit = None
            circuit.connection = None

    def _tell_gone(self, kind: str, text: str, circuit: Circuit) -> None:
        self._journal.tell(kind, text, circuit=circuit.id, visitor=circuit.visitor, count=circuit.count)
