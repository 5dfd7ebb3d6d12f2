"""Frames of a page in Chromium: the gaps between them, and the tasks that held them up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bench.figures import median, percentile
from bench.table import Skipped
from tests.browser.conftest import ARGUMENTS
from tests.conftest import CHROMIUM, missing

COLUMNS = ("what", "frames a second", "frame p50", "p99", "longest", "over 33 ms", "tasks over 50 ms", "heap")
NOTE = "Chromium without a window and without a graphics card: frames that the page was ready for."
_WATCH = """async ([seconds, act]) => {
  const deltas = [], tasks = [];
  const note = (list) => tasks.push(...list.getEntries().map((each) => each.duration));
  const observer = new PerformanceObserver(note);
  observer.observe({ type: 'longtask' });
  const scroll = document.querySelector('#log-scroll');
  const steps = {
    read: (n) => (scroll.scrollTop -= 40),
    fling: (n) => (scroll.scrollTop -= 400),
    drag: (n) => n % 6 === 0 && (scroll.scrollTop = Math.random() * scroll.scrollHeight),
  };
  const end = performance.now() + seconds * 1000;
  await new Promise((done) => {
    let before = null, n = 0;
    requestAnimationFrame(function frame(now) {
      if (before !== null) deltas.push(now - before);
      before = now;
      steps[act]?.(n++);
      if (performance.now() < end) requestAnimationFrame(frame); else done();
    });
  });
  observer.disconnect();
  return { deltas, tasks, heap: performance.memory.usedJSHeapSize };
}"""


@dataclass(frozen=True)
class Frames:
    """What was seen of one stretch; milliseconds, and bytes of JavaScript's heap at its end."""

    deltas: list[float]
    tasks: list[float]
    heap: int

    def row(self, what: str) -> list[str]:
        """As a row of COLUMNS."""
        slow = sum(delta > 33.4 for delta in self.deltas)
        return [
            what,
            f"{1000 * len(self.deltas) / sum(self.deltas):.0f}",
            f"{median(self.deltas):.1f} ms",
            f"{percentile(self.deltas, 99):.0f} ms",
            f"{max(self.deltas):.0f} ms",
            f"{slow} of {len(self.deltas)}",
            f"{len(self.tasks)}, {sum(self.tasks):.0f} ms",
            f"{self.heap / 1e6:.0f} MB",
        ]


def frames(page: Page, seconds: float, act: str = "") -> Frames:
    """Watch for so long; `act` scrolls the log meanwhile: read, fling or drag."""
    seen: dict[str, Any] = page.evaluate(_WATCH, [seconds, act])
    return Frames(**seen)


@contextmanager
def browser_page() -> Iterator[Page]:
    """A page of a Chromium without a window; raises Skipped where there is none."""
    if reason := missing("browser"):
        raise Skipped(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*ARGUMENTS, "--enable-precise-memory-info"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        try:
            yield page
        finally:
            browser.close()
