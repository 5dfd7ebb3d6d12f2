"""A virtual visitor against Microsoft's client in a real browser: the same failures in the same words."""

import pytest
from conftest import CHROMIUM
from lab_programs import until
from playwright.sync_api import sync_playwright

pytestmark = [pytest.mark.local, pytest.mark.browser]

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.fixture
def page():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser.new_page()
        browser.close()


def logged(page, level):
    """What the client logged on the page."""
    return page.locator(f"#client-log li[data-level={level}] span").all_inner_texts()


def failed_page(page, address):
    """The errors of a page that failed; one that connected by luck is loaded again."""
    for _ in range(10):
        page.goto(address)
        page.wait_for_selector("body[data-status=failed], body[data-status=connected]")
        if page.get_attribute("body", "data-status") == "failed":
            return logged(page, "error")
    raise AssertionError("the page connects without affinity, ten times out of ten")


@pytest.mark.parametrize("choice", [
    {"transport": "auto", "protocol": "json"},
    {"transport": "auto", "protocol": "blazorpack"},
    {"transport": "LongPolling", "protocol": "json"},
    {"transport": "ServerSentEvents", "protocol": "messagepack"},
])  # fmt: skip
def test_without_affinity_both_fail_in_the_same_words(lab, page, choice):
    query = "&".join(f"{name}={value}" for name, value in choice.items())
    in_browser = failed_page(page, f"{lab.target}/?{query}")
    page.close()
    lab.visit(1, reload_seconds=60, **choice)
    virtual = lab.crowd.wait_for("visitor.failed")[0]["data"]["errors"]
    assert virtual == in_browser


def test_a_drop_is_told_in_the_same_words(lab, page):
    lab.balancer.set("cookie")
    page.goto(lab.target)
    page.wait_for_selector("body[data-status=connected]")
    lab.visit(1)
    lab.crowd.wait_until(connected=1)
    lab.drop()
    reason = lab.crowd.wait_for("visitor.reconnecting")[0]["data"]["reason"]
    until(
        lambda: f"Connection reconnecting because of error '{reason}'." in logged(page, "information"),
        lambda: f"{reason}, but {logged(page, 'information')}",
    )
