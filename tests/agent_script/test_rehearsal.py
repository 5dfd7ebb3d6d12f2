"""Rehearsals for real, on each engine: bash's own error, the agent that runs, and nothing left afterwards."""

import json
import platform
import subprocess
from pathlib import Path

import pytest
import requests

from services.agent_script.lab import SECONDS
from tests.dashboard import TOKEN, Dashboard
from tests.waiting import wait_for

pytestmark = pytest.mark.timeout(400)
HOSTS = platform.machine()
MATCHING, FOREIGN = ("linux-arm64", "linux-x64") if HOSTS == "aarch64" else ("linux-x64", "linux-arm")
"""On an ARM host the same works the other way round."""
ERROR = "./config.sh: line 85: ./bin/Agent.Listener: cannot execute binary file: Exec format error"
LONG = 300


@pytest.fixture(
    scope="module",
    params=[pytest.param("docker", marks=pytest.mark.docker), pytest.param("local", marks=pytest.mark.local)],
)
def dashboard(request, tmp_path_factory):
    dashboard = Dashboard(request.param, tmp_path_factory.mktemp("state") / "state").start()
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
    """Processes of any rehearsal, and containers of this dashboard."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            program = str((entry / "exe").readlink()) if entry.name.isdigit() else ""
        except OSError:
            continue
        if program.endswith("/bin/Agent.Listener"):
            found.append(program)
    if dashboard.engine == "docker":
        listed = ["docker", "ps", "-aq", "--filter", "label=labdeck.service=rehearsal"]
        found += subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split()
    return found


def test_a_package_for_another_processor_gives_bashs_own_error(dashboard):
    state, events = rehearse(dashboard, FOREIGN)
    assert ERROR in output(events)
    assert state["result"]["outcome"] == "exec_format"
    assert state["result"]["exit_code"] == 126
    assert state["result"]["line"] == ERROR
    assert state["binary"]["rid"] == FOREIGN
    assert state["binary"]["judged"][0]["outcome"] == "exec_format"
    assert state["phase"] == "stopped"
    assert leftovers(dashboard) == []


def test_the_matching_package_registers_and_is_seen_running(dashboard):
    state, events = rehearse(dashboard, MATCHING)
    assert "Listening for Jobs" in output(events)
    assert [line for line in events if line["kind"] == "agent_script.agent_running"]
    assert state["result"]["outcome"] == "running"
    assert ERROR not in output(events)
    assert leftovers(dashboard) == []


def test_the_script_that_runs_is_the_one_that_was_shown_but_for_the_address(dashboard):
    asked = body(MATCHING, version="5.278.0")
    shown = requests.post(
        f"{dashboard.url}/api/agent-script",
        json=asked,
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=10,
    ).json()
    _, events = rehearse(dashboard, MATCHING, version="5.278.0")
    commands = [line["text"] for line in events if line["data"].get("stream") == "command"]
    address = f"http://packages.lab/agent/5.278.0/{shown['package']}"
    assert f"curl -fSL -o vstsagent.tar.gz {address}" in commands
    assert any(
        text.startswith("./config.sh --deploymentpool --deploymentpoolname Sandbox") for text in commands
    )


def test_the_detecting_script_finds_this_machine_and_verifies_what_it_got(dashboard):
    state, events = rehearse(
        dashboard, FOREIGN, version="5.278.0", detect=True, checksums={MATCHING: "0" * 64}, service=False
    )
    assert state["result"]["outcome"] == "running"
    assert any(text.endswith(".tar.gz.part: OK") for text in output(events))
    assert leftovers(dashboard) == []


def test_the_sandbox_has_no_network_and_tells_what_it_is(dashboard):
    state, _ = rehearse(dashboard, FOREIGN)
    assert state["confined"]["network"] == "none but its own loopback"
    if dashboard.engine == "docker":
        assert state["confined"]["user"] == "user 65532"


def test_a_nasty_name_reaches_the_agent_and_makes_no_event(dashboard):
    name = json.dumps({"kind": "agent_script.agent_running", "text": "x", "level": "info"}) + "'$(id)`"
    state, events = rehearse(
        dashboard, MATCHING, target={"kind": "agent_pool", "name": name}, version="5.278.0"
    )
    assert (
        f">> Register Agent: {'rehearsal' if dashboard.engine == 'docker' else platform.node()} in {name}"
        in output(events)
    )
    assert len([line for line in events if line["kind"] == "agent_script.agent_running"]) == 1
    assert state["result"]["outcome"] == "running"


def test_lines_arrive_while_it_runs_and_a_cancelled_rehearsal_leaves_nothing(dashboard):
    after = dashboard.get()["seq"]
    job = dashboard.post("/agent-script/rehearse", body(MATCHING))
    wait_for(
        lambda: [
            line for line in dashboard.events(after=after) if line["kind"] == "agent_script.build_started"
        ],
        60,
    )
    refused = dashboard._session.post(
        f"{dashboard.url}/api/workspaces/demo/agent-script/rehearse", json=body(MATCHING), timeout=10
    )
    assert refused.status_code == 409
    assert dashboard.post("/agent-script/cancel") == {"cancelled": True}
    dashboard.done(job, LONG)
    state = dashboard.get()["agent_script"]
    assert state["phase"] == "stopped"
    assert state["result"]["outcome"] in ("cancelled", "running")
    assert dashboard.post("/agent-script/cancel") == {"cancelled": False}
    assert leftovers(dashboard) == []


def test_a_dashboard_killed_meanwhile_cleans_up_at_its_next_start(dashboard):
    dashboard.post("/agent-script/rehearse", body(MATCHING))
    wait_for(lambda: dashboard.get()["agent_script"]["phase"] in ("starting", "running"), 60)
    dashboard.kill()
    dashboard.start()
    state = wait_for(
        lambda: (found := dashboard.get()["agent_script"])["phase"] in ("failed", "stopped") and found, 30
    )
    assert state["phase"] == "stopped" or "restarted" in state["error"]["message"]
    wait_for(lambda: leftovers(dashboard) == [], 10)


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
