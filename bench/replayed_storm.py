"""A dashboard that tells a recorded storm again: what the page costs where nothing else runs.

Events, their patches and their times are of a real lab; here no replica, balancer or visitor runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
from flask import Flask

from tests.dashboard import TOKEN, TOP, Dashboard, free_port
from tests.waiting import wait_for
from tests.web.conftest import compose

_KEPT_OUT = ("workspace", "seq", "engine", "limits", "apps")


def recording(dashboard: Dashboard, begin: dict[str, Any]) -> dict[str, Any]:
    """The state as `begin`, a snapshot, has it, and all events since."""
    return {"begin": begin, "events": dashboard.events(after=begin["seq"])}


@contextmanager
def replaying(recorded: dict[str, Any]) -> Iterator[str]:
    """The address of a dashboard that shows where the recording begins; `tell` lets it go on."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--worker-class", "gevent", "--workers", "1"]
    options = [
        "--no-control-socket",
        "--graceful-timeout",
        "1",
        "--bind",
        f"127.0.0.1:{port}",
        "bench.replayed_storm:create()",
    ]
    with tempfile.TemporaryDirectory(prefix="labdeck-bench-") as folder:
        Path(folder, "recorded.json").write_text(json.dumps(recorded))
        said = Path(folder, "said")
        settings = {"LAB_STATE_DIR": f"{folder}/state", "LAB_TOKEN": TOKEN, "PYTHONPATH": str(TOP)}
        with said.open("w") as output:
            process = subprocess.Popen(
                [*command, *options], cwd=folder, env=os.environ | settings, stdout=output, stderr=output
            )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(lambda: _answers(url), 30, told=said.read_text)
            yield url
        finally:
            process.terminate()
            process.wait(15)


def tell(url: str) -> None:
    """Tell the storm from its first event on, at its own pace."""
    requests.post(f"{url}/storm", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10).raise_for_status()


def create() -> Flask:
    """The app that gunicorn serves, in the folder with the recording."""
    recorded = json.loads(Path("recorded.json").read_text())
    app, _, _ = compose(os.environ)
    log = app.extensions["labdeck"].house.get("demo").log
    state = {name: part for name, part in recorded["begin"].items() if name not in _KEPT_OUT}
    state["replicas"] = {replica["name"]: replica for replica in state["replicas"]}
    log.record("dashboard", "workspace.adopted", "A recorded storm is told again.", patch=state)

    def storm() -> dict[str, Any]:
        threading.Thread(target=_tell, args=(log, recorded["events"]), daemon=True).start()
        return {}

    app.add_url_rule("/storm", view_func=storm, methods=["POST"])
    return app


def _tell(log: Any, events: list[dict[str, Any]]) -> None:
    began, first = time.monotonic(), _seconds(events[0]["at"])
    for event in events:
        time.sleep(max(0.0, began + _seconds(event["at"]) - first - time.monotonic()))
        told = {name: event[name] for name in ("source", "kind", "text", "level", "data")}
        log.record(**told, patch=event.get("patch"))


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=2).ok
    except requests.RequestException:
        return False
