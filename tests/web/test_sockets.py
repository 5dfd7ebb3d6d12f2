"""The live view: who may watch, that nothing is missed, that nobody disturbs the others."""

import contextlib
import json
import socket
import threading

import pytest
import requests
import socketio
import websocket

from services.web import sockets
from tests.waiting import wait_for
from tests.web.conftest import TOKEN

AUTH = {"token": TOKEN}
HANDSHAKE = "/socket.io/?EIO=4&transport=polling"


@pytest.fixture
def watchers(dashboard):
    """Makes connected watchers."""
    made = []

    def make(**rest):
        made.append(dashboard.watcher(**rest).connect(AUTH))
        return made[-1]

    yield make
    for watcher in made:
        watcher.close()


def raw(dashboard, **options):
    """A bare WebSocket to the live view, past its Engine.IO greeting."""
    url = f"ws://127.0.0.1:{dashboard.port}/socket.io/?EIO=4&transport=websocket"
    bare = websocket.create_connection(url, timeout=5, **options)
    assert bare.recv().startswith("0{")
    return bare


# who may watch


@pytest.mark.parametrize(
    "auth", [None, {"token": "wrong"}, {"token": 7}, {"token": None}, "text", [TOKEN], {"": ""}]
)
def test_without_the_token_a_watcher_is_refused_and_sees_nothing(dashboard, auth):
    watcher = dashboard.watcher()
    with pytest.raises(socketio.exceptions.ConnectionError):
        watcher.connect(auth)
    dashboard.record("for members only")
    dashboard.demo.log.flush()
    assert not watcher.batches
    assert not list(dashboard_rooms(dashboard))


def test_a_refused_watcher_is_told_why(dashboard):
    bare = raw(dashboard)
    bare.send('40{"token": "wrong"}')
    refusal = json.loads(bare.recv().removeprefix("44"))
    assert refusal["data"]["kind"] == "not_signed_in"
    bare.close()


def test_frames_of_somebody_who_never_connected_are_ignored(dashboard):
    bare = raw(dashboard)
    bare.send('421["watch", {"workspace": "demo", "after": 0}]')
    bare.send('40{"token": "wrong"}')
    assert bare.recv().startswith("44")
    assert not list(dashboard_rooms(dashboard))
    bare.close()


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_the_cookie_is_enough(dashboard, transport):
    browser = dashboard.browser()
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    watcher = dashboard.watcher([transport]).connect(None, Cookie=cookie)
    assert watcher.watch()["state"]["workspace"] == "demo"
    watcher.close()


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8090", "https://evil.example", "null"])
def test_a_page_of_another_origin_cannot_watch(dashboard, origin):
    browser = dashboard.browser()
    answer = browser.get(dashboard.url + HANDSHAKE, headers={"Origin": origin}, timeout=10)
    assert answer.status_code == 403 and "Access-Control-Allow-Origin" not in answer.headers
    with pytest.raises(websocket.WebSocketBadStatusException):
        raw(dashboard, origin=origin)
    raw(dashboard, origin=dashboard.url).close()


def test_a_script_tag_of_another_port_cannot_even_knock(dashboard):
    answer = dashboard.browser().get(
        dashboard.url + HANDSHAKE, headers={"Sec-Fetch-Site": "same-site"}, timeout=10
    )
    assert answer.status_code == 403


def test_who_connects_but_never_signs_in_is_shown_out(dashboard, monkeypatch):
    monkeypatch.setattr(sockets, "_STRANGER_SECONDS", 0.05)
    dashboard.restart()
    bare, member = raw(dashboard), dashboard.watcher().connect(AUTH)
    until_closed(bare)
    assert member.watch()["state"]
    member.close()


# watching


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_watching_gives_the_state_what_came_after_and_then_what_comes(dashboard, watchers, transport):
    first = dashboard.record("one").seq
    second = dashboard.record("two").seq
    watcher = watchers(transports=[transport])
    answer = watcher.watch(after=first)
    assert [line["seq"] for line in answer["events"]] == [second] and answer["more"] is False
    assert answer["state"]["seq"] == second and answer["state"]["replicas"] == []
    third = dashboard.record("three").seq
    wait_for(lambda: watcher.seqs() == [third])
    assert watcher.batches[0]["workspace"] == "demo"


