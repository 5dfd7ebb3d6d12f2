"""An event recorded, until it is in a browser's socket; the peer is a bare Flask-SocketIO app.

The events are real: a hundred times a second somebody calls Hello-Go through the dashboard's API, which
asks the Go program and records `hello_go.called`. The peer's answer to the same calls is to queue an event
of the same shape. Both send ten batches a second, so about half of that gap is in every median. `at` is cut
to whole milliseconds.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from bench import places, processes
from bench.audience import Audience
from bench.bare import bare_server
from bench.caller import Caller
from bench.figures import median, percentile, ratio
from bench.table import Table
from tests.dashboard import TOKEN

WATCHERS = 100
PER_SECOND = 100
TARGET_MS = 150
_CALLERS = 4
_COLUMNS = ("server", "p50", "p99", "slowest", "target p99", "events a second", "CPU a second")


@dataclass
class Side:
    """One server: whom to call, who serves, and what its watchers saw."""

    name: str
    url: str
    path: str
    pid: int
    delays: list[float] = field(default_factory=list)
    events: int = 0
    missed: int = 0
    compressed: bool = False
    seconds: float = 0.0
    cpu: float = 0.0

    def run(self, watchers: int, seconds: float) -> None:
        """Watch and call for so long."""
        audience = Audience(self.url, TOKEN, watchers)
        try:
            time.sleep(1)  # what was recorded before is not counted: let it pass
            cpu, began = processes.cpu_seconds(processes.server(self.pid)), time.perf_counter()
            drive(self.url, self.path, seconds)
            self.seconds += time.perf_counter() - began
            self.cpu += processes.cpu_seconds(processes.server(self.pid)) - cpu
            time.sleep(0.5)
            seen = audience.leave()
        finally:
            audience.close()
        self.delays += seen["delays"]
        self.events += seen["events"]
        self.missed += seen["missed"] + seen["gone"]
        self.compressed = seen["compressed"]


def measure(quick: bool) -> Table:
    """Fifteen seconds a side, in two turns each."""
    seconds = 1.5 if quick else 7.5
    engine = places.engines()[0]
    with places.dashboard(engine) as dashboard, bare_server() as bare:
        places.launch_hello_go(dashboard)
        call = "/api/workspaces/demo/hello-go/call"
        ours = Side("dashboard", dashboard.url, call, dashboard.process.pid)
        peer = Side("bare Flask-SocketIO", bare.url, "/call", bare.pid)
        for side in (ours, peer, ours, peer):
            side.run(WATCHERS, seconds)
    return Table(
        _COLUMNS, [_row(ours, f"≤ {TARGET_MS} ms"), _row(peer, ""), _ratios(ours, peer)], _notes(ours, engine)
    )


def drive(url: str, path: str, seconds: float, per_second: int = PER_SECOND) -> None:
    """Call at this pace; falls behind, and does not hurry afterwards, when the server does not keep up."""
    until = time.perf_counter() + seconds

    def call_on(offset: float) -> None:
        caller, due = Caller(url, TOKEN), time.perf_counter() + offset
        while due < until:
            time.sleep(max(0.0, due - time.perf_counter()))
            caller.send("POST", path, {}).json()
            due = max(due + _CALLERS / per_second, time.perf_counter() - 0.05)
        caller.close()

    threads = [threading.Thread(target=call_on, args=(n / per_second,)) for n in range(_CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _row(side: Side, target: str) -> list[str]:
    values = (median(side.delays), percentile(side.delays, 99), max(side.delays))
    shown = [f"{value:.0f} ms" for value in values]
    return [
        side.name,
        *shown,
        target,
        f"{side.events / side.seconds:.0f}",
        f"{side.cpu / side.seconds:.2f} s",
    ]


def _ratios(ours: Side, peer: Side) -> list[str]:
    values = [
        ratio(median(ours.delays), median(peer.delays)),
        ratio(percentile(ours.delays, 99), percentile(peer.delays, 99)),
        ratio(max(ours.delays), max(peer.delays)),
    ]
    return ["ratio", *values, "", "", ratio(ours.cpu / ours.seconds, peer.cpu / peer.seconds)]


def _notes(ours: Side, engine: str) -> list[str]:
    compression = "compressed, as Chromium asks for" if ours.compressed else "not compressed"
    return [
        f"{WATCHERS} watchers in a process of their own, {len(ours.delays)} deliveries, {compression}.",
        f"Watchers that missed an event, saw one twice or were closed: {ours.missed}.",
        f"Hello-Go runs on the {engine} engine; CPU is the server's alone.",
    ]
