"""Why did it fail: somebody clicks a refused visitor and reads its story, on each engine."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.pages import tick
from tests.browser.test_story import visit
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def refused_browser(dashboard, chromium):
    """A real browser that was refused everywhere; its page and its name."""
    visitor = visit(chromium, dashboard.get()["balancer"]["url"])
    expect(visitor.locator("body")).to_have_attribute("data-status", "failed", timeout=30_000)
    refused = wait_for(lambda: dashboard.events(kind="connection.refused"), told=dashboard.told)
    return visitor, refused[0]["data"]["visitor"]


def test_a_click_on_a_refused_visitor_tells_why(page, dashboard, chromium):
    dashboard.launch_lab()
    page.goto(f"{dashboard.url}/affinity")
    visitor, name = refused_browser(dashboard, chromium)
    page.click(f".visitors [data-visitor='{name}']")

    expect(page.locator("#why-h")).to_have_text(f"Why did {name.replace('-', ' ')} fail?")
    story = dashboard.get(f"/visitors/{name}/story")
    refused = next(step for step in story["steps"] if step["refused"])
    labels = page.locator(".sequence .life text").all_text_contents()
    assert {"balancer", refused["asked"], refused["holder"]} <= set(labels)
    expect(page.locator(".sequence .badge-refused")).to_have_count(1)
    expect(page.locator(".sequence .miss")).to_have_text("wrong number")
    expect(page.locator("#why-verdict")).to_contain_text(
        f"{refused['asked']} was asked, but {refused['holder']} holds the connection."
    )
    assert page.locator("#why-steps li").all_text_contents() == [step["sentence"] for step in story["steps"]]
    outcomes = page.locator("#why-helped li").evaluate_all("all => all.map(one => one.dataset.outcome)")
    assert outcomes == ["cures", "cures", "partly", "no", "no"]
    page.click("#why-more")
    expect(page.locator(".sequence .step")).to_have_count(len(story["steps"]))
    expect(page.locator("#why-text")).to_have_text(story["text"])

    # the story goes on with its visitor
    tick(page, "input[name=mode][value=cookie]")
    wait_for(lambda: dashboard.get()["balancer"]["affinity"]["mode"] == "cookie", told=dashboard.told)
    visitor.click("#reload")
    expect(page.locator("#why-h")).to_have_text(re.compile(r"^How browser \w+ connected$"), timeout=15_000)
    expect(page.locator("#why-verdict")).to_contain_text("The cookie named replica-")
    page.click("#why-close")
    expect(page.locator("#why")).to_be_hidden()


def test_a_line_of_the_log_opens_its_own_attempt_without_a_mouse(page, dashboard, chromium):
    dashboard.launch_lab()
    visitor, name = refused_browser(dashboard, chromium)
    dashboard.put("/affinity", {"mode": "cookie"})
    visitor.click("#reload")
    expect(visitor.locator("body")).to_have_attribute("data-status", "connected", timeout=30_000)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{dashboard.url}/affinity")
    ask = page.locator("#log-lines li[data-kind='connection.refused'] button").first
    ask.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#why-h")).to_have_text(f"Why did {name.replace('-', ' ')} fail?")
    expect(page.locator("#why-h")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.click("#why-latest")
    expect(page.locator("#why-h")).to_have_text(f"How {name.replace('-', ' ')} connected")
    page.locator("#why").press("Escape")
    expect(page.locator("#why")).to_be_hidden()
    page.locator("#whose").focus()
    page.locator("#whose").select_option(name)
    expect(page.locator("#why-h")).to_have_text(f"How {name.replace('-', ' ')} connected")
