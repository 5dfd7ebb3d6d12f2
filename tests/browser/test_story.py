"""The whole story, clicked in a real browser with the real Microsoft client, on each engine."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.pages import tick
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
LONG = 120_000


def visit(chromium, url, query=""):
    """A browser with cookies of its own, on the page of the circuit app."""
    context = chromium.new_context()
    visitor = context.new_page()
    visitor.goto(f"{url}/{query}")
    return visitor


def test_affinity_off_refuses_and_affinity_on_brings_everyone_back(page, dashboard, chromium):
    page.goto(f"{dashboard.url}/affinity")
    expect(page.locator("#live")).to_have_attribute("data-state", "websocket")
    page.click("#launch")
    expect(page.locator("#replicas")).to_have_value("3", timeout=LONG)
    wait_for(lambda: dashboard.get()["affinity_lab"]["phase"] == "running", 120, told=dashboard.told)
    url = dashboard.get()["balancer"]["url"]

    first = visit(chromium, url)
    expect(first.locator("body")).to_have_attribute("data-status", "failed", timeout=30_000)
    refusal = page.locator("#log-lines li[data-kind='connection.refused']").last
    expect(refusal).to_be_visible()
    refused = dashboard.events(kind="connection.refused")
    asked, holder = refused[0]["data"]["replica"], refused[0]["data"]["holder"]
    assert asked != holder
    assert {asked, holder} <= {"replica-1", "replica-2", "replica-3"}
    expect(refusal).to_contain_text(re.compile(r"404.*replica-\d.*replica-\d"))
    # connects at once without affinity, and must live through the toggle
    other = visit(chromium, url, "?transport=WebSockets&skipNegotiation=1")

    tick(page, "input[name=mode][value=cookie]")
    wait_for(lambda: dashboard.get()["balancer"]["affinity"]["mode"] == "cookie", told=dashboard.told)
    back = visit(chromium, url)
    expect(back.locator("body")).to_have_attribute("data-status", "connected", timeout=30_000)
    for count in (1, 2, 3):
        back.click("#increment")
        expect(back.locator("#count")).to_have_text(str(count))
    replica = back.locator("#replica").inner_text()
    connection = back.locator("#connection-id").inner_text()

    page.click("#drop-all")
    expect(back.locator("#connection-id")).not_to_have_text(connection, timeout=30_000)
    expect(back.locator("body")).to_have_attribute("data-status", "connected", timeout=30_000)
    expect(back.locator("#count")).to_have_text("3")
    assert back.locator("#replica").inner_text() == replica
    assert other.locator("body").get_attribute("data-status") in ("connected", "failed", "reconnecting")


def test_a_live_websocket_stays_open_through_every_toggle(page, dashboard, chromium):
    state = dashboard.launch_lab(affinity="cookie")
    visitor = visit(chromium, state["balancer"]["url"])
    expect(visitor.locator("body")).to_have_attribute("data-status", "connected", timeout=30_000)
    expect(visitor.locator("#transport")).to_have_text(re.compile("WebSockets"))
    connection = visitor.locator("#connection-id").inner_text()
    page.goto(f"{dashboard.url}/affinity")
    for mode in ("none", "cookie", "none"):
        tick(page, f"input[name=mode][value={mode}]")
        wait_for(
            lambda mode=mode: dashboard.get()["balancer"]["affinity"]["mode"] == mode, told=dashboard.told
        )
    visitor.click("#increment")
    expect(visitor.locator("#count")).to_have_text("1")
    assert visitor.locator("#connection-id").inner_text() == connection
    assert not dashboard.events(kind="connection.closed")


def test_hello_go_is_built_launched_called_and_stopped(page, dashboard):
    page.goto(f"{dashboard.url}/hello-go")
    page.click("#hello-launch")
    wait_for(lambda: dashboard.get()["hello_go"]["phase"] == "running", 180, told=dashboard.told)
    page.click("#call")
    expect(page.locator("#call-result")).to_contain_text("200", timeout=10_000)
    expect(page.locator("#call-result")).to_contain_text("Hello-Go")
    page.click("#hello-stop")
    wait_for(lambda: dashboard.get()["hello_go"]["phase"] == "stopped", 30, told=dashboard.told)
    expect(page.locator("#call")).to_be_disabled()


def test_scaling_and_visitors_are_clicks_too(page, dashboard):
    dashboard.launch_lab(affinity="cookie")
    page.goto(f"{dashboard.url}/affinity")
    page.click("#replicas-more")
    wait_for(lambda: len(dashboard.get()["replicas"]) == 4, 60, told=dashboard.told)
    page.fill("#visitors", "12")
    page.press("#visitors", "Enter")
    wait_for(lambda: dashboard.get()["visitors"]["connected"] == 12, 60, told=dashboard.told)
    expect(page.locator("#verdict")).to_contain_text("12", timeout=10_000)


def test_the_page_reconnects_by_itself_and_misses_nothing(page, dashboard):
    dashboard.launch_lab()
    page.goto(f"{dashboard.url}/affinity")
    expect(page.locator("#live")).to_have_attribute("data-state", "websocket")
    dashboard.kill()
    expect(page.locator("#live")).to_have_attribute("data-state", "reconnecting")
    dashboard.start()
    expect(page.locator("#live")).to_have_attribute("data-state", "websocket", timeout=30_000)
    dashboard.put("/affinity", {"mode": "cookie"})
    expect(page.locator("#log-lines li[data-kind='affinity.changed']")).to_be_visible()
    seqs = page.locator("#log-lines li").evaluate_all("lines => lines.map(line => Number(line.dataset.seq))")
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    page.context.clear_cookies()