def test_watching_from_nowhere_gives_the_newest_events(dashboard, watchers):
    for number in range(sockets.NEWEST + 10):
        last = dashboard.record(f"line {number}").seq
    answer = watchers().watch(after=None)
    seqs = [line["seq"] for line in answer["events"]]
    assert seqs == list(range(last - sockets.NEWEST + 1, last + 1))
    assert answer["first"] == seqs[0] and answer["more"] is False


def test_a_long_absence_is_made_up_page_by_page(dashboard, watchers):
    for number in range(sockets.PAGE + 5):
        last = dashboard.record(f"line {number}").seq
    watcher = watchers()
    page = watcher.watch(after=0)
    assert len(page["events"]) == sockets.PAGE and page["more"] is True
    rest = watcher.watch(after=page["events"][-1]["seq"])
    assert rest["events"][-1]["seq"] == last and rest["more"] is False


def test_nothing_is_lost_between_the_answer_and_the_first_batch(dashboard, watchers):
    stop = threading.Event()

    def chatter():
        while not stop.is_set():
            dashboard.record("chatter")
            stop.wait(0.0005)

    talking = threading.Thread(target=chatter)
    talking.start()
    try:
        for _ in range(5):
            watcher = watchers()
            answered, more = [0], True
            while more:
                answer = watcher.watch(after=answered[-1])
                answered, more = answered + [line["seq"] for line in answer["events"]], answer["more"]
            wait_for(lambda w=watcher: len(w.batches) >= 2)
            seen = sorted(set(answered) | set(watcher.seqs()))
            assert seen == list(range(seen[-1] + 1))
            assert watcher.seqs() == sorted(watcher.seqs())
    finally:
        stop.set()
        talking.join()


def test_a_dashboard_that_is_started_again_gives_what_was_missed(dashboard, watchers):
    watcher = watchers()
    seen = watcher.watch(after=0)["events"][-1]["seq"]
    dashboard.restart()
    missed = watchers().watch(after=seen)["events"]
    assert [line["seq"] for line in missed] == list(range(seen + 1, seen + 1 + len(missed)))
    assert "workspace.adopted" in [line["kind"] for line in missed]


def test_who_looks_away_gets_nothing_more(dashboard, watchers):
    left, stays = watchers(), watchers()
    left.watch(), stays.watch()
    assert left.client.call("unwatch", {"workspace": "demo"}, timeout=5) == {}
    seq = dashboard.record("later").seq
    wait_for(lambda: stays.seqs() == [seq])
    assert left.seqs() == []


def test_a_large_batch_goes_out_in_pieces(dashboard, watchers):
    watcher = watchers()
    watcher.watch()
    last = [dashboard.record("many").seq for _ in range(1700)][-1]
    wait_for(lambda: watcher.seqs() and watcher.seqs()[-1] == last)
    assert max(len(batch["events"]) for batch in watcher.batches) <= 500
    assert watcher.seqs() == list(range(last - 1699, last + 1))


# wrong frames

WRONG = [
    [],
    [None],
    ["demo"],
    [{}],
    [{"workspace": 7}],
    [{"workspace": "demo", "after": "1"}],
    [{"workspace": "demo", "after": -1}],
    [{"workspace": "demo", "after": 2**60}],
    [{"workspace": "demo", "after": True}],
    [{"workspace": "demo", "more": 1}],
    [{"workspace": b"demo"}],
    [{"workspace": "demo"}, {"workspace": "demo"}],
    [["demo"]],
]


@pytest.mark.parametrize("frame", WRONG)
@pytest.mark.parametrize("event", ["watch", "unwatch"])
def test_a_wrong_frame_is_refused_with_an_error(watchers, event, frame):
    watcher, answers = watchers(), []
    watcher.client.emit(event, tuple(frame), callback=answers.append)
    wait_for(lambda: answers)
    assert answers[0]["error"]["kind"] == "bad_request" and answers[0]["error"]["hint"]
    assert watcher.watch()["state"], "it may go on"


def test_an_unknown_workspace_or_event_is_refused(watchers):
    watcher = watchers()
    assert watcher.watch(workspace="nobody")["error"]["kind"] == "not_found"
    assert "format_disk" in watcher.client.call("format_disk", timeout=5)["error"]["message"]


