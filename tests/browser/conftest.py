"""A real Chromium, and a real dashboard on each engine that this machine has."""

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.pages import watched_page
from tests.browser.student import student_at
from tests.conftest import CHROMIUM
from tests.dashboard import Dashboard
from tests.go_caches import share_go_caches

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


ENGINES = [pytest.param("docker", marks=pytest.mark.docker), pytest.param("local", marks=pytest.mark.local)]


@pytest.fixture(params=ENGINES)
def dashboard(request, tmp_path):
    share_go_caches(tmp_path / "state", request.config)
    dashboard = Dashboard(request.param, tmp_path / "state").start()
    yield dashboard
    dashboard.stop()


@pytest.fixture
def page(chromium, dashboard):
    """A signed-in page; it fails the test when the page logs an error or breaks its own policy."""
    with watched_page(chromium, f"{dashboard.url}/") as page:
        yield page


@pytest.fixture(scope="module", params=ENGINES)
def classroom(request, tmp_path_factory):
    """One dashboard for a module's exercises: a class does not restart it between them either."""
    state = tmp_path_factory.mktemp("class") / "state"
    share_go_caches(state, request.config)
    dashboard = Dashboard(request.param, state).start()
    yield dashboard
    dashboard.stop()


@pytest.fixture
def student(chromium, classroom):
    with student_at(chromium, classroom) as student:
        yield student
