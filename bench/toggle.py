"""Affinity toggled, until the first request that obeys; the peer is the controller without the dashboard.

Both sides toggle the same Envoy in turns. The clock runs from the start of the PUT to the end of the first
answer through the balancer that obeys: with affinity it sets the cookie that the PUT has named, without it
sets none.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench import places
from bench.caller import Answer, Caller
from bench.figures import median, percentile, ratio
from bench.table import Table
from services.engines.choice import choose
from services.settings import read_settings
from tests.dashboard import TOKEN, Dashboard

TARGETS_MS = {"local": 10, "docker": 25}
_PREFIX = "labdeck_affinity"
_COLUMNS = ("engine", "PUT → obeyed, p50", "p99", "target p50", "controller alone, p50", "p99", "ratio")


@dataclass
class Side:
    """Who is asked to toggle, and how long it took each time."""

    put: Callable[[dict[str, Any]], Answer]
    taken: list[float] = field(default_factory=list)
    envoy: list[float] = field(default_factory=list)
    """Of it, what the controller counted until Envoy had the new routes."""
    disobeyed: int = 0
    """Requests that were sent after the PUT was answered and did not obey; it promises none."""

    def toggle(self, mode: str, door: Caller) -> None:
        """Once; milliseconds go to `taken`."""
        began = time.perf_counter()
        answer = self.put({"mode": mode}).json()
        while not _obeys(door.send("GET", "/healthz"), answer["affinity"]):
            self.disobeyed += 1
            if time.perf_counter() - began > 5:
                raise RuntimeError(f"affinity {mode} was not obeyed within 5 s")
        self.taken.append((time.perf_counter() - began) * 1000)
        self.envoy.append(answer["ms"])


def measure(quick: bool) -> Table:
    """Fifty toggles a side, half of them on, on each engine."""
    pairs = 3 if quick else 25
    rows, notes = [], []
    for engine in places.engines():
        with places.dashboard(engine) as dashboard:
            dashboard.launch_lab()
            ours, bare = _compare(dashboard, engine, pairs)
        rows.append(_row(engine, ours, bare))
        notes.append(
            f"{engine}: of the {median(ours.taken):.1f} ms Envoy took {median(ours.envoy):.1f} until it had "
            f"the new routes (p50); {ours.disobeyed + bare.disobeyed} requests after an answer disobeyed it."
        )
    return Table(_COLUMNS, rows, [f"{2 * pairs} toggles a side, in turns.", *notes])


def _compare(dashboard: Dashboard, engine: str, pairs: int) -> tuple[Side, Side]:
    api, control = Caller(dashboard.url, TOKEN), _controller(dashboard, engine)
    door = Caller(dashboard.get()["balancer"]["url"])
    ours = Side(lambda body: api.send("PUT", "/api/workspaces/demo/affinity", body))
    bare = Side(lambda body: control.send("PUT", "/control/affinity", body))
    for side in (ours, bare):
        _on_and_off(side, door)
        side.taken.clear()
        side.envoy.clear()
    for _ in range(pairs):
        _on_and_off(ours, door)
        _on_and_off(bare, door)
    for caller in (api, control, door):
        caller.close()
    return ours, bare


def _on_and_off(side: Side, door: Caller) -> None:
    side.toggle("cookie", door)
    side.toggle("none", door)


def _controller(dashboard: Dashboard, engine: str) -> Caller:
    """Straight to the controller's port, with the key that only the dashboard knows."""
    settings = read_settings({"LAB_ENGINE": engine, "LAB_STATE_DIR": str(dashboard.state_dir)})
    found, _ = choose(settings)
    address = found.address("demo", "balancer", "control")
    found.close()
    return Caller(address.url, places.key_of(dashboard))


def _obeys(answer: Answer, affinity: dict[str, Any]) -> bool:
    name = (affinity.get("cookie") or {}).get("name", _PREFIX)
    is_set = any(line.startswith(name) for line in answer.headers.get_all("Set-Cookie", []))
    return is_set == (affinity["mode"] == "cookie")


def _row(engine: str, ours: Side, bare: Side) -> list[str]:
    mine, theirs = median(ours.taken), median(bare.taken)
    return [
        engine,
        f"{mine:.1f} ms",
        f"{percentile(ours.taken, 99):.1f} ms",
        f"≤ {TARGETS_MS[engine]} ms",
        f"{theirs:.1f} ms",
        f"{percentile(bare.taken, 99):.1f} ms",
        ratio(mine, theirs),
    ]
