"""A house on the scripted engine, with both labs."""

import pytest

from services.affinity_lab.lab import AffinityLab
from services.events.store import Store
from services.hello_go.lab import HelloGo
from services.settings import read_settings
from services.workspaces.house import Workspaces
from tests.dashboard import free_port
from tests.lab_plays import ControlPlay
from tests.scripted_engine import ScriptedEngine
from tests.waiting import wait_for


class House:
    """One dashboard's inside, which a test can kill and start again."""

    def __init__(self, tmp_path):
        self.settings = read_settings({"LAB_STATE_DIR": str(tmp_path), "LAB_HELLO_GO_PORT": str(free_port())})
        self.engine = ScriptedEngine()
        self.play = ControlPlay()
        self.engine.scripts = {"services": self.play, "hello-go": self.play}
        self.open()

    def open(self):
        self.store = Store(self.settings.database_url)
        self.all = Workspaces(
            self.settings, self.engine, "A test wants it.", self.store, b"secret", [HelloGo, AffinityLab]
        )
        self.all.start()
        self.demo = self.all.get("demo")
        self.lab = self.demo.lab(AffinityLab)
        self.hello = self.demo.lab(HelloGo)

    def reopen(self):
        """A new dashboard on what the last one left running."""
        self.all.close()
        self.engine = self.engine.restarted()
        self.open()

    def done(self, job):
        """Wait for the end of a job; its last event."""

        def ended():
            lines = self.demo.events(kind="job.finished") + self.demo.events(kind="job.failed")
            return next((line for line in lines if line["data"]["job"] == job), None)

        return wait_for(ended, told=self.told)

    def told(self):
        return "\n".join(f"{line['seq']} {line['kind']} {line['text']}" for line in self.demo.tail(40))

    def kinds(self):
        return [line["kind"] for line in self.demo.events(limit=5000)]


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.engine.destroy("demo")
    house.all.close()
