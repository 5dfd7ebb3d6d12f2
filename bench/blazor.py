"""Two hundred visitors come to Blazor Server, are all cut off, and come back; the peer is the circuit app.

The same crowd through the same balancer with cookie affinity, to three new replicas each time. Both click
now and then; at the end pages and replicas must agree on every count. Memory is that of all three replicas:
idle, and how much more a circuit made it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import processes
from bench.figures import median, moment, ratio
from bench.table import Skipped, Table
from tests.conftest import missing

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # its labs import each other by their bare names

from real_blazor import BlazorLab
from real_crowd import Lab

VISITORS = 200
ROUNDS = 3
SECONDS = 120
_KILOBYTE, _MEGABYTE = 1000, 1_000_000
_COLUMNS = (
    *("app", "all connected", "CPU of the crowd", "all back after the cut", "CPU of the crowd"),
    *("a replica, idle", "a circuit more", "kept their memory", "counts agree"),
)


@dataclass
class Side:
    """What the visits to one app needed, a value a round."""

    name: str
    make: Callable[[], Any]
    came: list[float] = field(default_factory=list)
    came_cpu: list[float] = field(default_factory=list)
    back: list[float] = field(default_factory=list)
    back_cpu: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)
    circuit: list[float] = field(default_factory=list)
    kept: int = 0
    agreed: int = 0

    def figures(self) -> list[float]:
        all_rounds = (self.came, self.came_cpu, self.back, self.back_cpu, self.idle, self.circuit)
        return [median(each) for each in all_rounds]


def measure(quick: bool) -> Table:
    """Rounds in turns; medians."""
    if reason := missing("blazor") or missing("local"):
        raise Skipped(reason)
    count, rounds = (20, 1) if quick else (VISITORS, ROUNDS)
    blazor, circuit = Side("Blazor Server", BlazorLab), Side("the circuit app", _CircuitLab)
    for _ in range(rounds):
        for side in (blazor, circuit):
            _visit(side, count)
    rows = [_row(side, count * rounds) for side in (blazor, circuit)]
    ratios = [ratio(mine, theirs) for mine, theirs in zip(blazor.figures(), circuit.figures(), strict=True)]
    notes = [f"{count} visitors by WebSockets, three replicas, {rounds} rounds in turns."]
    return Table(_COLUMNS, [*rows, ["ratio", *ratios, "", ""]], notes)


class _CircuitLab(Lab):
    """With what a BlazorLab can say of itself."""

    def circuits(self) -> dict[str, tuple[str, int]]:
        states = [replica.state() for replica in self.replicas.values()]
        held = [(state["replica"], one) for state in states for one in state["circuits"]]
        return {one["circuit"]: (name, one["count"]) for name, one in held if one["connected"]}

    def seen(self) -> dict[str, tuple[str, int]]:
        visitors = self.crowd.by_name().values()
        return {one["circuit"]: (one["replica"], one["count"]) for one in visitors}


def _visit(side: Side, count: int) -> None:
    lab = side.make()
    try:
        lab.balancer.set("cookie")
        replicas = [replica.process.pid for replica in lab.replicas.values()]
        idle = processes.memory(replicas).resident
        came, came_cpu = _measured(lab, count, lambda: lab.visit(count, transport="WebSockets"), memory="new")
        back, back_cpu = _measured(lab, count, lab.drop, memory="kept")
        side.came.append(came)
        side.came_cpu.append(came_cpu)
        side.back.append(back)
        side.back_cpu.append(back_cpu)
        side.idle.append(idle / len(replicas) / _MEGABYTE)
        side.circuit.append((processes.memory(replicas).resident - idle) / count / _KILOBYTE)
        side.kept += len(lab.crowd.of("visitor.connected", memory="kept"))
        side.agreed += _agreeing(lab, count)
    finally:
        lab.close()


def _measured(lab: Any, count: int, do: Callable[[], Any], **told: str) -> tuple[float, float]:
    """Seconds until the last visitor is connected, and what that took of the crowd's processor."""
    crowd = [lab.crowd.process.pid]
    cpu, began = processes.cpu_seconds(crowd), time.time()
    do()
    lines = lab.crowd.wait_for("visitor.connected", count, SECONDS, **told)
    return moment(lines[-1]["at"]) - began, processes.cpu_seconds(crowd) - cpu


def _agreeing(lab: Any, count: int) -> int:
    """Circuits of which pages and replicas say the same; a click may be on its way, so it is looked again."""
    end, best = time.monotonic() + 10, 0
    while best < count and time.monotonic() < end:
        best = max(best, len(lab.seen().items() & lab.circuits().items()))
    return best


def _row(side: Side, visits: int) -> list[str]:
    *seconds, idle, circuit = side.figures()
    shown = [f"{value:.2f} s" for value in seconds]
    memory = [f"{idle:.0f} MB", f"{circuit:.0f} kB"]
    return [side.name, *shown, *memory, f"{side.kept} of {visits}", f"{side.agreed} of {visits}"]
