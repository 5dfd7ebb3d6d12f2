"""A virtual visitor asks and says, request by request, what Microsoft's client in a real browser does."""

import contextlib
import signal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import CHROMIUM
from lab_programs import call, until
from playwright.sync_api import sync_playwright
from real_crowd import Lab

from tests.visitors.recording import Recording

pytestmark = [pytest.mark.local, pytest.mark.browser]

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
TELLING = str(Path(__file__).with_name("telling.py"))
EVERY_CHOICE = [
    {"transport": transport, "protocol": protocol}
    for transport in ("auto", "WebSockets", "ServerSentEvents", "LongPolling")
    for protocol in ("json", "blazorpack")
] + [{"skip_negotiation": True, "protocol": protocol} for protocol in ("json", "blazorpack")]
WORKING = [c for c in EVERY_CHOICE if c != {"transport": "ServerSentEvents", "protocol": "blazorpack"}]


def named(choice):
    return f"{choice.get('transport', 'skip')}-{choice['protocol']}"


@pytest.fixture(scope="module")
def telling_lab():
    lab = Lab(run=(TELLING,))
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def both(telling_lab, chromium):
    """A virtual visitor and a browser, each with nothing kept from before."""
    telling_lab.visit(0, transport="auto", protocol="json", skip_negotiation=False, reconnect=True)
    browser, virtual = BrowserVisitor(telling_lab, chromium), VirtualVisitor(telling_lab)
    yield browser, virtual
    virtual.leave()
    browser.close()


class BrowserVisitor:
    """Microsoft's client on the circuit app's page."""

    def __init__(self, lab, chromium):
        self.lab = lab
        self._context = chromium.new_context()
        self._page = self._context.new_page()
        # The page's files take their turns of the balancer's; here they come past it.
        self._page.route(lambda url: urlsplit(url).path.startswith("/page/"), self._serve)

    def _serve(self, route):
        path = urlsplit(route.request.url).path
        alive = next(r for r in self.lab.replicas.values() if r.process.poll() is None)
        status, headers, body = call(alive.public, "GET", path)
        route.fulfill(status=status, body=body, content_type=headers["Content-Type"])

    def come(self, skip_negotiation=False, reconnect=True, **choice):
        more = {"skipNegotiation": int(skip_negotiation), "reconnect": int(reconnect)}
        query = "&".join(f"{name}={value}" for name, value in (choice | more).items())
        self._address = f"{self.lab.target}/?{query}"
        self._page.goto(self._address)
        self._page.wait_for_selector("body[data-status=failed], body[data-status=connected]")
        return self._page.get_attribute("body", "data-status")

    def replica(self):
        return self._page.inner_text("#replica")

    def wait_until_back(self):
        self._page.wait_for_selector("#verdict:has-text('your memory was kept')")

    def wait_until_anew(self):
        """Its page waits for somebody to load it again."""
        self._page.wait_for_selector("body[data-failure=circuit-unknown]")
        self.leave()
        self._page.goto(self._address)
        self._page.wait_for_selector("body[data-status=connected]")

    def wait_until_reconnecting(self, attempt):
        """And the attempt before that one has failed."""
        self._page.wait_for_selector(f"#explanation:has-text('Try {attempt + 1} starts')")

    def wait_until_failed(self):
        self._page.wait_for_selector("body[data-status=failed]")

    def leave(self):
        """As the page does it when it is closed, but seen to its end."""
        goodbye = {"ServerSentEvents": "POST", "LongPolling": "DELETE"}.get(
            self._page.inner_text("#transport")
        )
        with contextlib.ExitStack() as stack:
            if goodbye:
                stack.enter_context(self._page.expect_response(lambda r: r.request.method == goodbye))
            self._page.evaluate("dispatchEvent(new Event('pagehide'))")

    def close(self):
        self._context.close()


