"""A visitor's attempts found among the lines of three programs, and told as steps with a verdict."""

import pytest

from services.affinity_lab.attempts import attempts
from services.affinity_lab.story import story, tell
from services.errors import NotFound
from services.events.event import Event
from services.events.log import EventLog
from services.events.store import Store

COOKIE = {
    "name": "sticky", "address": "10.0.0.1:8000", "replica": "replica-1", "expires": None,
    "expired": False, "ignored": False,
}  # fmt: skip


class Told:
    """Lines of a log, each a millisecond after the one before unless it says when."""

    def __init__(self, visitor="visitor-7"):
        self.visitor, self.lines = visitor, []

    def add(self, kind, source, after=None, **data):
        seq = len(self.lines) + 1
        at = f"2026-11-23T12:00:00.{seq * 10 if after is None else after:03}Z"
        data = {"visitor": self.visitor, "replica": source} | data
        self.lines.append(Event(seq, at, source, kind, "info", f"503 for x: {kind} (GET /).", data))
        return self

    def page(self, replica="replica-2"):
        return self.add("page.served", replica, method="GET", path="/", status=200, cookie=None)

    def negotiated(self, token, replica="replica-1", **more):
        more = {"cookie": None, "method": "POST"} | more
        return self.add("connection.negotiated", replica, connection=token, **more)

    def refused(self, token, replica, holder, by="WebSockets", method="GET"):
        transport = by if method == "GET" else None
        return self.add(
            "connection.refused", replica, connection=token, holder=holder, transport=transport,
            method=method, status=404, cookie=None,
        )  # fmt: skip

    def routed(self, token, replica="replica-1", by="WebSockets", **more):
        more = {"cookie": None, "method": "GET"} | more
        return self.add("connection.routed", replica, connection=token, transport=by, **more)

    def call(self, kind, token, replica="replica-1", **data):
        return self.add(kind, replica, connection=token, circuit="circuit-1", **data)

    def crowd(self, kind, **data):
        return self.add(kind, "visitors", **data)

    def connected(self, token="first-token"):
        return self.page().negotiated(token).routed(token).call("circuit.started", token)

    def story(self, before=2**53):
        return tell(self.visitor, self.lines, before)


def requests(story):
    return [step["request"] for step in story["steps"]]


def refused_everywhere(told):
    told.page()
    for by, token in (
        ("WebSockets", "AWfXq2-1"),
        ("ServerSentEvents", "BWfXq2-1"),
        ("LongPolling", "CWfXq2-1"),
    ):
        told.negotiated(token).refused(token, "replica-3", "replica-1", by)
    return told.crowd("visitor.failed", errors=["no"])


def test_a_visitor_refused_on_every_transport_dialled_a_wrong_number():
    story = refused_everywhere(Told()).story()
    assert requests(story)[:3] == ["GET /", "POST negotiate", "GET ?id=AWfXq2…, WebSocket"]
    assert [step["refused"] for step in story["steps"]] == [False, False, True, False, True, False, True]
    refused = story["steps"][2]
    assert (refused["asked"], refused["holder"], refused["status"]) == ("replica-3", "replica-1", 404)
    assert (story["outcome"], story["verdict"]["failure"]) == ("failed", "connection_unknown")
    assert story["heading"] == "Why did visitor 7 fail?"
    assert story["verdict"]["again"] == (
        "Then the same by server-sent events and by long polling, each with a new id. Three of three refused."
    )


def test_the_text_has_every_step_the_verdict_and_what_would_have_helped():
    text = refused_everywhere(Told()).story()["text"]
    assert text.startswith("Why did visitor 7 fail?\n2026-11-23, times in UTC\n")
    assert (
        " 3. 12:00:00.030  GET ?id=AWfXq2…, WebSocket, no cookie, asked replica-3: "
        "404, No Connection with that ID; replica-1 holds the connection.\n"
    ) in text
    assert "Wrong number. replica-3 was asked" in text and "+ Cookie affinity: " in text


