"""A whole dashboard in a process of its own, as `make run` starts it, for tests and benchmarks."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import requests
import urllib3

from tests.waiting import wait_for

TOP = Path(__file__).parents[1]
TOKEN = "a-token-for-tests-only-0123456789"


def free_port():
    """A port of loopback that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Dashboard:
    """Starts, kills and starts again on the same state folder; `get`, `post`, `put` speak the API."""

    def __init__(self, engine, state_dir):
        self.engine = engine
        self.state_dir = Path(state_dir)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None
        self._lab_ports = {"LAB_HELLO_GO_PORT": str(free_port()), "LAB_BALANCER_PORT": str(free_port())}
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {TOKEN}"

    def start(self):
        """Start it and wait until it answers."""
        environment = os.environ | {
            "LAB_ENGINE": self.engine,
            "LAB_STATE_DIR": str(self.state_dir),
            "LAB_PORT": str(self.port),
            "LAB_TOKEN": TOKEN,
            **self._lab_ports,
        }
        self.state_dir.mkdir(parents=True, exist_ok=True)
        self.output = self.state_dir / "dashboard.log"
        with self.output.open("a") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.serve"],
                cwd=TOP,
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        wait_for(self._answers, 30, told=lambda: self.output.read_text()[-3000:])
        return self

    def kill(self):
        """SIGKILL to the whole dashboard; what it started goes on running."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """Remove everything of the lab, then end the dashboard as Ctrl-C does."""
        if self.process is None or self.process.poll() is not None:
            return
        with contextlib.suppress(requests.RequestException, AssertionError):
            self._session.delete(f"{self.url}/api/workspaces/demo", json={}, timeout=10)
            wait_for(lambda: self.events(kind="workspace.reset"), 60)
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def get(self, path="", **params):
        return self._call("GET", path, params=params)

    def post(self, path, body=None):
        return self._call("POST", path, json=body or {})

    def put(self, path, body):
        return self._call("PUT", path, json=body)

    def events(self, after=0, **filters):
        """Events after `after`, paged to the end."""
        found = []
        while page := self.get("/events", after=after, limit=1000, **filters)["events"]:
            found += page
            after = page[-1]["seq"]
        return found

    def done(self, answer, seconds=120):
        """Wait for the end of the job in a 202 answer; fails with the log when the job failed."""

        def ended():
            lines = self.events(kind="job.finished") + self.events(kind="job.failed")
            return next((line for line in lines if line["data"]["job"] == answer["job"]), None)

        line = wait_for(ended, seconds, told=self.told)
        assert line["kind"] == "job.finished", f"{line['text']}\n{self.told()}"
        return line

    def launch_lab(self, replicas=3, affinity="none", visitors=0, **crowd):
        """The affinity lab, as a test wants it."""
        self.done(self.post("/affinity-lab/launch"))
        if replicas != 3:
            self.done(self.put("/replicas", {"count": replicas}))
        if affinity != "none":
            self.put("/affinity", {"mode": affinity})
        if visitors:
            self.done(self.put("/visitors", {"count": visitors, **crowd}))
        return self.get()

    def told(self):
        """The newest events and the dashboard's own output, for a failed test."""
        lines = [
            f"{line['seq']} {line['source']} {line['kind']}: {line['text']}" for line in self.events()[-60:]
        ]
        return "\n".join([*lines, self.output.read_text()[-2000:]])

    def _call(self, method, path, **content):
        url = f"{self.url}/api/workspaces/demo{path}"
        answer = self._session.request(method, url, timeout=60, **content)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def _answers(self):
        assert self.process.poll() is None, f"the dashboard ended: {self.output.read_text()[-3000:]}"
        try:
            return requests.get(f"{self.url}/healthz", timeout=2).ok
        except (requests.RequestException, urllib3.exceptions.HTTPError):
            return False
