"""Chromium drops loads when a container gets its network: the page loads itself again, then says so."""

import pytest
from playwright.sync_api import expect

from tests.dashboard import TOKEN, Dashboard

pytestmark = [pytest.mark.browser, pytest.mark.local, pytest.mark.timeout(120)]


@pytest.fixture
def dashboard(tmp_path):
    dashboard = Dashboard("local", tmp_path / "state").start()
    yield dashboard
    dashboard.stop()


def dropping(page, times):
    """Drop a file that the page needs so many times; how often it was asked for stands in the list."""
    asked = []

    def drop(route):
        asked.append(route.request.url)
        if len(asked) <= times:
            route.abort("failed")
        else:
            route.continue_()

    page.route("**/static/js/store.js", drop)
    return asked


@pytest.mark.parametrize("times", [3, 99])
def test_a_page_whose_file_was_dropped_comes_by_itself_or_says_what_to_do(chromium, dashboard, times):
    page = chromium.new_context().new_page()
    page.goto(f"{dashboard.url}/?token={TOKEN}")
    asked = dropping(page, times)
    page.goto(f"{dashboard.url}/affinity", wait_until="commit")
    if times == 3:
        expect(page.locator("#live")).to_have_attribute("data-state", "websocket", timeout=30_000)
        assert len(asked) == 4
    else:
        expect(page.locator("#verdict")).to_have_text("A file of this page did not load", timeout=30_000)
        assert len(asked) == 6, "loaded, and five times again"
    page.context.close()
