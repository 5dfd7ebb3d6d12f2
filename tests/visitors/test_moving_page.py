"""A replica that is to go gives its browsers their memory along: Microsoft's clients of today and of 2020."""

import pytest
from playwright.sync_api import expect, sync_playwright
from real_crowd import Lab

from tests.browser.conftest import ARGUMENTS
from tests.conftest import CHROMIUM

pytestmark = [pytest.mark.local, pytest.mark.browser]


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    context = chromium.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def drained():
    """A lab with these keys, and a move of whoever `page` is connected to."""
    labs = []

    def make(**environment):
        labs.append(Lab(**environment))
        return labs[-1]

    yield make
    for lab in labs:
        lab.close()


def move(lab, replica):
    """As a drain does: nobody is sent there any more, and who is there is asked to go."""
    lab.balancer.know(
        [
            {"name": name, "host": "127.0.0.1", "port": r.public}
            for name, r in lab.replicas.items()
            if name != replica
        ]
    )
    assert lab.replicas[replica].ask("POST", "/control/move", {})[1] == {"asked": 1, "held": 1}


@pytest.mark.parametrize("client", ["10.0", "3.1"])
def test_the_page_takes_its_memory_along_where_the_keys_are_shared(drained, page, client):
    lab = drained(LAB_PAGE_KEY="one for all")
    lab.balancer.set("cookie")
    page.goto(f"{lab.target}/?client={client}&transport=WebSockets")
    page.wait_for_selector("body[data-status=connected]")
    page.click("#increment")
    expect(page.locator("#count")).to_have_text("1")
    before = page.inner_text("#holder")
    move(lab, before)
    expect(page.locator("#verdict")).to_contain_text("your memory came along", timeout=20_000)
    assert page.inner_text("#holder") != before and page.inner_text("#count") == "1"
    lab.replicas[before].wait_for("circuit.paused")


def test_with_own_keys_the_page_says_that_its_memory_is_lost(drained, page):
    lab = drained()
    lab.balancer.set("cookie")
    page.goto(f"{lab.target}/?transport=WebSockets")
    page.wait_for_selector("body[data-status=connected]")
    move(lab, page.inner_text("#holder"))
    page.wait_for_selector("body[data-failure=circuit-unknown]", timeout=20_000)
    assert "has no memory of you" in page.inner_text("#verdict")
