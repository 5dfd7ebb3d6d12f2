"""Where it is measured: dashboards on the engines of this machine, each in a folder that goes away again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.table import Skipped
from services.settings import read_settings
from services.web.keys import secret
from services.workspaces.workspace import control_key
from tests.conftest import missing
from tests.dashboard import Dashboard

ENGINES = ("local", "docker")


def engines() -> list[str]:
    """Those that this machine has; raises Skipped when there is none."""
    reasons = {engine: missing(engine) for engine in ENGINES}
    found = [engine for engine in ENGINES if not reasons[engine]]
    if not found:
        raise Skipped("; ".join(f"{engine}: {reason}" for engine, reason in reasons.items()))
    return found


@contextmanager
def dashboard(engine: str) -> Iterator[Dashboard]:
    """A running dashboard; afterwards it and all that it started is gone."""
    with tempfile.TemporaryDirectory(prefix="labdeck-bench-") as folder:
        place = Dashboard(engine, Path(folder, "state"))
        try:
            yield place.start()
        finally:
            place.stop()


def launch_hello_go(dashboard: Dashboard) -> None:
    """Built and running; a first build compiles Go's library, which takes a minute or two."""
    dashboard.done(dashboard.post("/hello-go/launch"), seconds=600)


def key_of(dashboard: Dashboard) -> str:
    """The control key of its workspace: opens control ports, and marks the processes that it started."""
    settings = read_settings({"LAB_STATE_DIR": str(dashboard.state_dir)})
    return control_key(secret(settings), "demo")
