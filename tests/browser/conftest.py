"""A real Chromium, and a real dashboard on each engine that this machine has."""

import pytest
from playwright.sync_api import sync_playwright

from tests.conftest import CHROMIUM
from tests.dashboard import TOKEN, Dashboard

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def chromium():
    """One a module, and none longer: Playwright keeps an event loop in this thread, which others need."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(
    params=[pytest.param("docker", marks=pytest.mark.docker), pytest.param("local", marks=pytest.mark.local)]
)
def dashboard(request, tmp_path):
    dashboard = Dashboard(request.param, tmp_path / "state").start()
    yield dashboard
    dashboard.stop()


@pytest.fixture
def page(chromium, dashboard):
    """A signed-in page; it fails the test when the page logs an error or breaks its own policy.

    `net::ERR_` is not one: a dashboard that a test kills refuses connections, and Chromium drops what
    it loads (`ERR_NETWORK_CHANGED`) when a container gets its network.
    """
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    complaints = []
    page.on("console", lambda line: complaints.append(line.text) if _is_complaint(line) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{dashboard.url}/?token={TOKEN}")
    yield page
    context.close()
    assert complaints == [], complaints


def _is_complaint(line):
    return line.type == "error" and "net::ERR_" not in line.text
