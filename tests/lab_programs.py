"""Lab programs as real processes: started, read line by line, asked through their control port."""

import atexit
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
KEY = "the-key-of-this-workspace"
SCRATCH = tempfile.TemporaryDirectory(prefix="labdeck-programs-")
"""Where they put temporary files; what one that was killed leaves goes with the tests."""
DEADLINE = 20


def free_port():
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, what, deadline=DEADLINE):
    """Whatever `condition()` gives once it is true."""
    end = time.monotonic() + deadline
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {deadline} s: {what() if callable(what) else what}"
        time.sleep(0.01)
    return found


def listens(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Program:
    """One process; `lines` grows while it runs, `raw` is its standard output as it came."""

    def __init__(self, arguments, instance="program", environment=None, python=sys.executable):
        self.instance = instance
        self.public, self.control = free_port(), free_port()
        self.raw, self.lines, self.complaints = [], [], []
        names = {
            "LAB_WORKSPACE": "demo",
            "LAB_INSTANCE": instance,
            "LAB_CONTROL_KEY": KEY,
            "LAB_LISTEN_PUBLIC": f"127.0.0.1:{self.public}",
            "LAB_LISTEN_CONTROL": f"127.0.0.1:{self.control}",
            "PYTHONPATH": str(ROOT),
            "TMPDIR": SCRATCH.name,
        }
        self.process = subprocess.Popen(
            [python, *arguments],
            env=os.environ | names | (environment or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        atexit.register(self.process.kill)
        self._readers = [
            threading.Thread(target=read, daemon=True) for read in (self._read_lines, self._read_errors)
        ]
        for reader in self._readers:
            reader.start()

    def _read_lines(self):
        for line in self.process.stdout:
            self.raw.append(line)
            with contextlib.suppress(ValueError):
                self.lines.append(json.loads(line))

    def _read_errors(self):
        self.complaints.extend(self.process.stderr)

    def of(self, kind, **data):
        """The lines of this kind whose data has at least these values."""
        return [
            line
            for line in list(self.lines)
            if line["kind"] == kind
            and data.items() <= {k: _plain(v) for k, v in line["data"].items()}.items()
        ]

    def wait_for(self, kind, count=1, deadline=DEADLINE, **data):
        """The first `count` lines of this kind with this data, once they are there."""

        def seen():
            found = self.of(kind, **data)
            return found[:count] if len(found) >= count else None

        return until(seen, lambda: f"{count} {kind} {data}\n{self.story()}", deadline)

    def ask(self, method, path, body=None, key=KEY):
        """Status and JSON of one call to the control port."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        content = body if isinstance(body, bytes | None) else json.dumps(body)
        status, _, answer = call(self.control, method, path, headers, content)
        return status, json.loads(answer)

    def state(self):
        return self.ask("GET", "/control/state")[1]

    def end(self, number=signal.SIGTERM):
        """Signal it and wait; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.ended()

    def ended(self, deadline=10):
        """Wait for its end and for the last of what it wrote; its exit code."""
        code = self.process.wait(deadline)
        for reader in self._readers:
            reader.join(5)
        return code

    def story(self):
        """What it said, for a failure message."""
        lines = [f"{line['at'][11:23]} {line['kind']}: {line['text']}" for line in list(self.lines)[-60:]]
        return "\n".join([f"--- {self.instance}", *lines, *map(str.rstrip, self.complaints[-20:])])


def _plain(value):
    return json.dumps(value) if isinstance(value, dict | list) else value


def call(port, method, path, headers=None, body=None):
    """Status, headers and body of one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


class LiveSocket:
    """A WebSocket on a real TCP connection, as simple as RFC 6455 allows: short text frames."""

    def __init__(self, port, path, headers=None):
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE)
        lines = [
            f"GET {path} HTTP/1.1",
            "Host: lab",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            *(f"{name}: {value}" for name, value in (headers or {}).items()),
        ]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self._stream = self.socket.makefile("rb")
        self.status = int(self._stream.readline().split()[1])
        while self._stream.readline().strip():
            pass

    def echo(self, text):
        """Send text, give back what is answered."""
        payload = bytes(byte ^ 1 for byte in text.encode())
        self.socket.sendall(bytes([0x81, 0x80 | len(payload), 1, 1, 1, 1]) + payload)
        head = self._stream.read(2)
        assert len(head) == 2, "the WebSocket has ended"
        return self._stream.read(head[1] & 0x7F).decode()

    def close(self):
        self._stream.close()
        self.socket.close()
