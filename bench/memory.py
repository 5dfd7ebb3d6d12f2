"""Memory of the dashboard, a replica and the balancer; the peers are the bare things they are built on.

RSS counts a page that two processes of a row share twice, PSS once; the targets are compared with RSS. A
watcher counts after events have come: its socket's compressor is only made then.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench import live, places, processes
from bench.audience import Audience
from bench.bare import bare_server
from bench.processes import Memory
from bench.table import Skipped, Table
from tests.dashboard import TOKEN, Dashboard, free_port
from tests.lab_programs import listens
from tests.waiting import wait_for

WATCHERS = 400
_MB = 1_000_000
_COLUMNS = ("what", "RSS", "PSS", "target", "peer", "RSS", "ratio")
_REPLICA = """
import sys
from aiohttp import web
app = web.Application()
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


def measure(quick: bool) -> Table:
    """Each is looked at once, when it has come to rest."""
    watchers = 20 if quick else WATCHERS
    rows: list[list[str]] = []
    notes: list[str] = []
    for engine in places.engines():
        with places.dashboard(engine) as dashboard:
            if not rows:
                rows += _dashboards(dashboard, watchers)
            try:
                rows += _lab(dashboard, engine)
            except Skipped as reason:
                notes.append(f"{engine}: skipped, {reason}.")
    return Table(_COLUMNS, rows, [*notes, "MB are millions of bytes."])


def _dashboards(dashboard: Dashboard, watchers: int) -> list[list[str]]:
    """Master and worker of gunicorn, on both sides."""
    with bare_server() as bare:
        idle = _rest(dashboard.process.pid), _rest(bare.pid)
        places.launch_hello_go(dashboard)
        call = "/api/workspaces/demo/hello-go/call"
        watched = (
            _watched(dashboard.url, call, dashboard.process.pid, watchers),
            _watched(bare.url, "/call", bare.pid, watchers),
        )
    peer = "bare Flask-SocketIO"
    with_watchers = f"dashboard, {watchers} watchers"
    return [
        _row("dashboard, idle", idle[0], 120, peer, idle[1]),
        _row(with_watchers, watched[0], 250, f"{peer}, {watchers} watchers", watched[1]),
    ]


def _rest(pid: int) -> Memory:
    time.sleep(2)
    return processes.memory(processes.server(pid))


def _watched(url: str, path: str, pid: int, watchers: int) -> Memory:
    """While they watch, after two seconds of twenty events a second."""
    audience = Audience(url, TOKEN, watchers)
    try:
        live.drive(url, path, 2.0, per_second=20)
        found = _rest(pid)
        seen = audience.leave()
    finally:
        audience.close()
    if seen["gone"] or not seen["events"]:
        raise RuntimeError(f"{seen['gone']} of {watchers} watchers were closed, {seen['events']} events seen")
    return found


def _lab(dashboard: Dashboard, engine: str) -> list[list[str]]:
    """One replica that nobody visits, and the balancer before three of them."""
    dashboard.launch_lab()
    time.sleep(2)
    key = places.key_of(dashboard)
    replica = processes.carrying(LAB_CONTROL_KEY=key, LAB_INSTANCE="replica-1")
    controller, *envoy = processes.carrying(LAB_CONTROL_KEY=key, LAB_INSTANCE="balancer")
    balancer = processes.memory([controller, *envoy])
    with _bare_aiohttp() as bare:
        peer = processes.memory([bare])
    return [
        _row(f"replica, idle ({engine})", processes.memory(replica), 45, "bare aiohttp", peer),
        _row(
            f"balancer with controller ({engine})", balancer, 110, "its Envoy alone", processes.memory(envoy)
        ),
    ]


@contextmanager
def _bare_aiohttp() -> Iterator[int]:
    """The process id of a server that does nothing."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", _REPLICA, str(port)])
    try:
        wait_for(lambda: listens(port), 10)
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)


def _row(what: str, ours: Memory, target: int, peer: str, theirs: Memory) -> list[str]:
    return [
        what,
        f"{ours.resident / _MB:.0f} MB",
        f"{ours.share / _MB:.0f} MB",
        f"≤ {target} MB",
        peer,
        f"{theirs.resident / _MB:.0f} MB",
        f"{ours.resident / theirs.resident:.2f}×",
    ]
