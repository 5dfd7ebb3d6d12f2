"""The page with Microsoft's own client, in a real Chromium, against real replicas."""

import hashlib
import json
import re

import pytest
from playwright.async_api import async_playwright, expect

from services.circuit.page.routes import FOLDER
from tests.circuit.replica_process import until
from tests.circuit.speaker import EVERY_WAY
from tests.conftest import CHROMIUM

browser_test = pytest.mark.browser
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
    "--disable-background-networking", "--disable-sync",
    "--disable-features=LocalNetworkAccessChecks",  # a page that a route fulfilled counts as a foreign one
]  # fmt: skip


class Browser:
    """A Chromium with one page, and everything its console said."""

    def __init__(self):
        self.console = []

    async def __aenter__(self):
        self._playwright = await async_playwright().start()
        self._chromium = await self._playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        self.page = await self._chromium.new_page()
        self.page.on("console", lambda message: self.console.append(message.text))
        self.page.on("pageerror", lambda error: self.console.append(f"page error: {error}"))
        return self

    async def __aexit__(self, kind, *rest):
        if kind:
            shown = await self.page.evaluate("document.body.innerText")
            print(shown, *self.console, sep="\n")  # noqa: T201
        await self._chromium.close()
        await self._playwright.stop()

    async def visit(self, url, status, **query):
        """Open the page and wait for its status.

        Chromium drops what it loads whenever a container on this machine gets its network; then once more.
        """
        address = f"{url}/?" + "&".join(f"{name}={value}" for name, value in query.items())
        await self.page.goto(address)
        while any("ERR_NETWORK_CHANGED" in line for line in self.console):
            self.console.clear()
            await self.page.goto(address)
        await self.becomes(status)

    async def becomes(self, status):
        await expect(self.page.locator(f"body[data-status={status}]")).to_be_attached(timeout=15_000)

    async def shows(self, **texts):
        """Wait until each element (by id, `_` for `-`) shows that text, or matches that pattern."""
        for name, text in texts.items():
            await expect(self.page.locator(f"#{name.replace('_', '-')}")).to_have_text(text, timeout=15_000)

    async def negotiates_with(self, url, times=100):
        """Let another replica answer negotiate, as a balancer without affinity does."""

        async def elsewhere(route):
            path = route.request.url.partition("/_blazor")[2]
            await route.fulfill(response=await route.fetch(url=f"{url}/_blazor{path}"))

        await self.page.route("**/_blazor/negotiate*", elsewhere, times=times)

    async def gets_its_page_from(self, url):
        """Let another replica make the page, as a balancer without affinity does."""

        async def elsewhere(route):
            await route.fulfill(response=await route.fetch(url=url))

        await self.page.route(re.compile(r"^http://[^/]+/(\?.*)?$"), elsewhere)


@browser_test
@pytest.mark.parametrize(("transport", "protocol"), [*EVERY_WAY, ("auto", "json"), ("auto", "blazorpack")])
async def test_the_real_client_counts_notes_and_survives_a_drop(replica, transport, protocol):
    async with Browser() as browser:
        await browser.visit(replica.url, "connected", transport=transport, protocol=protocol)
        carried_by = "WebSockets" if transport == "auto" else transport
        await browser.shows(replica="replica-1", transport=carried_by, protocol=protocol, count="0")
        await browser.shows(verdict="Connected to replica-1, which holds your memory")
        await browser.page.click("#increment")
        await browser.shows(count="1")
        await browser.page.fill("#note", "<b>Möhren</b>")
        await browser.page.click("#save-note")
        await until(lambda: replica.kinds().count("connection.opened") == 1)
        before = await browser.page.text_content("#connection-id")
        assert await replica.control("POST", "drop") == {"dropped": 1}
        await browser.shows(verdict="Back on replica-1, your memory was kept", count="1")
        assert await browser.page.text_content("#connection-id") != before
        assert await browser.page.input_value("#note") == "<b>Möhren</b>"
        await browser.page.click("#increment")
        await browser.shows(count="2", transport=carried_by)
        visitor = (await replica.told("circuit.resumed", count=1))["data"]["visitor"]
        assert visitor == await browser.page.text_content("#visitor") and visitor.startswith("browser-")
        assert not [line for line in browser.console if "Content Security Policy" in line]


@browser_test
async def test_websockets_without_negotiate_have_an_id_too(replica):
    async with Browser() as browser:
        await browser.visit(replica.url, "connected", protocol="blazorpack", skipNegotiation=1)
        opened = await replica.told("connection.opened", transport="WebSockets", protocol="blazorpack")
        await browser.shows(connection_id=opened["data"]["connection_id"])
        assert "connection.negotiated" not in replica.kinds()


