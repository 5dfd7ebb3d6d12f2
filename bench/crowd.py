"""A thousand visitors come, are all cut off, and all come back; the peer is Microsoft's client in node.

Both load the page, negotiate, connect by WebSocket, ask who is there, start a circuit, ask for its state,
and after the cut reconnect and ask for their memory: through the same balancer with cookie affinity, to
three new replicas each time. Memory and CPU are of the crowd's process, and of node. Our visitors click now
and then, and say what they do in the log.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import places, processes
from bench.audience import Audience
from bench.figures import median, moment, percentile, ratio
from bench.table import Skipped, Table
from tests.dashboard import TOKEN, Dashboard
from tests.waiting import wait_for

VISITORS = 1000
ROUNDS = 3
CLIENT = "@microsoft/signalr@10.0.11"
_SCRIPT = Path(__file__).with_name("crowd.mjs")
_COLUMNS = (
    "clients",
    "all connected",
    "CPU a connection",
    "all back after the cut",
    "CPU a recovery",
    "RSS then",
    "kept their memory",
    "errors",
)
_ERRORS = ("request.failed", "connection.refused", "circuit.rejected", "page.rejected", "visitor.failed")


@dataclass
class Side:
    """What one kind of client needed, a value a round."""

    name: str
    came: list[float] = field(default_factory=list)
    came_cpu: list[float] = field(default_factory=list)
    back: list[float] = field(default_factory=list)
    back_cpu: list[float] = field(default_factory=list)
    resident: list[float] = field(default_factory=list)
    kept: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    """Lines of the log that tell of one, by kind."""
    delays: list[float] = field(default_factory=list)
    """Of each event, milliseconds until a watcher of the dashboard had it."""
    unseen: int = 0

    def figures(self) -> list[float]:
        return [median(each) for each in (self.came, self.came_cpu, self.back, self.back_cpu, self.resident)]


def measure(quick: bool) -> Table:
    """Rounds in turns; medians."""
    count, rounds = (20, 1) if quick else (VISITORS, ROUNDS)
    engine = places.engines()[0]
    crowd, node = Side("Labdeck's crowd"), Side("Microsoft's client in node")
    with _signalr() as folder, places.dashboard(engine) as dashboard:
        for _ in range(rounds):
            _in_new_lab(dashboard, crowd, lambda: _crowd(dashboard, crowd, count))
            _in_new_lab(dashboard, node, lambda: _node(dashboard, node, count, folder))
    rows = [_row(side, count, count * rounds) for side in (crowd, node)]
    ratios = [ratio(mine, theirs) for mine, theirs in zip(crowd.figures(), node.figures(), strict=True)]
    notes = [
        f"{count} visitors, {rounds} rounds in turns, {engine} engine; {CLIENT}.",
        *map(_watched, (crowd, node)),
    ]
    return Table(_COLUMNS, [*rows, ["ratio", *ratios, "", ""]], notes)


@contextmanager
def _signalr() -> Iterator[Path]:
    """A folder that has Microsoft's client; raises Skipped without node, npm or a registry that answers."""
    if not (shutil.which("node") and shutil.which("npm")):
        raise Skipped("there is no node with npm here, so no peer")
    with tempfile.TemporaryDirectory(prefix="labdeck-bench-") as folder:
        command = ["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", folder, CLIENT]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=120)
        except (subprocess.SubprocessError, OSError) as error:
            raise Skipped(f"npm did not get {CLIENT}: {error}") from error
        yield Path(folder)


def _in_new_lab(dashboard: Dashboard, side: Side, visit: Callable[[], None]) -> None:
    after = dashboard.launch_lab(affinity="cookie")["seq"]
    watcher = Audience(dashboard.url, TOKEN, 1)
    try:
        visit()
        happened = dashboard.get()["seq"] - after
        time.sleep(1)  # what has happened is told within a tenth of that
        seen = watcher.leave()
    finally:
        watcher.close()
    side.delays += seen["delays"]
    side.unseen += max(0, happened - seen["events"]) + seen["missed"] + seen["gone"]
    for kind in _ERRORS:
        side.errors[kind] += len(dashboard.events(after=after, kind=kind))
    dashboard.done(dashboard.post("/affinity-lab/stop"))


