"""`make screenshots`: the pictures of docs/screenshots, taken of a lab that runs, by nobody's hand."""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from services.engines.choice import choose
from services.settings import read_settings
from tests.browser.conftest import ARGUMENTS
from tests.conftest import CHROMIUM
from tests.dashboard import TOKEN, Dashboard
from tests.waiting import wait_for

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
BOTH = ("light", "dark")
SLOW = 300_000


class Camera:
    """Opens pages of one dashboard in one Chromium and keeps what they look like."""

    def __init__(self, browser, dashboard):
        self._browser, self.dashboard = browser, dashboard

    @contextmanager
    def page(self, path, theme="light", size=WIDE, sign_in=True, language="en"):
        context = self._browser.new_context(viewport=size, color_scheme=theme, locale=language)
        page = context.new_page()
        if sign_in:
            page.goto(f"{self.dashboard.url}/?token={TOKEN}")
        page.goto(path if path.startswith("http") else f"{self.dashboard.url}{path}")
        live = page.locator("#live")
        if live.count():
            expect(live).to_have_attribute("data-state", "websocket")
        yield page
        context.close()

    def keep(self, page, name):
        page.wait_for_function("() => document.fonts.status === 'loaded'")
        page.wait_for_timeout(400)
        page.screenshot(path=FOLDER / f"{name}.png")
        sys.stdout.write(f"  {name}.png\n")
        sys.stdout.flush()

    def take(self, path, name, themes=BOTH, prepare=lambda page: None):
        for theme in themes:
            with self.page(path, theme) as page:
                prepare(page)
                self.keep(page, f"{name}-{theme}")


def home(camera):
    camera.take("/", "home")
    with camera.page("/", language="de") as page:
        camera.keep(page, "home-german")


def affinity_lab(camera):
    """Stopped; nobody's memory found; everybody pinned; and what a run of it all measures."""
    dashboard = camera.dashboard
    camera.take("/affinity", "affinity-stopped", ("light",))
    dashboard.launch_lab(visitors=12, transport="auto")
    refused = wait_for(lambda: dashboard.events(kind="connection.refused"), 60)[0]["data"]["visitor"]
    wait_for(lambda: dashboard.get()["visitors"]["failed"] > 3, 60)

    def why(page):
        page.click(f".visitors [data-visitor='{refused}']")
        expect(page.locator("#why-h")).to_be_visible()
        page.locator("#why").evaluate("element => element.scrollIntoView({ block: 'end' })")
        page.evaluate("scrollTo(0, 0)")

    camera.take("/affinity", "affinity", BOTH, why)
    with camera.page("/affinity", size=NARROW) as page:
        camera.keep(page, "affinity-390")
    dashboard.put("/affinity", {"mode": "cookie"})
    dashboard.done(dashboard.put("/visitors", {"count": 12, "anew": True}))
    wait_for(lambda: dashboard.get()["visitors"]["connected"] == 12, 60)
    camera.take("/affinity", "affinity-cookie", ("light",))
    with camera.page("/affinity", language="de") as page:
        camera.keep(page, "affinity-german")


def exercises(camera):
    dashboard = camera.dashboard
    camera.take("/exercises/error-on-reload", "exercise", ("light",), lambda page: page.click("#begin"))
    camera.take("/exercises/error-on-reload", "exercise", ("dark",))
    link = dashboard.post("/invitations", {"role": "follower"})["link"]
    with camera.page("/present/error-on-reload", "dark") as presenter:
        camera.keep(presenter, "presenter-dark")
        for theme in BOTH:
            with camera.page(link, theme, NARROW if theme == "dark" else WIDE, sign_in=False) as page:
                expect(page.locator(".step:visible h1")).to_be_visible()
                camera.keep(page, f"follower-{theme}")
    camera.take("/present/error-on-reload", "presenter", ("light",))


def runs(camera):
    """Three transports are enough to show what a run looks like."""
    dashboard = camera.dashboard
    asked = {"n": 12, "transports": ["WebSockets", "skip", "LongPolling"]}
    dashboard.done(dashboard.post("/runs", asked), 300)
    with camera.page("/affinity") as page:
        page.locator("#runs").evaluate("element => element.scrollIntoView({ block: 'end' })")
        page.wait_for_timeout(1500)
        camera.keep(page, "runs-light")
    tables = dashboard.get("/runs")["offer"]["tables"]
    cures = {name: tables[name] for name in ("affinities", "keys", "situations")}
    dashboard.done(dashboard.post("/runs", cures | {"n": 12, "transports": ["WebSockets", "skip"]}), 300)
    with camera.page("/affinity") as page:
        page.locator("#runs").evaluate("element => element.scrollIntoView()")
        page.wait_for_timeout(1500)
        camera.keep(page, "runs-glance-light")


def hello_go(camera):
    dashboard = camera.dashboard
    never_built_before = f"Hello at {time.strftime('%H:%M')}"
    dashboard.put("/hello-go/choice", {"greeting": never_built_before})
    dashboard.done(dashboard.post("/hello-go/launch"), 300)
    if dashboard.engine == "docker":
        dashboard.done(dashboard.post("/hello-go/compare"), 300)
    camera.take("/hello-go", "hello-go", BOTH, lambda page: page.click("#call"))


def agent_script(camera):
    camera.take("/agent-script", "agent-script")


def main() -> int:
    """All of them, in the order in which they build on each other; takes about three minutes."""
    with tempfile.TemporaryDirectory() as state, sync_playwright() as playwright:
        engine, _ = choose(read_settings({}))
        dashboard = Dashboard(engine.name, Path(state) / "state").start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        camera = Camera(browser, dashboard)
        try:
            for scene in (hello_go, affinity_lab, exercises, runs, agent_script, home):
                scene(camera)
        finally:
            browser.close()
            dashboard.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
