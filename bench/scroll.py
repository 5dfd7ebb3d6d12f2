"""The live log scrolled through 100,000 events in Chromium; the peer is an empty page of the same browser.

The events are recorded through the log itself, before the dashboard starts: it is a measurement of the page.
`read` moves 40 pixels a frame, `fling` 400, `drag` pulls the thumb to a random place ten times a second, so
that nearly every time a page of the past is fetched.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page

from bench.frames import COLUMNS, NOTE, browser_page, frames
from bench.table import Skipped, Table
from tests.conftest import missing
from tests.dashboard import TOKEN, Dashboard
from tests.long_log import record_past

EVENTS = 100_000
SECONDS = 8.0


def measure(quick: bool) -> Table:
    """One stretch a way of scrolling, in a page that has been everywhere in the log before the last."""
    if reason := missing("local"):
        raise Skipped(reason)
    count, seconds = (5_000, 1.0) if quick else (EVENTS, SECONDS)
    with tempfile.TemporaryDirectory(prefix="labdeck-bench-") as folder:
        record_past(folder, count)
        dashboard = Dashboard("local", Path(folder)).start()
        try:
            with browser_page() as page:
                return _measured(page, dashboard, count, seconds)
        finally:
            dashboard.stop()


def _measured(page: Page, dashboard: Dashboard, count: int, seconds: float) -> Table:
    rows = [frames(page, seconds / 2).row("an empty page")]
    page.goto(f"{dashboard.url}/affinity?token={TOKEN}")
    page.wait_for_function(
        f"() => parseInt(document.querySelector('#log-count').textContent.replaceAll(',', '')) >= {count}"
    )
    rows.append(frames(page, seconds / 2).row("the lab, nobody scrolls"))
    for act in ("read", "fling", "drag", "read"):
        page.evaluate("document.querySelector('#log-scroll').scrollTop *= 0.8")
        page.wait_for_timeout(500)
        rows.append(frames(page, seconds, act).row(act))
    drawn, held = page.evaluate(
        "[document.querySelectorAll('#log-lines li').length, document.querySelectorAll('*').length]"
    )
    notes = [
        f"{count:,} events; {drawn} lines and {held} elements in the document afterwards.",
        NOTE,
    ]
    return Table(COLUMNS, rows, notes)
