"""The calls of the Hello-Go lab: choices kept or refused, builds cancelled, loads only on what runs."""

import pytest

from services.engines.base import Image
from tests.waiting import wait_for

LAB = "/api/workspaces/demo/hello-go"


def refused(answer, status, kind):
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["kind"] == kind and error["message"] and error["hint"]
    return error


def test_a_choice_is_rendered_at_once_and_remembered_by_the_next_dashboard(dashboard):
    answer = dashboard.call("PUT", f"{LAB}/choice", json={"greeting": "Hi there", "port": 9000})
    program = next(file for file in answer.json()["files"] if file["name"] == "hello-go.go")
    text = "\n".join("".join(piece for _, piece in line["pieces"]) for line in program["lines"])
    assert '"Hi there"' in text and '":9000"' in text
    assert dashboard.demo.events(kind="hello_go.chosen")[-1]["data"]["by"] == "api"
    dashboard.restart()
    state = dashboard.call("GET", "/api/workspaces/demo").json()["hello_go"]
    assert (state["choice"]["greeting"], state["choice"]["port"]) == ("Hi there", 9000)
    assert state["sources"] == dashboard.call("GET", f"{LAB}/sources").json()["digest"]


def test_a_build_may_bring_its_choice_and_builds_just_the_files_that_are_shown(dashboard):
    job = dashboard.call("POST", f"{LAB}/build", json={"greeting": "Moin", "base": "scratch"}).json()["job"]
    assert dashboard.done(job)["kind"] == "job.finished"
    folder = dashboard.settings.state_dir / "hello_go/hello-go-scratch"
    shown = dashboard.call("GET", f"{LAB}/sources").json()
    for file in shown["files"]:
        lines = ["".join(piece for _, piece in line["pieces"]) for line in file["lines"]]
        assert (folder / file["name"]).read_text().splitlines() == lines
    image = dashboard.call("GET", "/api/workspaces/demo").json()["hello_go"]["image"]
    assert image["sources"] == shown["digest"] and str(folder) in shown["commands"]["build"]


def test_a_launch_of_another_choice_replaces_what_runs_and_of_the_same_leaves_it(dashboard):
    dashboard.engine.scripts["hello-go-scratch"] = dashboard.engine.scripts["hello-go"]
    started = []
    for body in ({}, {}, {"base": "scratch"}, {}, {"base": "alpine"}, {"greeting": "Moin"}):
        dashboard.done(dashboard.call("POST", f"{LAB}/launch", json=body).json()["job"])
        started.append(dashboard.engine.program("demo", "hello-go").instance.id)
    assert started[0] == started[1] and started[2] == started[3]
    assert len({started[0], started[2], started[4], started[5]}) == 4


def test_a_launch_that_does_not_build_leaves_alone_what_runs(dashboard):
    dashboard.done(dashboard.call("POST", f"{LAB}/launch").json()["job"])
    before = dashboard.engine.program("demo", "hello-go").instance
    dashboard.engine.build_lines["hello-go"] = ["Step 1/1 : RUN go build", "FAIL"]
    job = dashboard.call("POST", f"{LAB}/launch", json={"mistake": "misspelt"}).json()["job"]
    assert dashboard.done(job)["kind"] == "job.failed"
    state = dashboard.call("GET", "/api/workspaces/demo").json()["hello_go"]
    assert (state["phase"], state["build"]["phase"]) == ("running", "failed")
    assert dashboard.engine.program("demo", "hello-go").instance == before


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"greeting": ""}, "greeting"),
        ({"greeting": "x" * 81}, "greeting"),
        ({"greeting": "two\nlines"}, "greeting"),
        ({"greeting": 7}, "greeting"),
        ({"port": 80}, "1024"),
        ({"port": 65536}, "65535"),
        ({"port": "8080"}, "port"),
        ({"base": "windows"}, "base"),
        ({"base": "alpine; rm -rf /"}, "base"),
        ({"flags": "-X main.x=y"}, "flags"),
        ({"stages": "three"}, "stages"),
        ({"source": "package main"}, "source"),
    ],
)
@pytest.mark.parametrize("call", [("PUT", "/choice"), ("POST", "/build"), ("POST", "/launch")])
def test_a_wrong_choice_is_refused_and_changes_nothing(dashboard, call, body, words):
    before = dashboard.demo.tail(1)[-1]["seq"]
    method, path = call
    assert words in refused(dashboard.call(method, LAB + path, json=body), 400, "bad_request")["message"]
    assert dashboard.demo.tail(1)[-1]["seq"] == before


