"""Rehearsals for real, on each engine: bash's own error, the agent that runs, and nothing left afterwards."""

import hashlib
import json
import platform
import re
import subprocess
import tempfile
from pathlib import Path

import pytest
import requests

from services.agent_script.lab import SECONDS
from tests.dashboard import TOKEN, Dashboard
from tests.go_caches import share_go_caches
from tests.waiting import wait_for

pytestmark = pytest.mark.timeout(400)
MATCHING, FOREIGN = (
    ("linux-arm64", "linux-x64") if platform.machine() == "aarch64" else ("linux-x64", "linux-arm")
)
"""On an ARM host the same works the other way round."""
ERROR = "./config.sh: line 85: ./bin/Agent.Listener: cannot execute binary file: Exec format error"
LONG = 300


@pytest.fixture(
    scope="module",
    params=[pytest.param("docker", marks=pytest.mark.docker), pytest.param("local", marks=pytest.mark.local)],
)
def dashboard(request, tmp_path_factory):
    """With a folder of its own for what is passing, to see that nothing is left in it."""
    state = tmp_path_factory.mktemp("state") / "state"
    share_go_caches(state, request.config)
    with tempfile.TemporaryDirectory() as passing, pytest.MonkeyPatch.context() as changed:
        Path(passing).chmod(0o711)
        changed.setenv("TMPDIR", passing)
        dashboard = Dashboard(request.param, state).start()
        dashboard.passing = Path(passing)
        yield dashboard
        dashboard.stop()


def body(rid, **rest):
    target = {"kind": "deployment_pool", "name": "SandboxDeploy"}
    return {"version": "2.173.0", "rid": rid, "url": "https://dev.azure.com/torben/", "target": target} | rest


def rehearse(dashboard, rid, **rest):
    """The state afterwards, and the events of this rehearsal."""
    after = dashboard.get()["seq"]
    dashboard.done(dashboard.post("/agent-script/rehearse", body(rid, **rest)), LONG)
    return dashboard.get()["agent_script"], dashboard.events(after=after)


def output(events):
    return [
        line["text"] for line in events if line["kind"] == "output.line" and line["source"] == "rehearsal"
    ]


def leftovers(dashboard):
    """Folders and processes of rehearsals, and on docker containers."""
    found = [place.name for place in dashboard.passing.glob("labdeck-*")]
    for entry in Path("/proc").iterdir():
        try:
            program = str((entry / "exe").readlink()) if entry.name.isdigit() else ""
        except OSError:
            continue
        if program.endswith("/bin/Agent.Listener") and program.startswith(f"{dashboard.passing}/"):
            found.append(program)
    if dashboard.engine == "docker":
        listed = ["docker", "ps", "-aq", "--filter", "label=labdeck.service=rehearsal"]
        deck = hashlib.sha256(str(dashboard.state_dir).encode()).hexdigest()[:6]
        listed += ["--filter", f"label=labdeck.deck={deck}"]
        found += subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split()
    return found


def script_of(dashboard, asked):
    answer = requests.post(
        f"{dashboard.url}/api/agent-script",
        json=asked,
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=10,
    )
    return answer.json()


def words_of(command):
    """As bash understands them."""
    said = ["bash", "-c", f"printf '%s\\0' {command}"]
    ran = subprocess.run(said, capture_output=True, check=True, text=True)
    return ran.stdout.split("\0")[:-1]


def test_a_package_for_another_processor_gives_bashs_own_error_in_a_sandbox(dashboard):
    state, events = rehearse(dashboard, FOREIGN)
    assert ERROR in output(events)
    assert state["result"]["outcome"] == "exec_format"
    assert state["result"]["exit_code"] == 126
    assert state["result"]["line"] == ERROR
    assert state["binary"]["rid"] == FOREIGN
    assert state["binary"]["judged"][0]["outcome"] == "exec_format"
    assert state["phase"] == "stopped"
    assert state["confined"]["network"] == "none but its own loopback"
    assert state["confined"]["user"] != "user 0 (root)"
    assert leftovers(dashboard) == []


