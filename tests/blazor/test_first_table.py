"""What affinity and shared keys cure: each cell of the first table of docs/blazor.md, in a real browser."""

import pytest

from tests.waiting import wait_for

ENGINE = "local"
pytestmark = [pytest.mark.local, pytest.mark.browser, pytest.mark.blazor, pytest.mark.timeout(240)]

NOT_FOUND = (
    "WebSocket failed to connect. The connection could not be found on the server, either the endpoint may "
    "not be a SignalR endpoint, the connection ID is not present on the server, or there is a proxy blocking "
    "WebSockets. If you have multiple servers check that sticky sessions are enabled."
)
UNABLE = (
    "Unable to connect to the server with any of the available transports. Error: WebSockets failed: Error: "
    f"{NOT_FOUND} ServerSentEvents failed: Error: 'ServerSentEvents' does not support Binary. Error: "
    "LongPolling failed: Error: No Connection with that ID: Status code '404'"
)
BLOCKED = (
    "Error: Unable to connect, please ensure WebSockets are available. A VPN or proxy may be blocking the "
    "connection."
)
REFUSED = [
    "WebSocket connection to 'ws://HOST/_blazor?id=ID' failed: Error during WebSocket handshake: Unexpected"
    " response code: 404",
    f"Error: Failed to start the transport 'WebSockets': Error: {NOT_FOUND}",
    "Failed to load resource: the server responded with a status of 404 (Not Found)",
    "Error: Failed to start the transport 'LongPolling': Error: No Connection with that ID: Status code "
    "'404'",
    f"Error: Failed to start the connection: Error: {UNABLE}",
    f"Error: Error: {UNABLE}",
    BLOCKED,
    "Error: Failed to start the circuit.",
    "Uncaught Error: Circuit host not initialized.",
]
"""What the console shows when negotiate and both transports reach three replicas."""
ELSEWHERE = ["Error: The circuit failed to initialize.", "Uncaught Error: Circuit host not initialized."]
LOST = (
    "Error: Connection disconnected with error 'Error: WebSocket closed with status code: 1006 (no reason "
    "given).'."
)
SKIP = {"skip_negotiation": True}
POLLS = {"transports": "longPolling"}


def failed(visit):
    """Load until it fails: somebody who is lucky is not what the table is about."""
    for _ in range(8):
        if not visit.load().settle():
            return visit
    raise AssertionError("lucky eight times")


@pytest.mark.parametrize("keys", ["own", "shared"])
@pytest.mark.parametrize("settings", [{}, POLLS], ids=["blazors own transports", "long polling"])
def test_without_affinity_the_connection_is_unknown_whatever_the_keys(lab, visit, keys, settings):
    lab.be("none", keys, **settings)
    mark = lab.mark()
    failed(visit)
    visit.until(lambda: "Circuit host not initialized" in visit.console[-1])
    if not settings:
        assert visit.lines() == REFUSED
    assert "Error: Failed to start the circuit." in visit.lines()
    refused = lab.told("connection.refused", mark)[0]["data"]
    assert refused["status"] == 404 and refused["holder"] not in (None, refused["replica"])
    assert refused["visitor"].startswith("browser-")
    story = lab.story(mark)
    assert (story["outcome"], story["verdict"]["failure"]) == ("failed", "connection_unknown")


@pytest.mark.parametrize("prerender", [True, False], ids=["prerendered", "not prerendered"])
def test_own_keys_make_a_page_from_elsewhere_unreadable(lab, visit, prerender):
    lab.be("none", "own", prerender=prerender, **SKIP)
    mark = lab.mark()
    failed(visit)
    visit.until(lambda: any("host not initialized" in line for line in visit.console))
    assert visit.lines()[:2] == ELSEWHERE
    rejected = lab.told("page.rejected", mark)[0]
    assert rejected["data"]["page"] not in (None, rejected["source"])
    story = lab.story(mark, "page.rejected")
    assert (story["outcome"], story["verdict"]["failure"]) == ("failed", "page_from_elsewhere")


def test_shared_keys_let_it_work_without_negotiate_and_a_drop_loses_the_memory(lab, visit):
    lab.be("none", "shared", **SKIP)
    for _ in range(8):  # somebody who is lucky comes back to the same replica
        assert visit.load().settle(), visit.console
        visit.counts(2)
        before, mark = visit.holder, lab.mark()
        lab.drop()
        if lab.told("circuit.", mark)[0]["kind"] == "circuit.rejected":
            break
    visit.until(lambda: visit.lives() and visit.text("count") == "0")
    assert visit.lines() == [LOST]
    lost = lab.told("circuit.rejected", mark)[0]["data"]
    assert (lost["holder"], lost["fate"]) == (before, "held") and lost["replica"] != before
    wait_for(lambda: person(lab, lost["visitor"]).get("memory") == "lost", told=lab.dashboard.told)


@pytest.mark.parametrize(
    "settings", [{}, SKIP, POLLS], ids=["blazors own transports", "without negotiate", "long polling"]
)
def test_a_cookie_keeps_the_memory_of_a_drop_and_not_of_a_kill(lab, visit, settings):
    lab.be("cookie", "own", **settings)
    mark = lab.mark()
    assert visit.load().settle(), visit.console
    visit.counts(2)
    before = visit.holder
    lab.drop()
    back = lab.told("circuit.resumed", mark)[0]
    assert (back["source"], back["data"]["count"]) == (before, 2)
    visit.counts(3)
    assert (visit.holder, visit.loads) == (before, 1)
    if settings is not POLLS:  # who polls notices nothing: the next poll is another connection anyway
        assert visit.lines() == [LOST]
    mark = lab.mark()
    lab.kill(before)
    visit.until(lambda: visit.loads > 1 and visit.lives(), 60)
    assert visit.holder != before and visit.text("count") == "0"
    lost = lab.told("circuit.rejected", mark)[0]["data"]
    assert (lost["holder"], lost["fate"]) == (before, "killed")


def test_shared_keys_do_not_keep_the_memory_of_a_killed_replica(lab, visit):
    lab.be("none", "shared", **SKIP)
    assert visit.load().settle(), visit.console
    visit.counts(1)
    before, mark = visit.holder, lab.mark()
    lab.kill(before)
    visit.until(lambda: visit.loads > 1 and visit.lives(), 60)
    assert visit.holder != before and visit.text("count") == "0"
    assert lab.told("circuit.rejected", mark)[0]["data"]["fate"] == "killed"


def person(lab, visitor):
    return lab.dashboard.get()["people"].get(visitor, {})
