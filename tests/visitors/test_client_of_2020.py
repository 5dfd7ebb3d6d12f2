"""The article of 2020, line by line: its client, its protocol, three replicas and no affinity."""

import re

import pytest
from conftest import CHROMIUM
from lab_programs import until
from playwright.sync_api import expect, sync_playwright

pytestmark = [pytest.mark.local, pytest.mark.browser]

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
UNABLE = (
    "Error: Unable to connect to the server with any of the available transports. WebSockets failed: Error: "
    "There was an error with the transport. ServerSentEvents failed: Error: 'ServerSentEvents' does not "
    "support Binary. LongPolling failed: Error: Not Found"
)
ARTICLE = [
    "WebSocket connection to 'ws://HOST/_blazor?id=ID' failed: Error during WebSocket handshake: Unexpected"
    " response code: 404",
    "Error: Failed to start the transport 'WebSockets': Error: There was an error with the transport.",
    "GET http://HOST/_blazor?id=ID&_=TIME 404 (Not Found)",
    "Error: Failed to start the transport 'LongPolling': Error: Not Found",
    f"Error: Failed to start the connection: {UNABLE}",
    f"Error: {UNABLE}",
    "Uncaught (in promise) Error: Cannot send data if the connection is not in the 'Connected' State.",
]
"""What the article shows of the browser's console, with host, ids and times masked."""


class Console:
    """The errors of one page, as the console of the browser's own tools words them."""

    def __init__(self, page):
        self.lines = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.lines.append(f"Uncaught (in promise) Error: {error.message}"))

    def _said(self, message):
        """Playwright gives a failed request without its address, which the tools write in front."""
        if message.type != "error":
            return
        text, url = message.text, message.location["url"]
        if found := re.fullmatch(
            r"Failed to load resource: the server responded with a status of (.+)", text
        ):
            text = f"GET {url} {found[1]}"
        self.lines.append(text)

    def masked(self):
        return [_mask(line) for line in self.lines]


def _mask(line):
    line = re.sub(r"^\[\d{4}-\d\d-\d\dT[\d:.]+Z\] ", "", line)
    line = re.sub(r"://[\w.]+:\d+", "://HOST", line)
    return re.sub(r"&_=\d+", "&_=TIME", re.sub(r"\bid=[\w-]+", "id=ID", line))


@pytest.fixture
def page():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser.new_page()
        browser.close()


def visit(page, lab, **query):
    """The page's status when it has one; `query` chooses client, transport and protocol."""
    page.goto(f"{lab.target}/?client=3.1&" + "&".join(f"{name}={value}" for name, value in query.items()))
    page.wait_for_selector("body[data-status=failed], body[data-status=connected]")
    return page.get_attribute("body", "data-status")


def test_the_console_shows_the_articles_lines(lab, page):
    """One visit that meets another replica at every try; a lucky one is not what the article shows."""
    console = Console(page)
    for _ in range(10):
        console.lines.clear()
        if visit(page, lab, protocol="blazorpack") == "failed":
            break
    until(lambda: page.evaluate("true") and len(console.lines) >= len(ARTICLE), lambda: str(console.lines))
    assert console.masked() == ARTICLE
    assert page.inner_text("#verdict") == "Nobody here knows your connection"


@pytest.mark.parametrize("protocol", ["json", "messagepack", "blazorpack"])
@pytest.mark.parametrize("transport", ["WebSockets", "LongPolling"])
def test_the_client_of_2020_counts_and_comes_back_with_affinity(lab, page, transport, protocol):
    lab.balancer.set("cookie")
    assert visit(page, lab, transport=transport, protocol=protocol) == "connected"
    assert page.evaluate("signalR.VERSION") != "10.0.11"
    page.click("#increment")
    expect(page.locator("#count")).to_have_text("1")
    lab.drop()
    expect(page.locator("#verdict")).to_contain_text("Back on", timeout=15_000)
    assert (page.inner_text("#count"), page.inner_text("#protocol")) == ("1", protocol)


def test_without_automatic_reconnect_a_drop_is_the_end_and_the_page_says_so(lab, page):
    lab.balancer.set("cookie")
    assert visit(page, lab, reconnect=0) == "connected"
    lab.drop()
    page.wait_for_selector("body[data-status=failed]")
    assert page.inner_text("#verdict") == "The connection was cut, and nobody reconnects"
    assert not page.is_checked("#reconnect") and page.input_value("#client-choice") == "3.1"


def test_choosing_the_client_opens_the_page_with_it(lab, page):
    lab.balancer.set("cookie")
    page.goto(lab.target)
    page.wait_for_selector("body[data-status=connected]")
    assert page.evaluate("typeof msgpack5") == "undefined"
    page.select_option("#client-choice", "3.1")
    page.wait_for_url("**client=3.1*")
    page.wait_for_selector("body[data-status=connected]")
    assert page.evaluate("typeof msgpack5") == "function"