def test_the_matching_package_runs_by_the_very_script_that_was_shown_whatever_the_names(dashboard):
    """A name that looks like an event, like bash and like the lab's own marks is a name."""
    forged = {"kind": "agent_script.agent_running", "text": "x", "level": "info"}
    name = json.dumps(forged) + "'$(id)`\n\x1e!7\nSegmentation fault"
    asked = {"version": "5.278.0", "agent": "pi", "target": {"kind": "agent_pool", "name": name}}
    shown = script_of(dashboard, body(MATCHING, **asked))
    state, events = rehearse(dashboard, MATCHING, **asked)
    assert state["result"]["outcome"] == "running"
    assert "Listening for Jobs" in output(events)
    told = [line for line in events if line["kind"] == "agent_script.agent_running"]
    assert len(told) == 1
    assert any(text.startswith(">> Register Agent: pi in ") and "'$(id)`" in text for text in output(events))
    commands = [line["text"] for line in events if line["data"].get("stream") == "command"]
    address = re.sub(r"https://\S+(?=/5\.278\.0/)", "http://packages.lab/agent", shown["download"])
    assert f"curl -fSL -o vstsagent.tar.gz {address}" in commands
    wanted = next(text for text in shown["commands"] if "./config.sh" in text)
    traced = next(text for text in commands if text.startswith("./config.sh"))
    assert words_of(traced) == words_of(wanted.rstrip("& "))
    assert "Segmentation fault" in words_of(traced)[2].splitlines()
    assert leftovers(dashboard) == []


def test_the_detecting_script_finds_this_machine_and_verifies_what_it_got(dashboard):
    state, events = rehearse(
        dashboard, FOREIGN, version="5.278.0", detect=True, checksums={MATCHING: "0" * 64}, service=False
    )
    assert state["result"]["outcome"] == "running"
    assert any(text.endswith(".tar.gz.part: OK") for text in output(events))
    assert leftovers(dashboard) == []


def test_a_second_one_is_refused_and_a_cancelled_one_leaves_nothing(dashboard):
    job = dashboard.post("/agent-script/rehearse", body(MATCHING))
    refused = dashboard._session.post(
        f"{dashboard.url}/api/workspaces/demo/agent-script/rehearse", json=body(MATCHING), timeout=10
    )
    assert refused.status_code == 409
    assert dashboard.post("/agent-script/cancel") == {"cancelled": True}
    dashboard.done(job, LONG)
    state = dashboard.get()["agent_script"]
    assert state["phase"] == "stopped"
    assert state["result"]["outcome"] == "cancelled"
    assert dashboard.post("/agent-script/cancel") == {"cancelled": False}
    assert leftovers(dashboard) == []


def test_a_workspace_that_is_emptied_meanwhile_ends_it_and_the_next_one_may_begin(dashboard):
    dashboard.post("/agent-script/rehearse", body(MATCHING))
    dashboard._session.delete(f"{dashboard.url}/api/workspaces/demo", json={}, timeout=10)
    wait_for(lambda: dashboard.events(kind="workspace.reset"), 60)
    assert dashboard.get()["agent_script"]["phase"] == "stopped"
    wait_for(lambda: leftovers(dashboard) == [], 10, told=lambda: str(leftovers(dashboard)))
    job = dashboard.post("/agent-script/rehearse", body(MATCHING))
    dashboard.post("/agent-script/cancel")
    dashboard.done(job, LONG)


def test_a_dashboard_killed_meanwhile_cleans_up_at_its_next_start(dashboard):
    dashboard.post("/agent-script/rehearse", body(MATCHING, service=False))
    wait_for(lambda: dashboard.get()["agent_script"]["phase"] == "running", LONG)
    dashboard.kill()
    dashboard.start()
    state = wait_for(
        lambda: (found := dashboard.get()["agent_script"])["phase"] in ("failed", "stopped") and found, 30
    )
    assert state["phase"] == "stopped" or "restarted" in state["error"]["message"]
    wait_for(lambda: leftovers(dashboard) == [], 10, told=lambda: str(leftovers(dashboard)))


def test_a_windows_script_is_refused_before_anything_is_made(dashboard):
    answer = dashboard._session.post(
        f"{dashboard.url}/api/workspaces/demo/agent-script/rehearse",
        json=body("win-x64", version="5.278.0"),
        timeout=10,
    )
    assert answer.status_code == 400
    assert "Windows" in answer.json()["error"]["message"]


def test_it_ends_by_itself_within_a_minute():
    assert SECONDS <= 60
