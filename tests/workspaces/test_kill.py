"""A dashboard that is killed while visitors reconnect loses no event and shows none twice."""

import pytest
import socketio

from tests.dashboard import TOKEN, Dashboard
from tests.waiting import wait_for


class Watcher:
    """Watches as the page does: asks for what it lacks after each connect, and drops what it has."""

    def __init__(self, url):
        self.seqs = []
        self._held = []
        self._asking = True
        self._client = socketio.Client(reconnection_delay=0.2, reconnection_delay_max=0.5)
        self._client.on("connect", self._watch)
        self._client.on("events", lambda batch: self._live(batch["events"]))
        self._client.connect(url, auth={"token": TOKEN}, transports=["websocket"])

    def _watch(self):
        self._asking = True
        after = self.seqs[-1] if self.seqs else 0
        self._client.emit("watch", {"workspace": "demo", "after": after}, callback=self._answered)

    def _answered(self, answer):
        self._take(answer["events"])
        if answer["more"]:
            return self._watch()
        self._asking = False
        held, self._held = self._held, []
        return self._live(held)

    def _live(self, events):
        """What comes while it is being told of the past waits for the end of that."""
        if self._asking:
            self._held += events
        elif not self._take(events):
            self._watch()

    def _take(self, events):
        """Each once, in order; False where one is missing."""
        for event in events:
            if self.seqs and event["seq"] > self.seqs[-1] + 1:
                return False
            if not self.seqs or event["seq"] > self.seqs[-1]:
                self.seqs.append(event["seq"])
        return True

    def close(self):
        self._client.disconnect()


@pytest.fixture(
    params=[pytest.param("docker", marks=pytest.mark.docker), pytest.param("local", marks=pytest.mark.local)]
)
def dashboard(request, tmp_path):
    dashboard = Dashboard(request.param, tmp_path / "state").start()
    yield dashboard
    dashboard.stop()


@pytest.mark.timeout(300)
def test_a_watcher_has_every_event_once_across_a_sigkill(dashboard):
    dashboard.launch_lab(visitors=20, reload_seconds=1)
    watcher = Watcher(dashboard.url)
    wait_for(lambda: dashboard.get()["visitors"]["count"] == 20, told=dashboard.told)
    dashboard.post("/connections/drop")
    wait_for(lambda: dashboard.events(kind="connection.refused"), 30, told=dashboard.told)
    dashboard.kill()
    dashboard.start()
    adopted = dashboard.events(kind="workspace.adopted")[-1]["seq"]
    dashboard.put("/affinity", {"mode": "cookie"})
    wait_for(lambda: dashboard.get()["visitors"]["connected"] == 20, 60, told=dashboard.told)
    last = dashboard.get()["seq"]
    wait_for(lambda: watcher.seqs[-1] >= last, 20, told=dashboard.told)
    watcher.close()
    assert watcher.seqs == list(range(1, watcher.seqs[-1] + 1))
    stored = [event["seq"] for event in dashboard.events()]
    assert stored == list(range(1, len(stored) + 1))
    assert adopted < last


@pytest.mark.timeout(300)
def test_what_runs_survives_the_dashboard_and_is_adopted(dashboard):
    state = dashboard.launch_lab(affinity="cookie", visitors=10)
    wait_for(lambda: dashboard.get()["visitors"]["connected"] == 10, 30, told=dashboard.told)
    wait_for(lambda: len(dashboard.get()["circuits"]) == 10, 30, told=dashboard.told)
    before = {circuit: held["replica"] for circuit, held in dashboard.get()["circuits"].items()}
    dashboard.kill()
    dashboard.start()
    after = dashboard.get()
    assert after["affinity_lab"]["phase"] == "running"
    assert after["balancer"]["url"] == state["balancer"]["url"]
    assert after["balancer"]["affinity"]["mode"] == "cookie"
    assert {circuit: held["replica"] for circuit, held in after["circuits"].items()} == before
    assert not dashboard.events(kind="replica.died")
    dashboard.done(dashboard.put("/replicas", {"count": 2}))
    assert len(dashboard.get()["replicas"]) == 2
