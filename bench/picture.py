"""Frames of the affinity page, 10 replicas and 200 visitors; the peer is an empty page of the same browser.

Visitors, replicas, balancer and dashboard are real and run beside Chromium on the same cores. In a storm all
connections are cut every two seconds: with cookie affinity everybody comes back, without any most are refused
and try again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from playwright.sync_api import Page

from bench import places
from bench.frames import COLUMNS, NOTE, Frames, browser_page, frames
from bench.table import Table
from tests.dashboard import TOKEN, Dashboard
from tests.waiting import wait_for

REPLICAS, VISITORS = 10, 200
SECONDS = 10.0
_EVERY = 2.0


def measure(quick: bool) -> Table:
    """Idle and in two kinds of storm, with and without the picture in view."""
    replicas, visitors, seconds = (3, 20, 1.5) if quick else (REPLICAS, VISITORS, SECONDS)
    engine = places.engines()[0]
    with places.dashboard(engine) as dashboard, browser_page() as page:
        rows = [frames(page, seconds / 2).row("an empty page, nothing runs")]
        dashboard.launch_lab(replicas=replicas, affinity="cookie", visitors=visitors)
        wait_for(lambda: dashboard.get()["visitors"]["connected"] == visitors, 120, told=dashboard.told)
        rows.append(frames(page, seconds / 2).row("an empty page, the lab runs"))
        page.goto(f"{dashboard.url}/affinity?token={TOKEN}")
        page.wait_for_selector(".visitors, .groups .tally")
        rows.append(frames(page, seconds).row("idle"))
        rows.append(_in_a_storm(page, dashboard, seconds).row("storm, cookie"))
        nodes, flown = _drawn(page)
        dashboard.put("/affinity", {"mode": "none"})
        rows.append(_in_a_storm(page, dashboard, seconds).row("storm, no affinity"))
        most, all_flown = _drawn(page)
        page.evaluate("document.querySelector('#stop').scrollIntoView()")
        rows.append(_in_a_storm(page, dashboard, seconds).row("storm, picture out of view"))
    notes = [
        f"{replicas} replicas, {visitors} visitors, {engine} engine; a storm cuts all every {_EVERY:.0f} s.",
        f"{max(nodes, most)} SVG elements; {flown} requests flew with a cookie, {all_flown - flown} without.",
        NOTE,
    ]
    return Table(COLUMNS, rows, notes)


def _in_a_storm(page: Page, dashboard: Dashboard, seconds: float) -> Frames:
    with _storm(dashboard):
        return frames(page, seconds)


@contextmanager
def _storm(dashboard: Dashboard) -> Iterator[None]:
    """Meanwhile all connections are cut again and again, by somebody else than the page."""
    over = threading.Event()

    def cut() -> None:
        drop = f"{dashboard.url}/api/workspaces/demo/connections/drop"
        while not over.is_set():
            requests.post(drop, json={}, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)
            over.wait(_EVERY)

    thread = threading.Thread(target=cut)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        time.sleep(1)


def _drawn(page: Page) -> tuple[int, int]:
    """Elements of the picture, and requests that flew so far."""
    nodes = page.evaluate("document.querySelectorAll('#picture svg *').length")
    flown = page.evaluate("Number(document.querySelector('.flights').dataset.flown ?? 0)")
    return int(nodes), int(flown)
