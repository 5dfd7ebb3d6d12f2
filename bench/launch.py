"""Hello-Go launched, until it answers `Hello-Go`; the peer is what a person types: `docker run`, then curl.

The image is built before. All sides take turns. `docker run --detach` says by its end that the container is
started, and then its port is asked until it answers; the dashboard asks the same port itself and says by an
event that it got an answer, so the event's own time counts. (To ask the dashboard again and again would take
a third of a core from Docker, which nobody takes from it on the peer's side. To poll a published port before
it is said to be started costs either side a second: Docker's proxy asks a network that is not there yet, and
the kernel asks again after a second.) The dashboard's containers live in a network of their workspace, which
Docker sets up slower than its default one; so there is a peer in each. On the local engine the peer is the
bare process: two small numbers without a target.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from bench import places
from bench.figures import median, moment, ratio
from bench.table import Table
from tests.dashboard import Dashboard, free_port

BARE, OWN, PROCESS = "docker run", "docker run in a network of its own", "the bare process"
TARGETS = {BARE: "≤ 1.15×"}
_COLUMNS = ("engine", "POST → Hello-Go, p50", "slowest", "peer", "p50", "slowest", "ratio", "target")
_NETWORK = f"bench-{uuid.uuid4().hex[:8]}"
_HARDENED = (
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges:true", "--read-only"),
    *("--tmpfs", "/tmp:rw,noexec,nosuid,nodev,size=64m,mode=1777", "--user", "65532:65532"),
    *("--memory", "128m", "--memory-swap", "128m", "--cpus", "1", "--pids-limit", "128"),
)
"""The flags that the docker engine gives its containers."""

Run = Callable[[str], AbstractContextManager[float]]
"""Starts an image or a binary, and takes it away again; gives the milliseconds until it said hello."""


def measure(quick: bool) -> Table:
    """Eleven launches a side on each engine, after one that is not counted."""
    count = 2 if quick else 11
    rows = []
    for engine in places.engines():
        with places.dashboard(engine) as dashboard, _peers(engine) as peers:
            taken = _compare(dashboard, peers, count)
        ours = taken.pop("")
        for peer, theirs in taken.items():
            times = [f"{median(ours):.0f} ms", f"{max(ours):.0f} ms", peer]
            times += [f"{median(theirs):.0f} ms", f"{max(theirs):.0f} ms"]
            rows.append([engine, *times, ratio(median(ours), median(theirs)), TARGETS.get(peer, "")])
    return Table(_COLUMNS, rows, [f"{count} launches a side, in turns."])


def _compare(dashboard: Dashboard, peers: Mapping[str, Run], count: int) -> dict[str, list[float]]:
    """Milliseconds of each launch, by peer; the dashboard's own have no name."""
    places.launch_hello_go(dashboard)
    dashboard.done(dashboard.post("/hello-go/stop"))
    images = dashboard.get("/hello-go/images")["images"]
    tag = next(image["tag"] for image in images if image["role"] == "runtime")
    sides: dict[str, Run] = {"": lambda tag: _launched(dashboard)} | dict(peers)
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(count + 1):
        for name, run in sides.items():
            with run(tag) as milliseconds:
                if turn:
                    taken[name].append(milliseconds)
    return taken


@contextmanager
def _launched(dashboard: Dashboard) -> Iterator[float]:
    """By the dashboard's API; stopped at the end."""
    seq = dashboard.get()["seq"]
    began = time.time()
    job = dashboard.post("/hello-go/launch")
    while not (started := dashboard.events(seq, kind="hello_go.started")):
        if failed := dashboard.events(seq, kind="hello_go.failed"):
            raise RuntimeError(failed[0]["text"])
        time.sleep(0.2)
    if not _says_hello(int(started[0]["data"]["url"].rpartition(":")[2])):
        raise RuntimeError("it was said to answer, but it does not")
    dashboard.done(job)
    yield (moment(started[0]["at"]) - began) * 1000
    dashboard.done(dashboard.post("/hello-go/stop"))


@contextmanager
def _peers(engine: str) -> Iterator[dict[str, Run]]:
    if engine == "local":
        yield {PROCESS: _process}
        return
    subprocess.run(("docker", "network", "create", _NETWORK), check=True, capture_output=True, timeout=60)
    try:
        yield {BARE: _docker_run, OWN: partial(_docker_run, flags=("--network", _NETWORK))}
    finally:
        subprocess.run(("docker", "network", "rm", _NETWORK), capture_output=True, timeout=60)


def _wait_for_hello(port: int) -> None:
    """Ask every two milliseconds."""
    deadline = time.monotonic() + 30
    while not _says_hello(port):
        if time.monotonic() > deadline:
            raise RuntimeError(f"nobody said Hello-Go on port {port} within 30 s")
        time.sleep(0.002)


def _says_hello(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().startswith(b"Hello-Go")
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def _docker_run(image: str, flags: Sequence[str] = ()) -> Iterator[float]:
    """A container of our own; it is removed at the end."""
    name, port = f"bench-{uuid.uuid4().hex[:8]}", free_port()
    publish = ("--publish", f"127.0.0.1:{port}:8080")
    command = ("docker", "run", "--detach", "--name", name, *_HARDENED, *flags, *publish, image)
    try:
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        _wait_for_hello(port)
        yield (time.perf_counter() - began) * 1000
    finally:
        subprocess.run(("docker", "rm", "--force", name), capture_output=True, timeout=60)


@contextmanager
def _process(binary: str) -> Iterator[float]:
    port = free_port()
    listen = {"LAB_LISTEN_PUBLIC": f"127.0.0.1:{port}"}
    began = time.perf_counter()
    program = subprocess.Popen([binary], env=os.environ | listen, stderr=subprocess.DEVNULL)
    try:
        _wait_for_hello(port)
        yield (time.perf_counter() - began) * 1000
    finally:
        program.kill()
        program.wait()
