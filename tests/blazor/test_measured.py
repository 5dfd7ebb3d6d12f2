"""The crowd and the runs of a lab whose replicas run Blazor."""

import shutil

import pytest
import requests

from tests.dashboard import TOKEN
from tests.waiting import wait_for

ENGINE = "local"
pytestmark = [pytest.mark.local, pytest.mark.blazor, pytest.mark.timeout(240)]


def asked(lab, **run):
    """Status and answer of a run that may be refused."""
    url = f"{lab.dashboard.url}/api/workspaces/demo/runs"
    answer = requests.post(url, json=run, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)
    return answer.status_code, answer.json()


def test_a_run_measures_blazor_and_offers_only_what_it_speaks(lab):
    lab.be("cookie")
    offered = [each["name"] for each in lab.dashboard.get("/runs")["offer"]["transports"]]
    assert offered == ["auto", "WebSockets", "skip", "LongPolling"]
    assert asked(lab, transports=["ServerSentEvents"])[0] == 400
    situations = ["drop", "replica_death"]
    answer = lab.dashboard.post(
        "/runs",
        {"n": 6, "affinities": ["cookie"], "transports": ["auto", "LongPolling"], "situations": situations},
    )
    lab.dashboard.done(answer, 150)
    run = lab.dashboard.get(f"/runs/{answer['run']}")
    assert (run["plan"]["app"], len(run["cells"])) == ("blazor", 4)
    for cell in run["cells"]:
        outcome, dropped = cell["outcome"], cell["situation"] == "drop"
        assert outcome["back"] == outcome["n"] > 0, cell
        assert outcome["kept"] == (outcome["n"] if dropped else 0), cell


def test_a_run_does_not_compare_what_the_page_decides(lab):
    lab.be("cookie", transports="longPolling")
    status, answer = asked(lab, n=2)
    assert (status, answer["error"]["kind"]) == (409, "wrong_phase")


@pytest.mark.parametrize("transport", ["auto", "LongPolling"])
def test_the_crowd_is_drained_with_its_memory_and_both_sides_count_the_same(lab, transport):
    lab.be("cookie", "shared")
    lab.dashboard.done(lab.dashboard.put("/visitors", {"count": 9, "transport": transport}))
    wait_for(lambda: lab.dashboard.get()["visitors"]["connected"] == 9, 60, told=lab.dashboard.told)
    mark = lab.mark()
    lab.dashboard.done(lab.dashboard.post("/replicas/replica-2/drain"))
    drained = lab.told("replica.drained", mark)[0]["data"]
    assert drained["moved"] == drained["held"] == drained["asked"] > 0, lab.dashboard.told()
    moved = lab.told("circuit.moved", mark, drained["moved"])
    wait_for(lambda: lab.dashboard.get()["visitors"]["connected"] == 9, 60, told=lab.dashboard.told)
    state = lab.dashboard.get()
    for line in moved:
        person = state["people"][line["data"]["visitor"]]
        assert (person["status"], person["memory"], person["replica"]) == (
            "connected",
            "kept",
            line["source"],
        )
    held = {each["name"]: each["circuits"] for each in state["replicas"]}
    assert sum(held.values()) == 9 and held["replica-2"] == 0


KEYS = ("own", "shared", "store")
TABLES = {
    ("cookie", "first_connect"): "---",
    ("cookie", "drop"): "kkk",
    ("cookie", "replica_death"): "---",
    ("cookie", "replica_stop"): "---",
    ("cookie", "drain"): "-kk",
    ("cookie", "away"): "kkk",
    ("none", "first_connect"): "?--",
    ("none", "drop"): "???",
    ("none", "replica_death"): "?--",
    ("none", "replica_stop"): "?--",
    ("none", "drain"): "?kk",
    ("none", "away"): "??k",
}
"""Without negotiate, for each kind of keys: all back with memory (k) or without (-), or chance rules (?)."""


@pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server (Debian: redis-server)")
@pytest.mark.timeout(400)
def test_one_click_measures_both_tables_and_puts_the_settings_back(lab):
    lab.be("cookie", "shared", retention_seconds=77)
    tables = lab.dashboard.get("/runs")["offer"]["tables"]
    asked = {name: tables[name] for name in ("affinities", "keys", "situations")}
    answer = lab.dashboard.post("/runs", asked | {"n": 6, "transports": ["skip"]})
    lab.dashboard.done(answer, 330)
    run = lab.dashboard.get(f"/runs/{answer['run']}")
    assert run["phase"] == "finished" and len(run["cells"]) == len(TABLES) * len(KEYS)
    for cell in run["cells"]:
        outcome = cell["outcome"]
        assert outcome["n"] > 0 and cell["differs"] == [], cell
        wanted = TABLES[cell["affinity"], cell["situation"]][KEYS.index(cell["keys"])]
        if wanted != "?":
            kept = outcome["n"] if wanted == "k" else 0
            assert (outcome["back"], outcome["kept"]) == (outcome["n"], kept), cell
    wait_for(lambda: lab.dashboard.get()["run"]["phase"] == "idle", 60, told=lab.dashboard.told)
    state = lab.dashboard.get()
    assert state["page_keys"]["shared"] is True
    assert (state["app_settings"]["retention_seconds"], state["app_settings"]["shared_store"]) == (77, False)
    assert state["balancer"]["affinity"]["mode"] == "cookie"
