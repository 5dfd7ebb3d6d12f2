"""Frames of the affinity page, 10 replicas and 200 visitors; the peer is an empty page of the same browser.

Visitors, replicas, balancer and dashboard are real and run beside Chromium on the same cores. In a storm all
connections are cut every two seconds: with cookie affinity everybody comes back, without any most are refused
and try again. An empty page in the same storm shows what the cores can still do; the recorded storms, told
again by a dashboard with nothing else beside it, show what the page itself costs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from playwright.sync_api import Page

from bench import places
from bench.frames import COLUMNS, NOTE, Frames, browser_page, frames
from bench.replayed_storm import recording, replaying, tell
from bench.table import Table
from tests.dashboard import TOKEN, Dashboard
from tests.waiting import wait_for

REPLICAS, VISITORS = 10, 200
SECONDS = 10.0
_EVERY = 2.0


def measure(quick: bool) -> Table:
    """Idle and in two kinds of storm, then the same storms told again without the lab."""
    replicas, visitors, seconds = (3, 20, 1.5) if quick else (REPLICAS, VISITORS, SECONDS)
    engine = places.engines()[0]
    with browser_page() as page:
        rows = [frames(page, seconds / 2).row("an empty page, nothing runs")]
        with places.dashboard(engine) as dashboard:
            dashboard.launch_lab(replicas=replicas, affinity="cookie", visitors=visitors)
            wait_for(lambda: dashboard.get()["visitors"]["connected"] == visitors, 120, told=dashboard.told)
            live, recorded, drawn = _beside_the_lab(page, dashboard, seconds)
        rows += live
        for name, storm in recorded.items():
            with replaying(storm) as url:
                rows.append(_told_again(page, url, seconds).row(f"recorded {name}"))
    notes = [
        f"{replicas} replicas, {visitors} visitors, {engine} engine; a storm cuts all every {_EVERY:.0f} s.",
        drawn,
        "Recorded: the events of the storm above, told again at their own pace where nothing else runs.",
        NOTE,
    ]
    return Table(COLUMNS, rows, notes)


def _beside_the_lab(
    page: Page, dashboard: Dashboard, seconds: float
) -> tuple[list[list[str]], dict[str, dict[str, Any]], str]:
    """The rows, the two storms as they were recorded, and what the picture drew."""
    rows = [_in_a_storm(page, dashboard, seconds / 2).row("an empty page, storm, cookie")]
    _show(page, dashboard.url)
    rows.append(frames(page, seconds).row("idle"))
    recorded, flown = {}, [0]
    for mode, name in (("cookie", "storm, cookie"), ("none", "storm, no affinity")):
        dashboard.put("/affinity", {"mode": mode})
        begin = dashboard.get()
        rows.append(_in_a_storm(page, dashboard, seconds).row(name))
        recorded[name] = recording(dashboard, begin)
        nodes, all_flown = _drawn(page)
        flown.append(all_flown)
    page.evaluate("document.querySelector('#stop').scrollIntoView()")
    rows.append(_in_a_storm(page, dashboard, seconds).row("storm, picture out of view"))
    page.goto("about:blank")
    rows.append(_in_a_storm(page, dashboard, seconds / 2).row("an empty page, storm, no affinity"))
    drawn = f"{nodes} SVG elements; {flown[1]} requests flew with a cookie, {flown[2] - flown[1]} without."
    return rows, recorded, drawn


def _told_again(page: Page, url: str, seconds: float) -> Frames:
    _show(page, url)
    tell(url)
    return frames(page, seconds)


def _show(page: Page, url: str) -> None:
    page.goto(f"{url}/affinity?token={TOKEN}")
    page.wait_for_selector(".visitors .visitor, .groups .tally")
    page.wait_for_timeout(1000)


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