def test_a_mistake_of_ours_is_answered_and_not_told(dashboard, watchers, monkeypatch):
    def broken():
        raise RuntimeError("the secret inside")

    watcher = watchers()
    monkeypatch.setattr(dashboard.demo, "snapshot", broken)
    answer = watcher.watch()
    assert answer["error"]["kind"] == "internal" and "secret" not in json.dumps(answer)


GARBAGE = [
    "4",
    "42",
    "42[",
    "42[]",
    "42[7]",
    "42{}",
    "42[[]]",
    "42[null]",
    '42["connect"]',
    '42["disconnect"]',
    '43["ack of nothing"]',
    "439999[]",
    '4599-["watch", {"_placeholder": true, "num": 0}]',
    "451-[]",
    "4/",
    "49",
    "40/other,",
    "41/other,",
    "9",
    "6",
    "x",
    "",
    "42" + "[" * 20_000,
    b"\x00\xff",
    b"",
    "42" + '["watch",' * 3000,
]


@pytest.mark.parametrize("frame", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_harms_nobody_else(dashboard, watchers, frame):
    other = watchers()
    other.watch()
    bare = raw(dashboard)
    bare.send(f"40{json.dumps(AUTH)}")
    assert bare.recv().startswith("40")
    with contextlib.suppress(websocket.WebSocketException, OSError):
        send = bare.send_binary if isinstance(frame, bytes) else bare.send
        send(frame)
        bare.send('420["watch", {"workspace": "nobody"}]')
    seq = dashboard.record("still here").seq
    wait_for(lambda: other.seqs() == [seq])
    bare.shutdown()


def test_a_frame_over_the_limit_ends_only_its_own_connection(dashboard, watchers):
    other = watchers()
    other.watch()
    bare = raw(dashboard)
    endless = websocket.ABNF.create_frame("4" + "x" * 200_000, websocket.ABNF.OPCODE_TEXT, fin=0)
    bare.send_frame(endless)
    until_closed(bare)
    seq = dashboard.record("still here").seq
    wait_for(lambda: other.seqs() == [seq])


def test_a_wrong_post_of_a_poller_is_refused_at_once(dashboard, watchers):
    other = watchers()
    other.watch()
    for body, status in (("4" + "x" * 200_000, 413), ("9", 400), ("2", 400), ("4", 200), ("", 200)):
        polling = dashboard.url + HANDSHAKE
        polling += f"&sid={json.loads(requests.get(polling, timeout=5).text[1:])['sid']}"
        assert requests.post(polling, data=body, timeout=5).status_code == status, body[:9]
    seq = dashboard.record("still here").seq
    wait_for(lambda: other.seqs() == [seq])


def test_who_asks_again_and_reads_nothing_is_let_go(dashboard, watchers, monkeypatch):
    quick, greedy = watchers(), watchers()
    quick.watch()
    monkeypatch.setattr(sockets, "_UNREAD", -1)  # so that what waits to be read is always too much
    with contextlib.suppress(Exception):
        greedy.watch()
    wait_for(lambda: len(list(dashboard_rooms(dashboard))) == 1)


def test_a_watcher_that_is_far_behind_is_let_go_and_the_others_stay(dashboard, watchers, monkeypatch):
    monkeypatch.setattr(sockets, "_BACKLOG", 3)
    quick, slow = watchers(), raw(dashboard, sockopt=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)])
    slow.send(f"40{json.dumps(AUTH)}")
    assert slow.recv().startswith("40")
    slow.send('421["watch", {"workspace": "demo", "after": null}]')
    assert slow.recv().startswith("431")
    quick.watch()

    def let_go():
        dashboard.record("x" * 1_000_000)
        dashboard.demo.log.flush()
        return len(list(dashboard_rooms(dashboard))) == 1

    wait_for(let_go, 30)
    seq = dashboard.record("still here").seq
    wait_for(lambda: seq in quick.seqs())
    assert quick.seqs() == list(range(quick.known + 1, seq + 1))
    slow.shutdown()


def until_closed(bare):
    """Read until the server closes; fails when it says nothing for 5 s."""
    with contextlib.suppress(websocket.WebSocketConnectionClosedException, ConnectionError):
        while bare.recv_frame().opcode != websocket.ABNF.OPCODE_CLOSE:
            pass
    bare.shutdown()


def dashboard_rooms(dashboard):
    """Who is in the room of the workspace."""
    server = dashboard.running.watchers._socketio.server
    with contextlib.suppress(KeyError):
        yield from server.manager.get_participants("/", "workspace:demo")
