"""The calls as scripts make them: the contract's own example, refusals, and no place for a token."""

import pytest

from tests.web.conftest import Dashboard

ASKED = {
    "version": "2.173.0",
    "rid": "linux-arm",
    "url": "https://dev.azure.com/torben/",
    "work": "_work",
    "service": True,
    "target": {"kind": "deployment_pool", "name": "SandboxDeploy"},
}


@pytest.fixture
def dashboard(tmp_path):
    dashboard = Dashboard(tmp_path)
    yield dashboard
    dashboard.engine.destroy("demo")
    dashboard.close()


def ask(dashboard, path="", **changed):
    return dashboard.call("POST", f"/api/agent-script{path}", json=ASKED | changed if not path else changed)


def test_the_example_of_the_contract_answers_as_it_says(dashboard):
    answer = ask(dashboard).json()
    assert answer["script"].startswith("mkdir azagent;cd azagent;curl -fkSL")
    assert answer["package"] == "vsts-agent-linux-arm-2.173.0.tar.gz"
    assert answer["download"].endswith(f"/2.173.0/{answer['package']}")
    assert "".join(answer["commands"]) == answer["script"]
    assert {"kind", "message"} == set(answer["warnings"][0])
    assert [row["line"] for row in answer["diff"] if row["changed"]] == [3]


@pytest.mark.parametrize("kind", ["deployment_pool", "deployment_group", "environment", "agent_pool"])
def test_every_kind_of_target_is_taken(dashboard, kind):
    target = {"kind": kind, "name": "N", "project": "P"}
    assert ask(dashboard, target=target).status_code == 200


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"rid": "linux-musl-arm64"}, "no_such_package"),
        ({"version": "9.9.9"}, "no_such_package"),
        ({"url": "ftp://x"}, "bad_request"),
        ({"url": "https://me:secret@dev.azure.com/x"}, "bad_request"),
        ({"target": {"kind": "environment", "name": "N"}}, "bad_request"),
        ({"target": {"kind": "agent_pool", "name": "N", "tags": ["a"]}}, "bad_request"),
        ({"token": "secret"}, "bad_request"),
        ({"checksums": {"linux-arm": "short"}}, "bad_request"),
    ],
)
def test_what_cannot_be_is_refused_with_its_kind(dashboard, changed, kind):
    answer = ask(dashboard, **changed)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (400, kind)
    assert "secret" not in answer.text


def test_programs_and_errors_are_read_over_http(dashboard):
    assert ask(dashboard, "/decode", text="Exec format error").json()["findings"][0]["kind"] == "exec_format"
    refused = ask(dashboard, "/inspect", data="aGVsbG8=")
    assert (refused.status_code, refused.json()["error"]["kind"]) == (400, "not_a_program")


def test_a_rehearsal_that_is_dropped_before_its_turn_makes_room_for_the_next(dashboard):
    lane = dashboard.demo._lanes["agent_script"]
    with lane.held():
        path = "/api/workspaces/demo/agent-script/rehearse"
        assert dashboard.call("POST", path, json=ASKED).status_code == 202
        assert dashboard.call("POST", path, json=ASKED).status_code == 409
        lane.drop()
        assert dashboard.call("POST", path, json=ASKED).status_code == 202
        lane.drop()


def test_without_the_token_of_the_dashboard_nothing_is_answered(dashboard):
    for path in (
        "/api/agent-script",
        "/api/agent-script/inspect",
        "/api/workspaces/demo/agent-script/rehearse",
    ):
        assert dashboard.call("POST", path, token=None, json=ASKED).status_code == 401
