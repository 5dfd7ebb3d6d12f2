"""Docker goes and comes back: a wire to the real daemon that a test can cut."""

import contextlib
import socket
import threading
import time

import pytest
from contract.machines import talker_recipe, talker_spec
from waiting import wait_for

from services.engines import docker_daemon
from services.engines.docker import DockerEngine
from services.errors import EngineUnavailable

pytestmark = pytest.mark.docker


class Wire:
    """A unix socket that leads to the daemon's, until it is cut."""

    def __init__(self, path):
        self.path, self.ends, self.asked = path, [], []
        self.mend()

    def mend(self):
        self.path.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def cut(self):
        """As a daemon that is killed: no more calls, and all connections end."""
        for end in (self.listener, *self.ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self.ends.clear()

    def _accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect("/var/run/docker.sock")
                self.ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                self.asked.append(data.partition(b"\r\n")[0])
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)


@pytest.fixture
def wired(docker_machine, tmp_path):
    """The machine and the wire; the machine's newest engine speaks through it."""
    wire = Wire(tmp_path / "docker.sock")
    docker_machine.engines.append(DockerEngine(docker_machine.deck, tmp_path, f"unix://{wire.path}"))
    yield docker_machine, wire
    wire.cut()
    docker_machine.engines.pop().close()


def test_every_call_says_that_docker_is_away(tmp_path):
    engine = DockerEngine("away", tmp_path, f"unix://{tmp_path}/no.sock")
    calls = (
        engine.version,
        engine.instances,
        engine.watch,
        lambda: engine.image("talker"),
        lambda: engine.base("alpine:3.23"),
        lambda: next(engine.files("talker")),
        lambda: engine.build(talker_recipe(), print),
        lambda: engine.start(talker_spec("contract")),
        lambda: engine.stop("contract", "talker-1"),
        lambda: engine.kill("contract", "talker-1"),
        lambda: engine.logs("contract", "talker-1"),
        lambda: engine.address("contract", "talker-1", "public"),
        lambda: engine.destroy("contract"),
    )
    for call in calls:
        with pytest.raises(EngineUnavailable, match=r"there is no .*no\.sock"):
            call()


def test_a_socket_that_nobody_listens_at_is_away_too(tmp_path):
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(EngineUnavailable, match="does not answer"):
        DockerEngine("away", tmp_path, f"unix://{path}").version()


def test_a_daemon_that_hangs_is_away_after_three_seconds(tmp_path):
    path = tmp_path / "mute.sock"
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(path))
        mute.listen()
        began = time.monotonic()
        with pytest.raises(EngineUnavailable):
            DockerEngine("away", tmp_path, f"unix://{path}").version()
        assert time.monotonic() - began < 5


def test_calls_work_again_once_docker_is_back(wired):
    machine, wire = wired
    machine.start()
    wire.cut()
    with pytest.raises(EngineUnavailable):
        machine.engine.instances()
    wire.mend()
    wire.asked.clear()
    assert machine.find().running and machine.answers("talker-1")
    assert b"GET /version HTTP/1.1" in wire.asked  # it may be a newer Docker now


def test_the_watch_and_the_logs_say_that_docker_went(wired):
    machine, wire = wired
    machine.start()
    ends = {}
    streams = {"watch": machine.engine.watch(), "logs": machine.engine.logs("contract", "talker-1")}
    for name, stream in streams.items():
        threading.Thread(target=lambda name=name, stream=stream: ends.update({name: end_of(stream)})).start()
    wire.cut()
    wait_for(lambda: len(ends) == 2, told=lambda: str(ends))
    assert all(isinstance(end, EngineUnavailable) for end in ends.values()), ends


def test_a_log_goes_on_where_it_was_cut(wired):
    machine, wire = wired
    machine.start()
    stream, read = machine.engine.logs("contract", "talker-1"), []
    with pytest.raises(EngineUnavailable):
        for line in stream:
            read.append(line)
            wire.cut()
    wire.mend()
    machine.ask("talker-1", "say", text="said later")
    assert [line.text for line in machine.read(1, read[-1].cursor)] == ["said later"]


def test_streams_that_hear_nothing_ask_again_and_miss_nothing(wired, monkeypatch):
    machine, wire = wired
    machine.start()
    monkeypatch.setattr(docker_daemon, "SILENCE", 0.4)
    read, told = [], []
    logs, watch = machine.engine.logs("contract", "talker-1"), machine.engine.watch()
    threading.Thread(target=lambda: read.extend(line.text for line in logs), daemon=True).start()
    threading.Thread(target=lambda: told.extend(one.what for one in watch), daemon=True).start()
    wait_for(lambda: asked(wire, b"/logs?") >= 3 and asked(wire, b"/events?") >= 3)
    machine.ask("talker-1", "say", text="after a silence")
    machine.engine.kill("contract", "talker-1")
    wait_for(
        lambda: read == ["talker is ready", "after a silence"] and told == ["died"],
        told=lambda: f"{read} {told}",
    )
    logs.close()
    watch.close()


def asked(wire, what):
    return sum(what in line for line in wire.asked)


def end_of(stream):
    try:
        for _ in stream:
            pass
    except Exception as error:
        return error
    return None
