"""The real Blazor behind the real balancer, visited by a real Chromium."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Error, sync_playwright

from tests.browser.conftest import ARGUMENTS
from tests.conftest import CHROMIUM
from tests.dashboard import Dashboard
from tests.waiting import wait_for

HERE = Path(__file__).parent
OWN = {
    "transports": "auto",
    "skip_negotiation": False,
    "prerender": True,
    "retention_seconds": 180,
    "shared_store": False,
}
"""Blazor's own settings."""


def pytest_collection_modifyitems(items):
    """Tests of a file that want the same keys stand together: each change restarts all replicas."""
    places = [place for place, item in enumerate(items) if item.path.parent == HERE]
    ours = sorted((items[place] for place in places), key=lambda item: (item.path.name, _wanted(item)))
    for place, item in zip(places, ours, strict=True):
        items[place] = item


def _wanted(item):
    ways = item.callspec.params.get("ways") if hasattr(item, "callspec") else None
    return str(sorted(ways.items())) if ways else ""


class Visit:
    """One browser with its console; what it sees of its memory."""

    def __init__(self, context, url):
        self.context, self.url, self.page, self.console, self.loads = context, url, None, [], 0

    def load(self):
        """The page, in a tab of its own."""
        if self.page:
            self.page.close()
        self.page, self.console, self.loads = self.context.new_page(), [], 0
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.console.append(f"Uncaught Error: {error.message}"))
        self.page.on("framenavigated", lambda _: setattr(self, "loads", self.loads + 1))
        self.page.goto(self.url)
        return self

    def _said(self, message):
        if message.type in ("error", "warning"):
            self.console.append(message.text)

    def lines(self):
        """The console's errors, with times, ids, host and scripts masked."""
        return [_mask(line) for line in self.console]

    def lives(self):
        return bool(self.page.query_selector("#visit[data-interactive]"))

    def settle(self, seconds=30):
        """Wait for what comes of the load: True when it lives, False when it failed for good."""
        ended = lambda: self.lives() or any(GAVE_UP.search(line) for line in self.console)  # noqa: E731
        self.until(ended, seconds)
        return self.lives()

    def until(self, condition, seconds=30):
        """Like `wait_for`, but lets the browser's own events through."""

        def looked():
            try:
                self.page.wait_for_timeout(30)
                return condition()
            except Error:  # the page is being loaded anew
                return None

        return wait_for(looked, seconds, told=lambda: "\n".join(self.console))

    def counts(self, number):
        """Click until the page shows the number."""
        while int(self.text("count")) < number:
            before = int(self.text("count"))
            self.page.click("#increment")
            self.until(lambda: int(self.text("count")) > before)  # noqa: B023
        return self

    def text(self, id):
        return self.page.inner_text(f"#{id}")

    @property
    def holder(self):
        return self.text("memory-replica")


GAVE_UP = re.compile(r"Failed to start the circuit|circuit failed to initialize")


def _mask(line):
    line = re.sub(r"^\[\d{4}-\d\d-\d\dT[\d:.]+Z\] ", "", line)
    line = re.sub(r"://[\w.]+:\d+", "://HOST", line)
    return re.sub(r"&_=\d+", "&_=TIME", re.sub(r"\bid=[\w-]+", "id=ID", line))


class BlazorLab:
    """A dashboard whose replicas run Blazor, and words for what tests do to it."""

    def __init__(self, dashboard):
        self.dashboard = dashboard
        dashboard.done(dashboard.post("/affinity-lab/launch", {"app": "blazor"}))

    @property
    def url(self):
        return self.dashboard.get()["balancer"]["url"]

    def be(self, affinity="none", keys="own", **settings):
        """Have it so, restarting replicas only where something differs."""
        state = self.dashboard.get()
        wanted = OWN | settings
        changed = {name: value for name, value in wanted.items() if state["app_settings"][name] != value}
        if changed:
            self.dashboard.done(self.dashboard.put("/app-settings", changed))
        if state["page_keys"]["shared"] != (keys == "shared"):
            self.dashboard.done(self.dashboard.put("/page-keys", {"shared": keys == "shared"}))
        for replica in state["replicas"]:
            if replica["phase"] == "stopped":
                self.dashboard.done(self.dashboard.post(f"/replicas/{replica['name']}/start"))
        self.dashboard.put("/affinity", {"mode": affinity})
        return self

    def drop(self):
        self.dashboard.post("/connections/drop")

    def kill(self, replica):
        self.dashboard.done(self.dashboard.post(f"/replicas/{replica}/kill"))

    def mark(self):
        return self.dashboard.get()["seq"]

    def told(self, kind, after, count=1, seconds=30):
        """The events of this kind since `after`, once there are so many."""
        found = lambda: self.dashboard.events(after, kind=kind)  # noqa: E731
        wait_for(lambda: len(found()) >= count, seconds, told=self.dashboard.told)
        return found()

    def story(self, after, kind="page.served"):
        """The story of the visitor of the first such event since `after`."""
        name = self.told(kind, after)[0]["data"]["visitor"]
        return self.dashboard.get(f"/visitors/{name}/story")


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def lab(request, tmp_path_factory):
    """One launched lab for a module, on the engine that the module names."""
    engine = request.module.ENGINE
    dashboard = Dashboard(engine, tmp_path_factory.mktemp("blazor") / "state").start()
    try:
        yield BlazorLab(dashboard)
    finally:
        dashboard.stop()


@pytest.fixture
def visit(chromium, lab):
    """A browser that has never been here."""
    context = chromium.new_context()
    yield Visit(context, lab.url)
    context.close()