def _crowd(dashboard: Dashboard, side: Side, count: int) -> None:
    dashboard.done(dashboard.put("/visitors", {"count": 0, "transport": "WebSockets"}))
    key = places.key_of(dashboard)
    pids = processes.carrying(LAB_CONTROL_KEY=key, LAB_INSTANCE="visitors")
    after, cpu, began = dashboard.get()["seq"], processes.cpu_seconds(pids), time.time()
    dashboard.put("/visitors", {"count": count})
    side.came.append(_when_connected(dashboard, after, count)[0] - began)
    side.came_cpu.append(processes.cpu_seconds(pids) - cpu)
    after, cpu, began = dashboard.get()["seq"], processes.cpu_seconds(pids), time.time()
    _drop(dashboard, count)
    last, lines = _when_connected(dashboard, after, count)
    side.back.append(last - began)
    side.back_cpu.append(processes.cpu_seconds(pids) - cpu)
    side.resident.append(processes.memory(pids).resident / 1e6)
    side.kept += sum(line["data"]["memory"] == "kept" for line in lines)


def _when_connected(dashboard: Dashboard, after: int, count: int) -> tuple[float, list[dict[str, Any]]]:
    """When the last of so many connected, by its own clock, and what each said."""

    lines: list[dict[str, Any]] = []

    def connected() -> bool:
        """Asks only for what is new: a dashboard that answers all of it again and again slows the crowd."""
        lines.extend(dashboard.events(after=lines[-1]["seq"] if lines else after, kind="visitor.connected"))
        return len({line["data"]["visitor"] for line in lines}) == count

    wait_for(connected, 60, told=dashboard.told)
    return moment(lines[-1]["at"]), lines


def _node(dashboard: Dashboard, side: Side, count: int, folder: Path) -> None:
    url = dashboard.get()["balancer"]["url"]
    command = ["node", str(_SCRIPT), str(folder), url, str(count)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1) as node:
        assert node.stdin and node.stdout
        try:
            _said(node, "ready")
            cpu, began = processes.cpu_seconds([node.pid]), time.time()
            node.stdin.write("visit\n")
            _said(node, "here")
            side.came.append(time.time() - began)
            side.came_cpu.append(processes.cpu_seconds([node.pid]) - cpu)
            cpu, began = processes.cpu_seconds([node.pid]), time.time()
            _drop(dashboard, count)
            side.kept += _said(node, "back")["back"]
            side.back.append(time.time() - began)
            side.back_cpu.append(processes.cpu_seconds([node.pid]) - cpu)
            side.resident.append(processes.memory([node.pid]).resident / 1e6)
        finally:
            node.kill()


def _said(node: subprocess.Popen[str], what: str) -> dict[str, Any]:
    """Its next line, which must be about this; raises RuntimeError when it ended instead."""
    assert node.stdout
    line = json.loads(node.stdout.readline() or "{}")
    if what not in line:
        raise RuntimeError(f"node did not get to {what!r}")
    return dict(line)


def _drop(dashboard: Dashboard, count: int) -> None:
    dropped = dashboard.post("/connections/drop")["dropped"]
    if dropped != count:
        raise RuntimeError(f"{dropped} connections were cut, not {count}")


def _watched(side: Side) -> str:
    """How far behind the dashboard's page is in such a storm."""
    p50, p99 = (percentile(side.delays, percent) for percent in (50, 99))
    told = f"{len(side.delays)} events, {p50:.0f} ms after they happened (p50; p99 {p99:.0f} ms)"
    return f"{side.name}: a watcher of the dashboard saw {told}; it missed {side.unseen}.{_named(side)}"


def _named(side: Side) -> str:
    kinds = [f"{count} {kind}" for kind, count in side.errors.items() if count]
    return f" Errors: {', '.join(kinds)}." if kinds else ""


def _row(side: Side, count: int, visits: int) -> list[str]:
    came, came_cpu, back, back_cpu, resident = side.figures()
    each = [f"{cpu / count * 1000:.2f} ms" for cpu in (came_cpu, back_cpu)]
    told = [f"{resident:.0f} MB", f"{side.kept} of {visits}", str(side.errors.total())]
    return [side.name, f"{came:.2f} s", each[0], f"{back:.2f} s", each[1], *told]
