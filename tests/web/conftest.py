"""A dashboard on the scripted engine, reached over real HTTP and real sockets."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests
import socketio
from werkzeug.serving import WSGIRequestHandler, make_server

from services.affinity_lab.lab import AffinityLab
from services.agent_script.lab import AgentScript
from services.events.store import Store
from services.hello_go.lab import HelloGo
from services.settings import read_settings
from services.web.keys import secret, with_kept_token
from services.web.site import make_site
from services.workspaces.house import Workspaces
from tests.lab_plays import ControlPlay
from tests.scripted_engine import ScriptedEngine
from tests.waiting import wait_for

ROOT = Path(__file__).parents[2]
TOKEN = "the-token-of-the-tests"


def compose(environment, engine=None):
    """What `create_app` composes, on a scripted engine."""
    settings = with_kept_token(read_settings(environment))
    if engine is None:
        engine = ScriptedEngine()
        play = ControlPlay()
        engine.scripts = {"services": play, "hello-go": play}
    store = Store(settings.database_url)
    house = Workspaces(
        settings, engine, "A test wants it.", store, secret(settings), [HelloGo, AffinityLab, AgentScript]
    )
    app = make_site(settings, house, store)
    house.start()
    return app, settings, engine


class Quiet(WSGIRequestHandler):
    def log(self, *arguments):
        pass


class Dashboard:
    """One started dashboard; `restart()` is another one on the same state folder."""

    def __init__(self, folder, **environment):
        self.folder, self.environment = folder, environment
        self.open()

    def open(self, engine=None, **changed):
        self.environment |= changed
        given = {"LAB_STATE_DIR": str(self.folder), "LAB_TOKEN": TOKEN, "LAB_HELLO_GO_PORT": "28180"}
        self.app, self.settings, self.engine = compose(given | self.environment, engine)
        self.running = self.app.extensions["labdeck"]
        self.demo = self.running.house.get("demo")
        self.server = make_server("127.0.0.1", 0, self.app, threaded=True, request_handler=Quiet)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.running.close()

    def restart(self, **changed):
        self.close()
        self.open(self.engine.restarted(), **changed)

    def call(self, method, path, token=TOKEN, **rest):
        """With a bearer token, or without any when `token` is None."""
        headers = rest.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        return requests.request(
            method, self.url + path, headers=headers, timeout=20, allow_redirects=False, **rest
        )

    def browser(self):
        """Signed in by the link, as a person is."""
        browser = requests.Session()
        browser.get(f"{self.url}/?token={self.settings.token}", timeout=10).raise_for_status()
        return browser

    def watcher(self, transports=("websocket",)):
        return Watcher(self, transports)

    def done(self, job):
        """Wait until the job has ended."""

        def ended():
            lines = self.demo.events(kind="job.finished") + self.demo.events(kind="job.failed")
            return next((line for line in lines if line["data"]["job"] == job), None)

        return wait_for(ended)

    def record(self, text="a line", **rest):
        """One event of the log, as a lab would record it."""
        return self.demo.log.record("hello-go", "output.line", text, **rest)


class Watcher:
    """A Socket.IO client that keeps what it was sent."""

    def __init__(self, dashboard, transports):
        self.dashboard, self.transports = dashboard, list(transports)
        self.client = socketio.Client(reconnection=False)
        self.batches, self.refusals, self.known = [], [], 0
        self.client.on("events", self.batches.append)
        self.client.on("connect_error", self.refusals.append)

    def connect(self, auth=None, **headers):
        self.client.connect(
            self.dashboard.url, auth=auth, headers=headers, transports=self.transports, wait_timeout=5
        )
        return self

    def watch(self, after=None, workspace="demo"):
        answer = self.client.call("watch", {"workspace": workspace, "after": after}, timeout=10)
        self.known = max([self.known] + [line["seq"] for line in answer.get("events", [])])
        return answer

    def seqs(self):
        """What came live and was not known from an answer; a live batch may repeat an answer."""
        lines = [line["seq"] for batch in list(self.batches) for line in batch["events"]]
        return [seq for seq in lines if seq > self.known]

    def close(self):
        """Without waiting: the client spends 3 s on a close frame that it has read already."""
        threading.Thread(target=self.client.disconnect, daemon=True).start()


@pytest.fixture(autouse=True)
def quiet_sockets():
    logging.getLogger("engineio.server").setLevel(logging.CRITICAL)


@pytest.fixture
def dashboard(tmp_path):
    dashboard = Dashboard(tmp_path)
    yield dashboard
    dashboard.engine.destroy("demo")
    dashboard.close()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class Served:
    """A dashboard in gunicorn with our gunicorn.conf.py, but the scripted engine."""

    def __init__(self, folder, **environment):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        given = {"LAB_STATE_DIR": str(folder), "LAB_TOKEN": TOKEN, "LAB_PORT": str(self.port)} | environment
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("LAB_")}
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "-c",
            "gunicorn.conf.py",
            "tests.web.scripted_app:create()",
        ]
        self.said = (folder / "said").open("w+")
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=inherited | given,
            stdout=self.said,
            stderr=self.said,
            start_new_session=True,
        )
        wait_for(
            lambda: "Open http" in self.output() or self.process.poll() is not None, 30, told=self.output
        )

    def output(self):
        self.said.seek(0)
        return self.said.read()

    def worker(self):
        """The process id of gunicorn's one worker."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    def end(self, sign=signal.SIGTERM):
        """Signal the group, as Ctrl-C does; the exit status."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, sign)
        return self.process.wait(timeout=10)


@pytest.fixture
def served(tmp_path):
    served = Served(tmp_path)
    yield served
    served.end()
