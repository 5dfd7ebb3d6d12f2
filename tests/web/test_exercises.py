"""Exercises over HTTP: steps are begun, checked, started over; progress outlives the dashboard."""

import pytest

from tests.waiting import wait_for
from tests.web.conftest import TOKEN

DEMO = "/api/workspaces/demo"
EXERCISE = f"{DEMO}/exercises/hello-go-in-stages"


def ask(dashboard, method, path, body=None, status=200):
    answer = dashboard.call(method, path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def check(dashboard, step, *answers):
    return ask(dashboard, "POST", f"{EXERCISE}/steps/{step}/check", {"answers": list(answers)})


def build(dashboard):
    dashboard.done(ask(dashboard, "POST", f"{DEMO}/hello-go/build", status=202)["job"])


def test_only_what_happens_after_a_step_was_begun_counts(dashboard):
    build(dashboard)
    refusal = dashboard.call("POST", f"{EXERCISE}/steps/again/check", json={})
    assert refusal.status_code == 409 and "not begun" in refusal.json()["error"]["message"]
    ask(dashboard, "POST", f"{EXERCISE}/steps/again/open")
    result = check(dashboard, "again")
    assert not result["passed"] and result["checks"][0]["seen"].startswith("0 builds since this step began")
    build(dashboard)
    ask(dashboard, "POST", f"{EXERCISE}/steps/again/open")  # looked at once more: that is no new beginning
    assert check(dashboard, "again")["passed"]
    told = wait_for(lambda: dashboard.demo.events(kind="exercise.step_passed"))
    assert told[0]["data"] == {"exercise": "hello-go-in-stages", "step": "again"}
    assert check(dashboard, "again")["passed"]
    assert len(dashboard.demo.events(kind="exercise.step_passed")) == 1
    ask(dashboard, "POST", f"{EXERCISE}/steps/again/reset")
    assert not check(dashboard, "again")["passed"]


def test_a_check_changes_nothing_and_may_be_asked_at_will(dashboard):
    ask(dashboard, "POST", f"{EXERCISE}/steps/build/open")
    before = ask(dashboard, "GET", DEMO)
    for _ in range(3):
        assert not check(dashboard, "build", "7")["passed"]
    assert ask(dashboard, "GET", DEMO) == before
    assert not {call[0] for call in dashboard.engine.calls} & {"start", "stop", "kill", "build", "destroy"}


def test_the_right_answer_is_told_on_request_only(dashboard):
    ask(dashboard, "POST", f"{EXERCISE}/steps/read/open")
    assert "answer" not in check(dashboard, "read", "x")["checks"][0]
    told = ask(dashboard, "POST", f"{EXERCISE}/steps/read/check", {"reveal": True})
    assert [one["answer"] for one in told["checks"]] == ["build", "final"]
    assert check(dashboard, "read", "build", "final")["passed"]


def test_progress_and_time_outlive_a_restart_and_can_be_forgotten(dashboard):
    assert ask(dashboard, "POST", f"{EXERCISE}/extend", {}, status=409)["error"]["kind"] == "wrong_phase"
    ask(dashboard, "POST", f"{EXERCISE}/steps/read/open")
    check(dashboard, "read", "build", "final")
    assert ask(dashboard, "POST", f"{EXERCISE}/extend", {"minutes": 10})["minutes"] == 30
    before = ask(dashboard, "GET", EXERCISE)
    assert before["open"] == "read" and before["begun_at"]
    dashboard.restart()
    assert ask(dashboard, "GET", EXERCISE) == before
    overview = ask(dashboard, "GET", f"{DEMO}/exercises")["exercises"]
    assert [step["passed"] for step in overview[0]["steps"]] == [True] + [False] * 5
    ask(dashboard, "DELETE", EXERCISE)
    fresh = ask(dashboard, "GET", EXERCISE)
    assert fresh["begun_at"] is None and not any(step["passed"] for step in fresh["steps"])


def test_one_check_may_be_asked_by_its_name(dashboard):
    path = f"{DEMO}/checks/lab_runs"
    assert not ask(dashboard, "POST", path, {"arguments": {"replicas": 3}})["passed"]
    dashboard.done(ask(dashboard, "POST", f"{DEMO}/affinity-lab/launch", {}, status=202)["job"])
    assert ask(dashboard, "POST", path, {"arguments": {"replicas": 3}})["passed"]
    wrong = ask(dashboard, "POST", path, {"arguments": {"replica": 3}}, status=400)["error"]
    assert "takes replicas" in wrong["message"]
    missing = ask(dashboard, "POST", f"{DEMO}/checks/nothing", {}, status=404)["error"]
    assert "lab_runs" in missing["hint"]


@pytest.mark.parametrize(
    "path",
    [
        "/exercises",
        "/exercises/error-on-reload",
        "/exercises/error-on-reload/print",
        "/follow",
        "/exercises/error-on-reload/teacher",
        "/present/error-on-reload",
    ],
)
def test_every_page_of_the_exercises_is_there(dashboard, path):
    page = dashboard.browser().get(dashboard.url + path, timeout=10)
    assert page.status_code == 200 and "<main" in page.text and "&lt;p&gt;" not in page.text


def test_an_exercise_that_does_not_exist_is_404_as_a_page_and_as_a_call(dashboard):
    browser = dashboard.browser()
    for path in ("/exercises/nothing", "/present/nothing", "/exercises/nothing/print"):
        page = browser.get(dashboard.url + path, timeout=10)
        assert page.status_code == 404 and "no exercise" in page.text
    assert ask(dashboard, "GET", f"{DEMO}/exercises/nothing", status=404)["error"]["kind"] == "not_found"
    step = f"{EXERCISE}/steps/nothing/open"
    assert "read" in ask(dashboard, "POST", step, status=404)["error"]["hint"]


def test_what_is_presented_is_an_event_and_outlives_a_restart(dashboard):
    assert ask(dashboard, "GET", f"{DEMO}/presentation") == {"presented": None, "followers": 0}
    where = {"exercise": "error-on-reload", "step": "affinity"}
    ask(dashboard, "PUT", f"{DEMO}/presentation", where)
    told = wait_for(lambda: dashboard.demo.events(kind="presentation.moved"))
    assert told[-1]["data"] == where
    dashboard.restart()
    assert ask(dashboard, "GET", f"{DEMO}/presentation")["presented"] == where
    nowhere = {"exercise": "error-on-reload", "step": "nothing"}
    ask(dashboard, "PUT", f"{DEMO}/presentation", nowhere, status=404)
    ask(dashboard, "PUT", f"{DEMO}/presentation", {})
    assert ask(dashboard, "GET", f"{DEMO}/presentation")["presented"] is None
    assert TOKEN not in str(dashboard.demo.events())
