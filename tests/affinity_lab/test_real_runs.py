"""Runs on real replicas behind a real Envoy: measured, refused meanwhile, cancelled, cut off, put back."""

import csv
import io

import pydantic
import pytest

from services.affinity_lab.runs.export import FIELDS
from services.affinity_lab.runs.plan import Cell, Plan
from services.affinity_lab.runs.theory import expected
from services.events.patch import merge
from services.web.runs import Run, RunList
from tests.dashboard import Dashboard
from tests.waiting import wait_for

STRICT = {"mode": "cookie", "algorithm": "random", "cookie": {"strict": True, "ttl_seconds": 600}}
CROWD = {"count": 4, "transport": "LongPolling", "protocol": "messagepack"}
N = 6


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """One dashboard for all tests of this file: strict cookies, random, four visitors who poll."""
    dashboard = Dashboard("local", tmp_path_factory.mktemp("runs") / "state").start()
    dashboard.launch_lab()
    dashboard.put("/affinity", STRICT)
    dashboard.done(dashboard.put("/visitors", CROWD))
    dashboard.before = settings(dashboard)
    yield dashboard
    dashboard.stop()


@pytest.fixture(scope="module")
def measured(lab):
    """A whole run of one transport; clicks meanwhile were refused."""
    asked = {"n": N, "transports": ["WebSockets"], "algorithm": "round_robin"}
    accepted = lab.post("/runs", asked)
    wait_for(lambda: state(lab)["phase"] == "measuring", 30, told=lab.told)
    lab.refusals = [refusal(lab, *call) for call in CLICKS]
    lab.done(accepted, 170)
    return lab.get(f"/runs/{accepted['run']}")


CLICKS = [
    ("PUT", "/affinity", {"mode": "none"}),
    ("POST", "/connections/drop", {}),
    ("PUT", "/visitors", {"count": 9}),
    ("PUT", "/replicas", {"count": 2}),
    ("POST", "/replicas/replica-1/kill", {}),
    ("POST", "/affinity-lab/stop", {}),
    ("POST", "/runs", {}),
]


def state(lab):
    return lab.get()["run"]


def settings(lab):
    """What a run has to leave as it was."""
    now = lab.get()
    replicas = {each["name"]: each["phase"] for each in now["replicas"]}
    return now["balancer"]["affinity"], {name: now["visitors"][name] for name in CROWD}, replicas


def refusal(lab, method, path, body):
    url = f"{lab.url}/api/workspaces/demo{path}"
    answer = lab._session.request(method, url, json=body, timeout=30)
    return answer.status_code, answer.json()["error"]["message"]


def cell(run, affinity, situation):
    return next(
        each for each in run["cells"] if (each["affinity"], each["situation"]) == (affinity, situation)
    )


@pytest.mark.local
def test_clicks_are_refused_while_a_run_measures(lab, measured):
    assert lab.refusals == [(409, f"Run {measured['id']} is measuring this lab.")] * len(CLICKS)


@pytest.mark.local
def test_with_affinity_everybody_comes_back_and_a_drop_costs_no_memory(measured):
    assert (measured["phase"], measured["error"], len(measured["cells"])) == ("finished", None, 12)
    for affinity in ("cookie", "source_ip"):
        found = {name: cell(measured, affinity, name)["outcome"] for name in measured["plan"]["situations"]}
        for name in ("first_connect", "drop", "page_reload"):
            assert (found[name]["n"], found[name]["back"]) == (N, N), (affinity, name)
            assert sum(found[name]["load"].values()) == N
        assert (found["drop"]["kept"], found["page_reload"]["lost"]) == (N, N)
        assert found["drop"]["seconds"]["slowest"] < 30
        assert (found["replica_death"]["kept"], found["replica_death"]["lost"]) == (
            0,
            found["replica_death"]["back"],
        )
        assert 0 in found["replica_death"]["load"].values()