def test_two_attempts_of_two_visitors_among_each_other_stay_apart(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/events.db")
    log = EventLog("demo", store, {})
    mine, theirs = refused_everywhere(Told()).connected("mine-1"), Told("visitor-70").connected("theirs-1")
    theirs.crowd("visitor.left").connected("theirs-2")
    for pair in zip(mine.lines, [*theirs.lines, *theirs.lines], strict=False):
        for line in pair:
            log.record(line.source, line.kind, line.text, data=line.data, at=line.at)
    assert story(log, "visitor-7")["outcome"] == "connected"
    assert {step["asked"] for step in story(log, "visitor-70")["steps"]} <= {"replica-1", "replica-2"}
    failed = [line.seq for line in log.read() if line.kind == "connection.refused"]
    for seq in failed:
        assert len(story(log, "visitor-7", seq + 1)["steps"]) == 7
    assert story(log, "visitor-7", failed[0] + 1)["outcome"] == "failed"
    with pytest.raises(NotFound):
        story(log, "visitor-8")
    log.close()
    store.close()


def test_a_visitor_that_never_failed_has_a_story_too():
    told = Told().page().negotiated("first-token", cookie=COOKIE).routed("first-token", cookie=COOKIE)
    story = told.call("circuit.started", "first-token").story()
    assert requests(story) == ["GET /", "POST negotiate", "GET ?id=first-…, WebSocket", "StartCircuit"]
    assert story["steps"][1]["cookie"] == COOKIE
    assert (story["outcome"], story["verdict"]["failure"]) == ("connected", None)
    assert story["heading"] == "How visitor 7 connected"
    assert story["verdict"]["reason"].startswith("The cookie named replica-1")


def test_a_reconnect_without_affinity_ends_at_a_replica_that_does_not_remember():
    told = Told().connected().crowd("visitor.reconnecting", attempt=1)
    told.negotiated("second", "replica-2").routed("second", "replica-2")
    told.call("circuit.rejected", "second", "replica-2", holder="replica-1", fate="held")
    until_here = told.story()
    assert (until_here["outcome"], until_here["verdict"]["failure"]) == ("failed", "circuit_unknown")
    told.add("connection.closed", "replica-2", connection="second", reason="client")
    told.page("replica-3").negotiated("third", "replica-3").routed("third", "replica-3")
    told.call("circuit.started", "third", "replica-3").crowd(
        "visitor.connected", circuit="circuit-1", memory="lost"
    )
    story = told.story()
    assert (story["outcome"], story["verdict"]["failure"]) == ("memory_lost", "circuit_unknown")
    assert story["heading"] == "Why did visitor 7 lose its memory?"
    assert story["verdict"]["reason"].endswith(
        "replica-1 holds it. It loaded the page again and began anew on replica-3."
    )
    assert requests(story)[2] == "ConnectCircuit circui…"


def test_a_page_of_another_replica_is_told_with_who_signed_and_who_was_asked():
    told = Told().page("replica-1").routed("skipped", "replica-2")
    story = told.call("page.rejected", "skipped", "replica-2", page="replica-1").story()
    assert requests(story) == ["GET /", "GET /_blazor, WebSocket without id", "StartCircuit"]
    assert (story["steps"][2]["asked"], story["steps"][2]["holder"]) == ("replica-2", "replica-1")
    assert story["verdict"]["failure"] == "page_from_elsewhere"


def test_a_message_that_goes_elsewhere_is_a_refusal_of_the_open_connection():
    told = Told().page().negotiated("stream").routed("stream", by="ServerSentEvents")
    story = told.refused("stream", "replica-2", "replica-1", method="POST").story()
    assert requests(story)[2:] == ["GET ?id=stream, server-sent events", "POST ?id=stream, a message"]
    told.negotiated("poll").refused("poll", "replica-2", "replica-1", by="LongPolling")
    again = told.story()["verdict"]["again"]
    assert again == "Then the same by long polling, with a new id. Two of two refused."
    assert (story["outcome"], story["verdict"]["failure"]) == ("failed", "connection_unknown")


def test_connected_at_the_second_transport_is_luck_and_says_so():
    told = Told().page().negotiated("one-token").refused("one-token", "replica-3", "replica-1")
    told.negotiated("two-token").routed("two-token", by="LongPolling").call("circuit.started", "two-token")
    verdict = told.story()["verdict"]
    assert verdict["failure"] is None
    assert verdict["reason"].startswith("One try was refused first. No cookie pinned it.")


def test_a_browser_that_reconnects_without_saying_so_begins_another_attempt():
    told = Told("browser-3f2a").connected().negotiated("second").refused("second", "replica-2", "replica-1")
    story = told.story()
    assert (requests(story)[0], len(story["steps"])) == ("POST negotiate", 2)
    told.negotiated("third").refused("third", "replica-2", "replica-1")
    assert len(attempts(told.lines)) == 3
    assert told.story()["heading"] == "Why did browser 3f2a fail?"


def test_lines_of_programs_that_were_read_out_of_order_are_put_right():
    """The crowd's word and the replica's may be read before the balancer's; a late line is of its own leg."""
    told = Told().connected()
    told.negotiated("second").crowd("visitor.reconnecting", after=45, attempt=1)
    told.call("circuit.resumed", "second", after=51, count=3).routed("second", after=70)
    told.crowd("visitor.reconnecting", after=90, attempt=1).negotiated("third", after=95)
    told.refused("third", "replica-2", "replica-1")
    first = told.story(before=6)
    assert [step["answer"] for step in first["steps"]] == [
        "connection second", "connected", "true, memory kept: count 3",
    ]  # fmt: skip
    assert first["heading"] == "How visitor 7 came back"
    assert len(told.story()["steps"]) == 2


def test_what_happened_in_one_millisecond_keeps_the_balancers_order():
    told = Told().page().negotiated("one-token", after=10)
    told.refused("one-token", "replica-2", "replica-1").add("page.served", "replica-3", after=10)
    assert [step["asked"] for step in told.story()["steps"]] == ["replica-3"]
    assert len(told.story(before=4)["steps"]) == 3


def test_a_refusal_that_is_read_after_the_next_try_was_announced_belongs_to_its_own_negotiate():
    told = Told().connected().crowd("visitor.reconnecting", attempt=1)
    told.negotiated("second").crowd("visitor.reconnecting", after=62, attempt=2)
    told.refused("second", "replica-2", "replica-1").negotiated("third").routed("third", by="LongPolling")
    told.call("circuit.resumed", "third")
    assert told.story(before=7)["verdict"]["failure"] == "connection_unknown"
    assert [step["refused"] for step in told.story()["steps"]] == [False, False, False]


def test_an_end_at_its_own_replica_is_no_failure():
    told = Told().connected()
    told.add("connection.closed", "replica-1", connection="first-token", reason="dropped")
    story = told.refused("first-token", "replica-1", "replica-1", method="POST").story()
    assert (story["outcome"], story["verdict"]["failure"]) == ("connected", None)
    assert story["verdict"]["reason"].endswith("Since then its connection was lost.")


def test_a_reconnect_that_is_only_announced_leaves_the_story_before_it():
    told = Told().connected().crowd("visitor.reconnecting").negotiated("second")
    told.refused("second", "replica-2", "replica-1").crowd("visitor.reconnecting", delay_s=10.0)
    assert told.story()["verdict"]["failure"] == "connection_unknown"


def test_what_is_not_over_has_no_verdict_yet_and_who_gave_up_has_one():
    assert Told().page().negotiated("one-token").story()["outcome"] == "under_way"
    assert Told().crowd("visitor.reconnecting").story()["heading"] == "Visitor 7 is on its way"
    assert Told().page().crowd("visitor.left").story()["outcome"] == "left"
    gone = Told().page().crowd("visitor.failed", errors=["GET / failed"]).story()
    assert (gone["outcome"], gone["verdict"]["reason"]) == ("failed", "GET / failed")


def test_a_balancer_without_replicas_is_told_as_nobody_answered():
    story = Told().add("request.failed", "balancer", method="GET", path="/", status=503, replica=None).story()
    assert (story["verdict"]["failure"], story["steps"][0]["asked"]) == ("no_replica", None)
    assert story["steps"][0]["answer"] == "request.failed"


@pytest.mark.parametrize(("change", "said"), [
    (None, "no cookie"), ({}, "cookie for replica-1"), ({"expired": True}, "expired cookie for replica-1"),
    ({"ignored": True}, "old cookie for replica-1, ignored"), ({"replica": None}, "cookie for no replica"),
])  # fmt: skip
def test_a_step_says_which_cookie_was_sent(change, said):
    cookie = None if change is None else COOKIE | change
    assert f", {said}" in Told().negotiated("one-token", cookie=cookie).story()["steps"][0]["sentence"]


def test_lines_of_an_earlier_labdeck_without_the_newer_fields_still_make_a_story():
    told = Told().page().negotiated("one-token")
    for line in told.lines:
        del line.data["cookie"], line.data["method"]
    assert told.call("circuit.rejected", "one-token").story()["verdict"]["failure"] == "circuit_unknown"