class VirtualVisitor:
    """The crowd's only one."""

    def __init__(self, lab):
        self.lab = lab
        self._seen = 0

    def _told(self, kind, **data):
        return lambda: any(
            line["kind"] == kind and data.items() <= line["data"].items()
            for line in self.lab.crowd.lines[self._seen :]
        )

    def _wait(self, kind, **data):
        until(self._told(kind, **data), self.lab.crowd.story)

    def come(self, **choice):
        self._seen = len(self.lab.crowd.lines)
        self.lab.visit(1, reload_seconds=60, **choice)
        connected, failed = self._told("visitor.connected"), self._told("visitor.failed")
        until(lambda: connected() or failed(), self.lab.crowd.story)
        return "connected" if connected() else "failed"

    def replica(self):
        return self.lab.crowd.by_name()["visitor-1"]["replica"]

    def wait_until_back(self):
        self._wait("visitor.connected", memory="kept")

    def wait_until_anew(self):
        self._wait("visitor.connected", memory="lost")

    def wait_until_reconnecting(self, attempt):
        self._wait("visitor.reconnecting", attempt=attempt + 1)

    def wait_until_failed(self):
        self._wait("visitor.failed")

    def leave(self):
        self.lab.visit(0)


def recorded(lab, visitor, visit):
    """The recording of one visit, from the page's request to its goodbye."""
    recording = Recording(lab)
    visit(visitor)
    visitor.leave()
    recording.settle()
    return recording


def assert_alike(lab, both, visit):
    """Both make the visit, one after the other, and nobody could tell from the balancer who was who.

    A 503 is chance: for some microseconds Envoy takes a connection to a killed replica for a living one, and
    who is quick asks it. What comes after that is the same again.
    """
    browser, virtual = (recorded(lab, visitor, visit) for visitor in both)
    assert answered(virtual) == answered(browser)
    assert virtual.polls() == browser.polls()
    assert virtual.calls() == browser.calls()
    return answered(browser)


def answered(recording):
    """The requests that reached a replica which lives."""
    return [line for line in recording.requests() if not line.endswith("→ 503")]


@pytest.mark.parametrize("choice", EVERY_CHOICE, ids=named)
def test_without_affinity_both_are_refused_alike(telling_lab, both, choice):
    """Connection unknown on each transport that is tried; without a negotiate, a page from elsewhere."""
    telling_lab.balancer.set("none")

    def visit(visitor):
        assert visitor.come(**choice) == "failed"

    seen = assert_alike(telling_lab, both, visit)
    refused = [line for line in seen if line.endswith("404")]
    tried = {"auto": 3 if choice["protocol"] == "json" else 2}.get(choice.get("transport"), 1)
    assert len(refused) == (0 if choice in (NO_BINARY_EVENTS, *EVERY_CHOICE[-2:]) else tried), seen


NO_BINARY_EVENTS = {"transport": "ServerSentEvents", "protocol": "blazorpack"}


@pytest.mark.parametrize("choice", WORKING, ids=named)
def test_with_the_cookie_both_come_back_alike_until_their_replica_is_killed(telling_lab, both, choice):
    telling_lab.balancer.set("cookie")

    def visit(visitor):
        assert visitor.come(**choice) == "connected"
        assert telling_lab.drop() == 1
        visitor.wait_until_back()
        owner = visitor.replica()
        telling_lab.replicas[owner].end(signal.SIGKILL)
        visitor.wait_until_anew()
        telling_lab.replace(owner)

    seen = assert_alike(telling_lab, both, visit)
    assert not [line for line in seen if line.endswith("404")]


def test_cut_off_without_affinity_both_try_again_alike(telling_lab, both):
    """The attempts after 0 and after 2 seconds; each tries every transport."""

    def visit(visitor):
        telling_lab.balancer.set("cookie")
        assert visitor.come(protocol="json") == "connected"
        telling_lab.balancer.set("none")
        telling_lab.drop()
        visitor.wait_until_reconnecting(2)

    seen = assert_alike(telling_lab, both, visit)
    assert len([line for line in seen if line.endswith("404")]) == 6


def test_without_automatic_reconnect_both_stay_away(telling_lab, both):
    telling_lab.balancer.set("cookie")

    def visit(visitor):
        assert visitor.come(protocol="json", reconnect=False) == "connected"
        telling_lab.drop()
        visitor.wait_until_failed()

    assert len(assert_alike(telling_lab, both, visit)) == 3
