"""A drain without loss: nobody new, who is there takes its memory elsewhere, then the replica stops."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.affinity_lab.apps import Apps
from services.affinity_lab.asker import By
from services.affinity_lab.balancer import Balancer
from services.affinity_lab.replicas import Replicas
from services.workspaces.workspace import Workspace

SECONDS = 20.0
"""So long the replica waits for those it asked to move."""
_UNPACKING = 3.0
"""A replica says that somebody has come before the page there has unpacked what was brought."""
_POLL = 0.1
_READ = 2000


@dataclass
class Moves:
    """What became of the memories that a replica held when it was drained."""

    held: int = 0
    asked: int = 0
    away: int = 0
    """Those that nobody was connected to, so nobody could be asked."""
    counts: dict[str, int] = field(default_factory=dict)
    """What each memory counted when it was asked to move."""
    moved: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Old circuit → the new one and its replica."""
    refused: set[str] = field(default_factory=set)
    empty: set[str] = field(default_factory=set)
    """Those that arrived, but whose new replica counts less than the old one did."""

    @property
    def answered(self) -> int:
        return len(self.moved) + len(self.refused) + len(self.empty)

    @property
    def over(self) -> bool:
        return self.answered >= self.asked

    @property
    def unanswered(self) -> int:
        return max(self.asked - self.answered, 0)

    @property
    def not_asked(self) -> int:
        return max(self.held - self.asked - self.away, 0)

    def as_dict(self) -> dict[str, int]:
        return {
            "held": self.held,
            "asked": self.asked,
            "moved": len(self.moved),
            "refused": len(self.refused),
            "empty": len(self.empty),
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
        counts = self._compare(moves)
        self._say(name, moves, counts, by)
        self._replicas.leave(name, by)
        self._replicas.end(name, by)

    def _ask(self, name: str) -> Moves:
        control = self._workspace.control(name)
        circuits = control.get("/control/state").get("circuits", [])
        answer = control.send("POST", "/control/move", {})
        away = sum(1 for circuit in circuits if not circuit.get("connected"))
        return Moves(answer.get("held", len(circuits)), answer.get("asked", 0), away, _counts(circuits))

    def _wait(self, name: str, mark: int, moves: Moves) -> None:
        deadline = time.monotonic() + SECONDS
        while not moves.over and time.monotonic() < deadline:
            time.sleep(_POLL)
            for line in self._log.read(mark, _READ, kind="circuit."):
                mark = line.seq
                if line.data.get("from") != name:
                    continue
                if line.kind == "circuit.moved":
                    moves.moved[str(line.data.get("paused"))] = (str(line.data.get("circuit")), line.source)
                elif line.kind == "circuit.move_refused":
                    moves.refused.add(str(line.data.get("paused")))

    def _compare(self, moves: Moves) -> dict[str, int]:
        """What the new replicas count now, by circuit; who counts less than before has moved for nothing."""
        deadline = time.monotonic() + _UNPACKING
        while True:
            counts = self._counted(moves)
            less = [
                old for old, (new, _) in moves.moved.items() if counts.get(new, 0) < moves.counts.get(old, 0)
            ]
            if not less or time.monotonic() > deadline:
                break
            time.sleep(_POLL)
        for old in less:
            moves.empty.add(old)
            del moves.moved[old]
        return {new: counts[new] for new, _ in moves.moved.values() if new in counts}

    def _counted(self, moves: Moves) -> dict[str, int]:
        states = [
            self._workspace.control(replica).get("/control/state")
            for replica in {replica for _, replica in moves.moved.values()}
        ]
        return {id: n for state in states for id, n in _counts(state.get("circuits", [])).items()}

    def _say(self, name: str, moves: Moves, counts: dict[str, int], by: By) -> None:
        lost = moves.held - len(moves.moved)
        level: Any = "warning" if lost else "info"
        text = _sentence(name, moves, self._apps.now.stays)
        data = moves.as_dict() | {"by": by, "replica": name}

        def patch(state: Mapping[str, Any]) -> dict[str, Any]:
            known = state.get("circuits", {})
            return {"circuits": {id: {"count": count} for id, count in counts.items() if id in known}}

        self._log.record(name, "replica.drained", text, level=level, data=data, patch=patch)


def _counts(circuits: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Of what a control port shows: the circuit app calls it `circuit`, Blazor `id`."""
    return {str(each.get("circuit") or each.get("id")): int(each.get("count", 0)) for each in circuits}


def _sentence(name: str, moves: Moves, stays: str) -> str:
    if moves.held == 0:
        return f"{name} is drained: it held nobody's memory."
    kept = f"{len(moves.moved)} of {_memories(moves.held)} went along to other replicas."
    if len(moves.moved) == moves.held:
        return f"{name} is drained without loss: {kept}"
    why = [
        (len(moves.refused), "no other replica could read what was brought, each has a key of its own"),
        (len(moves.empty), "another replica took over without it"),
        (moves.unanswered, "asked, but nothing came of it in time"),
        (moves.not_asked, stays),
        (moves.away, "nobody was connected who could have been asked"),
    ]
    lost = " ".join(f"{count} lost: {words}." for count, words in why if count)
    return f"{name} is drained: {kept} {lost}"


def _memories(count: int) -> str:
    return f"{count} {'memory' if count == 1 else 'memories'}"