@browser_test
async def test_what_the_client_logged_is_shown_as_text(replica):
    async with Browser() as browser:
        await browser.visit(replica.url, "connected")
        await expect(browser.page.locator("#client-log")).to_contain_text("WebSocket connected to ws://")
        await browser.page.evaluate(
            "import('/page/logbook.js').then(({Logbook}) =>"
            " new Logbook(document.querySelector('#client-log'), 0).log(4, '<img src=x onerror=alert(1)>'))"
        )
        last = browser.page.locator("#client-log li").last
        await expect(last).to_contain_text("<img src=x onerror=alert(1)>")
        assert await browser.page.locator("#client-log img").count() == 0


@browser_test
@pytest.mark.parametrize("transport", ["auto", "WebSockets", "ServerSentEvents", "LongPolling"])
async def test_a_connection_that_nobody_knows_is_told_as_such(start_replica, transport):
    one, two = start_replica("replica-1"), start_replica("replica-2")
    async with Browser() as browser:
        await browser.negotiates_with(one.url)
        await browser.visit(two.url, "failed", transport=transport)
        await browser.shows(
            verdict="Nobody here knows your connection", explanation=re.compile("answered 404")
        )
        await browser.shows(replica="–", count="–")
        log = await browser.page.text_content("#client-log")
        assert "404" in log or "check that sticky sessions are enabled" in log
        await browser.page.unroute_all()
        await browser.page.click("#reload")
        await browser.becomes("connected")


@browser_test
async def test_a_reconnect_to_nobody_goes_on_until_a_replica_knows_it(start_replica):
    one, two = start_replica("replica-1"), start_replica("replica-2")
    async with Browser() as browser:
        await browser.visit(one.url, "connected", transport="WebSockets")
        await browser.page.click("#increment")
        await browser.shows(count="1")
        await browser.negotiates_with(two.url, times=1)
        await one.control("POST", "drop")
        await browser.becomes("reconnecting")
        await browser.shows(
            verdict="Connection lost, looking for replica-1", explanation=re.compile("got a 404")
        )
        await browser.shows(verdict="Back on replica-1, your memory was kept", count="1")


@browser_test
async def test_a_memory_that_nobody_has_is_told_as_such(replica):
    async with Browser() as browser:
        await browser.visit(replica.url, "connected", protocol="blazorpack")
        await replica.control("POST", "forget")
        await replica.control("POST", "drop")
        await browser.becomes("failed")
        await browser.shows(
            verdict="Connected, but replica-1 has no memory of you", replica="replica-1", holder="–"
        )
        await replica.told("circuit.rejected")
        await browser.page.click("#reload")
        await browser.becomes("connected")
        await browser.shows(count="0")


@browser_test
async def test_a_memory_that_goes_while_connected_is_told_at_the_next_click(replica):
    async with Browser() as browser:
        await browser.visit(replica.url, "connected")
        await replica.control("POST", "forget")
        await browser.page.click("#increment")
        await browser.becomes("failed")
        await browser.shows(verdict="Connected, but replica-1 has no memory of you")


@browser_test
async def test_a_page_from_elsewhere_is_told_as_such(start_replica):
    one, two = start_replica("replica-1"), start_replica("replica-2")
    async with Browser() as browser:
        await browser.gets_its_page_from(one.url)
        await browser.visit(two.url, "failed", skipNegotiation=1)
        await browser.shows(
            verdict="replica-2 cannot read your page", page_replica="replica-1", replica="replica-2"
        )
        await two.told("page.rejected", page="replica-1")


@browser_test
async def test_no_replica_at_all_is_told_as_such(replica):
    async with Browser() as browser:
        await browser.page.route("**/_blazor*/**", lambda route: route.abort())
        await browser.visit(replica.url, "failed")
        await browser.shows(verdict="No replica answers")


@browser_test
async def test_a_websocket_without_negotiate_is_never_unknown_only_unreachable(replica):
    async with Browser() as browser:
        await browser.page.route_web_socket("**/_blazor", lambda socket: socket.close())
        await browser.visit(replica.url, "failed", skipNegotiation=1)
        await browser.shows(verdict="No replica answers")


@browser_test
async def test_server_sent_events_with_a_binary_protocol_are_told_as_such(replica):
    async with Browser() as browser:
        await browser.visit(replica.url, "failed", transport="ServerSentEvents", protocol="blazorpack")
        await browser.shows(verdict="Server-sent events cannot carry binary")