@pytest.mark.local
def test_without_affinity_all_are_counted_and_requests_are_dealt_out_in_turn(measured):
    for found in (cell(measured, "none", name) for name in measured["plan"]["situations"]):
        outcome = found["outcome"]
        assert outcome["n"] == sum(outcome[how] for how in ("back", "failed", "away"))
        assert (
            found["theory"] == expected(Plan(n=N), Cell("none", "WebSockets", found["situation"])).as_dict()
        )
    requests = cell(measured, "none", "first_connect")["outcome"]["requests"].values()
    assert sum(requests) == 3 * N and max(requests) - min(requests) <= 1
    assert cell(measured, "none", "replica_death")["outcome"]["n"] == N // 3


@pytest.mark.local
def test_afterwards_the_lab_is_as_it_was(lab, measured):
    assert settings(lab) == lab.before
    wait_for(lambda: lab.get()["visitors"]["connected"] == CROWD["count"], 30, told=lab.told)


@pytest.mark.local
def test_a_run_is_exported_as_json_and_as_a_table(lab, measured):
    listed = lab.get("/runs")
    pydantic.TypeAdapter(RunList).validate_python(listed, strict=True)
    pydantic.TypeAdapter(Run).validate_python(measured, strict=True)
    assert {name: measured[name] for name in listed["runs"][-1]} == listed["runs"][-1]
    answer = lab._session.get(f"{lab.url}/api/workspaces/demo/runs/{measured['id']}/csv", timeout=30)
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert tuple(rows[0]) == FIELDS and len(rows) == len(measured["cells"])
    for row, found in zip(rows, measured["cells"], strict=True):
        told = (row["situation"], row["affinity"], int(row["n"]), int(row["back"]))
        outcome = found["outcome"]
        assert told == (found["situation"], found["affinity"], outcome["n"], outcome["back"])


@pytest.mark.local
def test_a_replay_ends_where_the_cell_ended(lab, measured):
    place = measured["cells"].index(cell(measured, "cookie", "drop"))
    replay = lab.get(f"/runs/{measured['id']}/replay", cell=place)
    folded = replay["state"]
    assert not folded["people"]
    for event in lab.events(replay["first_seq"] - 1):
        if event["seq"] <= replay["last_seq"]:
            merge(folded, event.get("patch", {}))
    assert [person["memory"] for person in folded["people"].values()] == ["kept"] * N
    assert refusal(lab, "GET", f"/runs/{measured['id']}/replay?cell=99", None)[0] == 404


@pytest.mark.local
def test_a_run_that_is_cancelled_keeps_what_it_has_measured(lab):
    accepted = lab.post("/runs", {"n": 2, "affinities": ["cookie", "source_ip"]})
    path = f"/runs/{accepted['run']}"
    wait_for(lambda: lab.get(path)["measured"] >= 1, 60, told=lab.told)
    lab.post(f"{path}/cancel")
    lab.done(accepted)
    found = lab.get(path)
    assert (found["phase"], found["measured"]) == ("cancelled", len(found["cells"]))
    assert 1 <= found["measured"] < 40 and found["cells"][0]["outcome"]["back"] == 2
    assert settings(lab) == lab.before
    assert refusal(lab, "POST", f"{path}/cancel", {})[0] == 409
    assert refusal(lab, "POST", "/runs/77/cancel", {})[0] == 404


@pytest.mark.local
def test_nobody_of_a_run_lingers_at_a_replica_when_the_lab_is_put_back(lab):
    """Without affinity a poll's goodbye reaches the wrong replica two times in three."""
    asked = {"n": 12, "affinities": ["none", "source_ip"], "transports": ["LongPolling"]}
    lab.done(lab.post("/runs", asked), 170)

    def held():
        counts = [(replica["connections"], replica["circuits"]) for replica in lab.get()["replicas"]]
        return [sum(each) for each in zip(*counts, strict=True)]

    wait_for(lambda: lab.get()["visitors"]["connected"] == CROWD["count"], 60, told=lab.told)
    wait_for(lambda: held() == [CROWD["count"]] * 2, 10, told=lab.told)


