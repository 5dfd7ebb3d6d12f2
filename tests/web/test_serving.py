"""The dashboard as it is really served: gunicorn, gevent, simple-websocket."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
import requests
import socketio
import websocket

from tests.waiting import wait_for
from tests.web.conftest import ROOT, TOKEN, free_port

DEMO = "/api/workspaces/demo"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def watch(served, after=0):
    """A connected watcher and the list of batches it was sent."""
    client, batches = socketio.Client(reconnection=False), []
    client.on("events", batches.append)
    client.connect(served.url, auth={"token": TOKEN}, transports=["websocket"], wait_timeout=5)
    answer = client.call("watch", {"workspace": "demo", "after": after}, timeout=5)
    return client, answer, batches


def make_events(served, times=1):
    """Jobs that end at once, each of them some events; the last seq."""
    with requests.Session() as session:
        session.headers.update(BEARER)
        for _ in range(times):
            assert session.post(f"{served.url}{DEMO}/hello-go/stop", timeout=10).status_code in (202, 409)
        return session.get(f"{served.url}{DEMO}/events?limit=1", timeout=10).json()["last"]


def test_it_says_the_engine_the_reason_and_one_link_that_works(served):
    said = served.output()
    assert "Engine: scripted 1. A test wants it." in said
    link = re.search(r"Open (http://\S+)", said)[1]
    assert requests.get(link, timeout=10).status_code == 200
    assert len(said.splitlines()) == 3


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_at_once_though_websockets_and_polls_are_open(served, sign, tmp_path):
    client, _, _ = watch(served)
    poller = requests.get(f"{served.url}/socket.io/?EIO=4&transport=polling", timeout=5).text
    sid = json.loads(poller[1:])["sid"]
    waiting = socket.create_connection(("127.0.0.1", served.port))
    waiting.sendall(
        f"GET /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    )
    began = time.monotonic()
    assert served.end(sign) == 0
    assert time.monotonic() - began < 3
    assert (tmp_path / "let-go").exists(), "the worker was killed instead of ending"
    assert "Traceback" not in served.output() and len(served.output().splitlines()) == 3
    waiting.close()
    client.disconnect()


def test_a_worker_that_is_killed_is_replaced_and_a_watcher_misses_nothing(served):
    client, answer, _ = watch(served)
    seen = [line["seq"] for line in answer["events"]]
    old = served.worker()
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: not client.connected)
    wait_for(lambda: served.output().count("Open http") == 2, 20, told=served.output)
    again, answer, _ = watch(served, after=seen[-1])
    seen += [line["seq"] for line in answer["events"]]
    assert seen == list(range(1, seen[-1] + 1))
    again.disconnect()


def slow_watcher(served):
    """Watches, then reads nothing, with the smallest buffer the system gives."""
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    slow.connect(("127.0.0.1", served.port))
    bare = websocket.create_connection(
        f"ws://127.0.0.1:{served.port}/socket.io/?EIO=4&transport=websocket", socket=slow, timeout=20
    )
    bare.recv()
    bare.send(f"40{json.dumps({'token': TOKEN})}")
    bare.recv()
    return bare


def test_a_slow_watcher_holds_nobody_and_gets_whole_frames(served):
    last = make_events(served, 40)
    slow = slow_watcher(served)
    for number in range(60):  # some 50 kB an answer, which the system's buffers cannot hold
        slow.send(f'42{number}["watch", {{"workspace": "demo", "after": 0}}]')
    quick, _, batches = watch(served, after=last)
    last = make_events(served, 2)
    wait_for(lambda: batches and batches[-1]["events"][-1]["seq"] >= last)
    answers = {}
    while len(answers) < 60:
        frame = slow.recv()
        if frame.startswith("43"):
            number, _, body = frame[2:].partition("[")
            answers[int(number)] = json.loads(f"[{body}")[0]
        elif frame == "2":
            slow.send("3")
    assert all(len(answer["events"]) >= 40 for answer in answers.values())
    quick.disconnect()
    slow.shutdown()


def test_a_flood_of_wrong_tokens_leaves_room_for_the_right_one(served):
    def guess(number):
        with contextlib.suppress(requests.RequestException):
            requests.get(served.url + DEMO, headers={"Authorization": f"Bearer {number}"}, timeout=10)

    flood = [threading.Thread(target=guess, args=(number,)) for number in range(100)]
    for thread in flood:
        thread.start()
    began = time.monotonic()
    assert requests.get(served.url + DEMO, headers=BEARER, timeout=10).status_code == 200
    assert time.monotonic() - began < 1.5
    for thread in flood:
        thread.join()


def test_after_kill_9_of_its_master_it_can_be_started_at_once(served, tmp_path):
    last = make_events(served, 3)
    os.kill(served.process.pid, signal.SIGKILL)
    served.process.wait(timeout=5)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LAB_")}
    given = {"LAB_STATE_DIR": str(tmp_path), "LAB_TOKEN": TOKEN, "LAB_PORT": str(served.port)}
    again = subprocess.Popen(
        [sys.executable, "-m", "services.serve"],
        cwd=ROOT,
        env=inherited | given | {"LAB_ENGINE": "local"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert "Engine: local" in again.stdout.readline()
        _, answer, _ = watch(served)
        seqs = [line["seq"] for line in answer["events"]]
        assert seqs == list(range(1, seqs[-1] + 1)) and seqs[-1] >= last
    finally:
        again.send_signal(signal.SIGINT)
        assert again.wait(timeout=10) == 0
        again.stdout.close()


# what cannot start


def launcher(tmp_path, *arguments, **environment):
    """The launcher's exit status and what it said, where it fails before it serves."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LAB_")}
    command = [sys.executable, "-m", "services.serve", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=inherited | {"LAB_STATE_DIR": str(tmp_path), "LAB_ENGINE": "local"} | environment,
        capture_output=True,
        text=True,
        timeout=30,
    )


