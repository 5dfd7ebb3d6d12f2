"""What a real browser makes of the headers, the cookie and the rules of origin."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.conftest import CHROMIUM
from tests.waiting import wait_for
from tests.web.conftest import TOKEN

pytestmark = pytest.mark.browser
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]

ATTACK = (Path(__file__).parent / "attack.js").read_text()


@pytest.fixture
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_context()
        browser.close()


@pytest.fixture
def elsewhere():
    """A page of another port of this machine, as the lab's own apps are."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>elsewhere</title><body>")

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_pages_obey_their_own_policy_and_go_live(dashboard, chromium):
    page, said = chromium.new_page(), []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{dashboard.url}/?token={TOKEN}")
    assert TOKEN not in page.url
    for path in ("/", "/hello-go", "/affinity"):
        page.goto(dashboard.url + path)
        page.wait_for_selector('#live[data-state="live"], #live[data-state="websocket"]', timeout=10_000)
    assert said == []
    assert page.evaluate("document.cookie") == ""


def test_the_signed_out_page_shows_itself_without_the_token(dashboard, chromium):
    page, refused = chromium.new_page(), []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
    page.goto(f"{dashboard.url}/affinity")
    assert refused == [f"{dashboard.url}/affinity"], "the page itself is the only 401"
    assert "token" in page.inner_text("h1")


def test_a_page_of_another_port_can_neither_change_nor_read_nor_watch(dashboard, chromium, elsewhere):
    home = chromium.new_page()
    home.goto(f"{dashboard.url}/?token={TOKEN}")
    before = dashboard.demo.tail(1)[-1]["seq"]
    page = chromium.new_page()
    page.goto(elsewhere)
    results = page.evaluate(ATTACK, dashboard.url)
    assert results.pop("form") == "sent", "a form can be sent, but its answer is a refusal"
    assert results == dict.fromkeys(results, "failed")
    assert dashboard.demo.tail(1)[-1]["seq"] == before
    own = home.evaluate(
        "fetch('/api/workspaces/demo/hello-go/stop',"
        " {method: 'POST', headers: {'Content-Type': 'application/json'}}).then(answer => answer.status)"
    )
    assert own == 202
    wait_for(lambda: dashboard.demo.events(kind="job.finished"))