@pytest.mark.local
def test_what_the_app_does_not_do_is_refused_and_says_what_would(lab):
    for body, words in (
        ({"situations": ["away"]}, "away is not measured with circuit."),
        ({"keys": ["own", "store"]}, "circuit has no shared store."),
    ):
        status, message = refusal(lab, "POST", "/runs", body)
        assert (status, message) == (400, words)
    assert refusal(lab, "POST", "/runs", {"keys": ["none"]})[0] == 400
    assert lab.get("/runs")["offer"]["keys"] == ["own", "shared"]


@pytest.mark.local
def test_with_shared_keys_a_drain_loses_nobody_by_any_transport_and_the_keys_are_put_back(lab):
    """Long polling asks anew for each message: the draining replica is reached until all have gone."""
    asked = {
        "n": N,
        "affinities": ["cookie"],
        "situations": ["drain", "replica_stop"],
        "keys": ["shared", "own"],
    }
    accepted = lab.post("/runs", asked)
    lab.done(accepted, 170)
    run = lab.get(f"/runs/{accepted['run']}")
    assert (run["phase"], len(run["cells"])) == ("finished", 20)
    for each in run["cells"]:
        outcome, moved = each["outcome"], (each["situation"], each["keys"]) == ("drain", "shared")
        assert outcome["back"] == outcome["n"] > 0, each
        assert (outcome["kept"], each["differs"]) == (outcome["n"] if moved else 0, []), each
    assert lab.get()["page_keys"] == {"shared": False}
    assert settings(lab) == lab.before


@pytest.mark.local
def test_a_run_is_cut_off_with_its_dashboard_and_the_next_one_puts_the_lab_back(lab):
    """Killed while a replica is dead and affinity off: the worst moment."""
    mark = lab.get()["seq"]
    only = {"affinities": ["none"], "transports": ["WebSockets", "LongPolling"]}
    run = lab.post("/runs", only | {"n": 3, "attempts": 4, "situations": ["first_connect", "replica_death"]})[
        "run"
    ]
    wait_for(lambda: lab.events(mark, kind="replica.killed"), 60, told=lab.told)
    lab.kill()
    lab.start()
    wait_for(lambda: lab.events(mark, kind="run.lab_restored"), 60, told=lab.told)
    found = lab.get(f"/runs/{run}")
    assert (found["phase"], found["measured"]) == ("cut_off", 2)
    assert lab.events(mark, kind="run.cut_off")[0]["data"]["run"] == run
    assert (settings(lab), state(lab)) == (lab.before, {"phase": "idle", "last": run})
    wait_for(lambda: lab.get()["visitors"]["connected"] == CROWD["count"], 60, told=lab.told)


@pytest.mark.local
def test_a_run_does_not_hold_up_the_removal_of_everything_and_is_forgotten_with_it(lab):
    lab.post("/runs", {"n": 3, "affinities": ["none"], "transports": ["LongPolling"], "attempts": 4})
    wait_for(lambda: state(lab)["phase"] == "measuring", 30, told=lab.told)
    lab._session.delete(f"{lab.url}/api/workspaces/demo", json={}, timeout=30)
    wait_for(lambda: lab.events(kind="workspace.reset"), 60, told=lab.told)
    assert (lab.get("/runs")["runs"], state(lab), lab.get()["replicas"]) == ([], {"phase": "idle"}, [])


@pytest.mark.docker
def test_a_drop_is_measured_in_containers_too(tmp_path):
    """There all visitors share the address of their container: source IP has them all on one replica."""
    lab = Dashboard("docker", tmp_path / "state").start()
    try:
        lab.launch_lab()
        asked = {
            "n": 4,
            "affinities": ["cookie", "source_ip"],
            "transports": ["auto"],
            "situations": ["drop"],
        }
        accepted = lab.post("/runs", asked)
        lab.done(accepted)
        found = lab.get(f"/runs/{accepted['run']}")
        assert [(each["outcome"]["n"], each["outcome"]["kept"]) for each in found["cells"]] == [
            (4, 4),
            (4, 4),
        ]
        assert sorted(cell(found, "source_ip", "drop")["outcome"]["load"].values()) == [0, 0, 4]
        assert found["plan"]["engine"] == "docker"
    finally:
        lab.stop()
