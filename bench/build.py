"""Hello-Go built by a click, until its image is there; the peer is `docker build` of the same files.

Cold: the greeting is another one each time, so the compiler has all to do; the base images are there. Cached:
the same again. Both sides use the classic builder and take turns.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import docker

from bench import places
from bench.figures import median, moment, ratio
from bench.table import Skipped, Table
from services.engines.docker_leftovers import Leftovers
from services.hello_go.choice import Choice
from services.hello_go.sources import render
from services.settings import read_settings
from tests.conftest import missing
from tests.dashboard import Dashboard

TARGET = "≤ 1.05×"
_COLUMNS = ("cache", "POST → built, median", "slowest", "docker build, median", "slowest", "ratio", "target")
_TAG = f"bench-hello-go-{uuid.uuid4().hex[:8]}"


def measure(quick: bool) -> Table:
    """Four cold builds and eleven cached ones a side."""
    if reason := missing("docker"):
        raise Skipped(reason)
    cold, cached = (1, 2) if quick else (4, 11)
    with places.dashboard("docker") as dashboard, tempfile.TemporaryDirectory() as folder:
        left = Leftovers(began=time.time())
        try:
            rows = [_row("cold", _compare(dashboard, Path(folder), left, cold, fresh=True))]
            rows.append(_row("cached", _compare(dashboard, Path(folder), left, cached, fresh=False)))
        finally:
            subprocess.run(("docker", "rmi", _TAG), capture_output=True, timeout=60)
            _remove(left)
    notes = [f"{cold} cold and {cached} cached builds a side, in turns.", "Time ends with the built image."]
    return Table(_COLUMNS, rows, notes)


def _row(name: str, taken: tuple[list[float], list[float]]) -> list[str]:
    ours, theirs = taken
    shown = [f"{value:.0f} ms" for value in (median(ours), max(ours), median(theirs), max(theirs))]
    return [name, *shown, ratio(median(ours), median(theirs)), TARGET]


def _compare(
    dashboard: Dashboard, folder: Path, left: Leftovers, count: int, *, fresh: bool
) -> tuple[list[float], list[float]]:
    ours, theirs = [], []
    greetings = ["Hello-Go", "Hello-Go"]
    if not fresh:  # one round that is not counted fills the cache
        _by_dashboard(dashboard, greetings[0])
        _by_docker(folder, greetings[1], left)
    for turn in range(count):
        if fresh:
            greetings = [f"{side} {turn} {uuid.uuid4().hex[:8]}" for side in ("ours", "theirs")]
        for side in (0, 1) if turn % 2 else (1, 0):  # who comes second finds the machine warmer
            if side == 0:
                ours.append(_by_dashboard(dashboard, greetings[0]))
            else:
                theirs.append(_by_docker(folder, greetings[1], left))
    return ours, theirs


def _by_dashboard(dashboard: Dashboard, greeting: str) -> float:
    """Milliseconds from the request to the event that the image is there, by the event's own time.

    So nobody has to ask often, which would cost the builder; what the job adds later is not counted.
    """
    seq = dashboard.get()["seq"]
    began = time.time()
    job = dashboard.post("/hello-go/build", {"greeting": greeting})
    while not (built := dashboard.events(seq, kind="hello_go.built")):
        if failed := dashboard.events(seq, kind="hello_go.failed"):
            raise RuntimeError(failed[0]["text"])
        time.sleep(0.2)
    taken = (moment(built[0]["at"]) - began) * 1000
    dashboard.done(job, seconds=600)
    return taken


def _by_docker(folder: Path, greeting: str, left: Leftovers) -> float:
    """Milliseconds of `docker build`, from its start to its end; what it made goes into `left`."""
    render(Choice(greeting=greeting), read_settings(os.environ)).write(folder)
    began = time.perf_counter()
    ran = subprocess.run(
        ("docker", "build", "-t", _TAG, str(folder)),
        env=os.environ | {"DOCKER_BUILDKIT": "0"},
        check=True,
        capture_output=True,
        text=True,
        timeout=600,
    )
    taken = (time.perf_counter() - began) * 1000
    left.images += re.findall(r"^ ---> ([0-9a-f]{12})$", ran.stdout, re.MULTILINE)
    return taken


def _remove(left: Leftovers) -> None:
    """Images that lost their name to the next round; what has a name or a child stays."""
    client = docker.APIClient(version="auto")
    left.remove(client)
    client.close()