@browser_test
@pytest.mark.parametrize("transport", ["WebSockets", "ServerSentEvents", "LongPolling"])
async def test_leaving_the_page_ends_the_connection(replica, transport):
    async with Browser() as browser:
        await browser.visit(replica.url, "connected", transport=transport)
        await browser.page.goto("about:blank")
        assert (await replica.told("connection.closed"))["data"]["reason"] in ("client", "timeout")


@browser_test
async def test_a_page_that_never_was_connected_says_goodbye_too(start_replica):
    replica = start_replica("replica-1")
    async with Browser() as browser:
        await browser.page.route("**/_blazor/negotiate*", lambda route: route.fulfill(status=404))
        await browser.visit(replica.url, "failed")
        await browser.page.goto("about:blank")
        left = await replica.told("visitor.left")
        assert left["data"]["visitor"].startswith("browser-")


@browser_test
async def test_choosing_another_transport_opens_the_page_with_it(replica):
    async with Browser() as browser:
        await browser.visit(replica.url, "connected")
        await browser.page.select_option("#transport-choice", "LongPolling")
        await browser.shows(transport="LongPolling")
        await browser.page.check("#skip-negotiation")
        await browser.shows(transport="WebSockets")
        assert "skipNegotiation=1" in browser.page.url


@browser_test
@pytest.mark.parametrize("width", [390, 1280])
async def test_nothing_hangs_over_the_edge(replica, width):
    async with Browser() as browser:
        await browser.page.set_viewport_size({"width": width, "height": 800})
        await browser.visit(replica.url, "connected")
        await replica.control("POST", "forget")
        await browser.page.click("#increment")
        await browser.becomes("failed")
        assert await browser.page.evaluate("document.documentElement.scrollWidth") <= width


@browser_test
@pytest.mark.parametrize(("words", "failure"), [
    ("Error: Failed to complete negotiation with the server: TypeError: Failed to fetch", "unreachable"),
    ("Failed to start the transport 'WebSockets': Error: WebSocket failed to connect. The connection could"
     " not be found on the server, either the endpoint may not be a SignalR endpoint", "connection-unknown"),
    ("Failed to start the transport 'LongPolling': Error: No Connection with that ID: Status code '404'",
     "connection-unknown"),
    ("The circuit failed to initialize. replica-1 signed the page", "page-from-elsewhere"),
    ("An unexpected error occurred invoking 'StartCircuit': replica-1 is draining and takes", "draining"),
    ("The 'ServerSentEvents' transport does not support Binary.", "no-binary"),
    ("WebSocket closed with status code: 1006", "unreachable"),
])  # fmt: skip
async def test_the_clients_words_are_understood(replica, words, failure):
    async with Browser() as browser:
        await browser.visit(replica.url, "connected")
        call = f"import('/page/verdict.js').then(v => v.failureOf(new Error({json.dumps(words)})))"
        assert await browser.page.evaluate(call) == failure


def test_the_vendored_client_is_what_vendor_md_says():
    rows = re.findall(
        r"^\| `(\S+)` \| (\S+) \| .+ \| `(\S+)` \| `(\w{64})` \|$",
        (FOLDER / "vendor/VENDOR.md").read_text(),
        re.M,
    )
    files = {file: digest for _, _, file, digest in rows}
    versions = {file: version for _, version, file, _ in rows}
    assert {path.name for path in (FOLDER / "vendor").glob("*.js")} == files.keys()
    for file, digest in files.items():
        assert hashlib.sha256((FOLDER / "vendor" / file).read_bytes()).hexdigest() == digest
        name, version = file.partition(f"-{versions[file]}")[0], versions[file]
        licences = (f"{name}-LICENSE.txt", f"{name}-{version}-LICENSE.txt")
        assert (FOLDER / "vendor" / licences[version != "10.0.11"]).exists()


@browser_test
@pytest.mark.parametrize("file", ["main.js", "visit.js", "vendor/signalr-10.0.11.min.js"])
async def test_a_file_that_was_dropped_on_the_way_is_loaded_again(replica, file):
    async with Browser() as browser:
        await browser.page.route(f"**/page/{file}", lambda route: route.abort("failed"), times=1)
        await browser.page.goto(f"{replica.url}/")
        await browser.becomes("connected")


@browser_test
async def test_a_page_that_lacks_a_file_for_good_says_so(replica):
    async with Browser() as browser:
        await browser.page.route("**/page/main.js", lambda route: route.abort("failed"))
        await browser.page.goto(f"{replica.url}/")
        await browser.shows(verdict="A file of this page did not load", explanation="Load the page again.")