def test_a_base_that_is_not_here_is_refused_with_the_reason_and_offered_once_it_is(dashboard):
    bases = dashboard.call("GET", f"{LAB}/images").json()["bases"]
    distroless = next(one for one in bases if one["base"] == "distroless")
    assert not distroless["available"] and "not on this machine" in distroless["reason"]
    assert distroless["next"].startswith("docker pull gcr.io/distroless")
    answer = dashboard.call("POST", f"{LAB}/build", json={"base": "distroless"})
    assert "docker pull" in refused(answer, 409, "not_on_this_engine")["hint"]
    dashboard.engine.bases[distroless["image"]] = Image("x", distroless["image"], 2_000_000)
    assert dashboard.call("PUT", f"{LAB}/choice", json={"base": "distroless"}).status_code == 200


def test_a_cancelled_build_ends_the_job_and_what_waits_behind_it_goes_on(dashboard):
    dashboard.engine.build_lines["hello-go"] = ["Step 1/1 : RUN go build", "WAIT"]
    assert dashboard.call("POST", f"{LAB}/cancel").json() == {"cancelled": False}
    build = dashboard.call("POST", f"{LAB}/build").json()["job"]
    wait_for(lambda: dashboard.demo.events(kind="hello_go.build_step"))
    stop = dashboard.call("POST", f"{LAB}/stop").json()["job"]
    assert dashboard.call("POST", f"{LAB}/cancel").json() == {"cancelled": True}
    dashboard.done(build)
    assert dashboard.done(stop)["kind"] == "job.finished"
    state = dashboard.call("GET", "/api/workspaces/demo").json()["hello_go"]
    assert (state["phase"], state["build"]["phase"], state["error"]) == ("stopped", "cancelled", None)
    assert dashboard.demo.events(kind="hello_go.build_cancelled")


def test_a_launch_whose_build_is_cancelled_is_no_failure(dashboard):
    dashboard.engine.build_lines["hello-go"] = ["Step 1/1 : RUN go build", "WAIT"]
    launch = dashboard.call("POST", f"{LAB}/launch").json()["job"]
    waiting = dashboard.call("POST", f"{LAB}/build").json()["job"]
    wait_for(lambda: dashboard.demo.events(kind="hello_go.build_step"))
    dashboard.call("POST", f"{LAB}/cancel")
    dashboard.done(launch)
    dashboard.done(waiting)
    assert dashboard.call("GET", "/api/workspaces/demo").json()["hello_go"]["phase"] == "stopped"
    assert len(dashboard.demo.events(kind="hello_go.build_cancelled")) == 2
    assert dashboard.engine.calls.count(("build", "hello-go")) == 1, "what waited never began"


def test_a_load_is_bounded_and_needs_a_running_app(dashboard):
    refused(dashboard.call("POST", f"{LAB}/load", json={"count": 10}), 409, "wrong_phase")
    refused(dashboard.call("POST", f"{LAB}/load", json={"count": 5001}), 400, "bad_request")
    refused(dashboard.call("POST", f"{LAB}/load", json={"callers": 33}), 400, "bad_request")
    dashboard.done(dashboard.call("POST", f"{LAB}/launch").json()["job"])
    job = dashboard.call("POST", f"{LAB}/load", json={"count": 30, "callers": 3}).json()["job"]
    wait_for(lambda: dashboard.demo.events(kind="job.finished")[-1]["data"]["job"] == job, 60)
    load = dashboard.call("GET", "/api/workspaces/demo").json()["hello_go"]["load"]
    assert load["n"] + load["failed"] == 30 and load["p50"] <= load["p95"] <= load["p99"] <= load["max"]