def one_line(done):
    assert done.returncode == 2
    assert done.stdout == "" and done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
    return done.stderr


def test_a_taken_port_is_one_clear_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = one_line(launcher(tmp_path, LAB_PORT=str(port)))
    assert f"port {port} is taken" in line and f"LAB_PORT={port + 1} make run" in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LAB_PORT", "many"),
        ("LAB_ENGINE", "podman"),
        ("LAB_MAX_REPLICAS", "0"),
        ("LAB_TOKEN", "short"),
        ("LAB_DATABASE_URL", "nonsense"),
        ("LAB_DATABASE_URL", "postgresql://x/y"),
    ],
)
def test_a_bad_setting_is_one_clear_line_with_its_name(tmp_path, name, value):
    assert name in one_line(launcher(tmp_path, **{name: value}))


def test_a_host_that_is_not_ours_is_one_clear_line(tmp_path):
    assert "LAB_HOST=192.0.2.1 is no address" in one_line(launcher(tmp_path, LAB_HOST="192.0.2.1"))


def test_a_state_folder_that_cannot_be_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    assert "LAB_STATE_DIR" in one_line(launcher(tmp_path, LAB_STATE_DIR=str(tmp_path / "file" / "folder")))


def test_a_state_folder_that_others_can_write_to_is_one_clear_line(tmp_path):
    tmp_path.chmod(0o777)
    line = one_line(launcher(tmp_path, LAB_STATE_DIR=str(tmp_path)))
    assert "LAB_STATE_DIR" in line and "chmod 700" in line


def test_a_second_dashboard_on_the_same_folder_is_one_clear_line(served, tmp_path):
    assert "another Labdeck uses" in one_line(launcher(tmp_path, LAB_PORT=str(free_port())))


def test_the_launcher_names_the_engine_for_make(tmp_path):
    done = launcher(tmp_path, "--engine")
    assert (done.returncode, done.stdout) == (0, "local\n")
