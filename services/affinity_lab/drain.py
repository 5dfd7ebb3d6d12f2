"""A drain without loss: nobody new, who is there takes its memory elsewhere, then the replica stops."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from services.affinity_lab.apps import Apps
from services.affinity_lab.asker import By
from services.affinity_lab.balancer import Balancer
from services.affinity_lab.replicas import Replicas
from services.workspaces.workspace import Workspace

SECONDS = 20.0
"""So long the replica waits for those it asked to move."""
_POLL = 0.1
_READ = 2000


@dataclass
class Moves:
    """What became of the memories that a replica held when it was drained."""

    held: int = 0
    asked: int = 0
    away: int = 0
    """Those that nobody was connected to, so nobody could be asked."""
    moved: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    @property
    def over(self) -> bool:
        return len(self.moved | self.refused) >= self.asked

    @property
    def unanswered(self) -> int:
        return max(self.asked - len(self.moved | self.refused), 0)

    @property
    def not_asked(self) -> int:
        return max(self.held - self.asked - self.away, 0)

    def as_dict(self) -> dict[str, int]:
        return {
            "held": self.held,
            "asked": self.asked,
            "moved": len(self.moved),
            "refused": len(self.refused),
            "unanswered": self.unanswered,
            "not_asked": self.not_asked,
            "away": self.away,
        }


class Drain:
    """Runs in the lab's job worker: what else is asked of the lab waits until it is over."""

    def __init__(self, workspace: Workspace, replicas: Replicas, balancer: Balancer, apps: Apps) -> None:
        self._workspace = workspace
        self._log = workspace.log
        self._replicas = replicas
        self._balancer = balancer
        self._apps = apps

    def run(self, name: str, by: By) -> None:
        """Raises what the balancer, the replica or the engine raise."""
        control = self._workspace.control(name)
        if self._apps.now.takes_drain:
            control.send("POST", "/control/drain", {})
        self._replicas.drain(name, by)
        self._balancer.tell(self._replicas)
        mark = self._log.look()[0]
        moves = self._ask(name)
        self._wait(name, mark, moves)
        self._say(name, moves, by)
        self._replicas.leave(name, by)
        self._replicas.end(name, by)

    def _ask(self, name: str) -> Moves:
        control = self._workspace.control(name)
        circuits = control.get("/control/state").get("circuits", [])
        answer = control.send("POST", "/control/move", {})
        away = sum(1 for circuit in circuits if not circuit.get("connected"))
        return Moves(answer.get("held", len(circuits)), answer.get("asked", 0), away)

    def _wait(self, name: str, mark: int, moves: Moves) -> None:
        deadline = time.monotonic() + SECONDS
        while not moves.over and time.monotonic() < deadline:
            time.sleep(_POLL)
            for line in self._log.read(mark, _READ, kind="circuit."):
                mark = line.seq
                if line.data.get("from") != name:
                    continue
                if line.kind == "circuit.moved":
                    moves.moved.add(str(line.data.get("paused")))
                elif line.kind == "circuit.move_refused":
                    moves.refused.add(str(line.data.get("paused")))

    def _say(self, name: str, moves: Moves, by: By) -> None:
        lost = moves.held - len(moves.moved)
        level: Any = "warning" if lost else "info"
        data = moves.as_dict() | {"by": by, "replica": name}
        self._log.record(
            name, "replica.drained", _sentence(name, moves, self._apps.now.stays), level=level, data=data
        )


def _sentence(name: str, moves: Moves, stays: str) -> str:
    if moves.held == 0:
        return f"{name} is drained: it held nobody's memory."
    kept = f"{len(moves.moved)} of {_memories(moves.held)} went along to other replicas."
    if len(moves.moved) == moves.held:
        return f"{name} is drained without loss: {kept}"
    why = [
        (len(moves.refused), "no other replica could read what was brought, each has a key of its own"),
        (moves.unanswered, "asked, but nothing came of it in time"),
        (moves.not_asked, stays),
        (moves.away, "nobody was connected who could have been asked"),
    ]
    lost = " ".join(f"{count} lost: {words}." for count, words in why if count)
    return f"{name} is drained: {kept} {lost}"


def _memories(count: int) -> str:
    return f"{count} {'memory' if count == 1 else 'memories'}"
