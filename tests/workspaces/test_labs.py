"""Both labs on the scripted engine: order, phases, failures, adoption."""

import json
from threading import Event

import pytest

from services.blazor.source import AppUnavailable
from services.errors import BuildFailed, NotFound, NotInThisApp, PortTaken, ServiceFailed, WrongPhase
from services.settings import BadSetting
from services.workspaces.house import Workspaces
from tests.waiting import wait_for


def launched(house):
    house.done(house.lab.launch())
    return house.demo.snapshot()


def phases(house):
    return {replica["name"]: replica["phase"] for replica in house.demo.snapshot()["replicas"]}


def test_a_launch_gives_three_replicas_behind_a_balancer_that_knows_them(house):
    state = launched(house)
    assert state["affinity_lab"] == {"phase": "running", "error": None}
    assert [replica["name"] for replica in state["replicas"]] == ["replica-1", "replica-2", "replica-3"]
    assert state["balancer"]["url"].startswith("http://127.0.0.1:")
    told = [body for who, _, path, body in house.play.asked if path == "/control/endpoints"]
    assert [each["name"] for each in told[-1]["endpoints"]] == ["replica-1", "replica-2", "replica-3"]


def test_the_snapshot_has_every_field_that_others_rely_on(house):
    state = house.demo.snapshot()
    assert state["engine"] == {
        "name": "scripted",
        "version": "1",
        "limits": ["Nothing really runs here."],
        "reason": "A test wants it.",
    }
    assert state["hello_go"]["phase"] == "stopped"
    assert state["hello_go"]["error"] is None
    assert state["balancer"]["affinity"] == {"mode": "none", "algorithm": "round_robin"}
    assert (state["app"], state["apps"][0]["name"]) == ("circuit", "circuit")
    assert state["visitors"]["count"] == 0
    assert state["seq"] == house.demo.tail(1)[0]["seq"]


def test_scaling_adds_and_removes_the_highest_numbers(house):
    launched(house)
    house.done(house.lab.scale(10))
    assert list(phases(house)) == [f"replica-{number}" for number in range(1, 11)]
    house.done(house.lab.scale(1))
    assert phases(house) == {"replica-1": "running"}
    assert [each.instance for each in house.engine.instances("demo")] == ["replica-1", "balancer"]


def test_jobs_of_a_lab_run_in_the_order_they_were_asked_for(house):
    launched(house)
    jobs = [house.lab.scale(count) for count in (5, 2, 4)]
    for job in jobs:
        house.done(job)
    started = [line["data"]["job"] for line in house.demo.events(kind="job.started")]
    assert started[-3:] == jobs
    assert len(phases(house)) == 4


def test_calls_in_the_wrong_phase_are_refused(house):
    with pytest.raises(WrongPhase, match="stopped"):
        house.lab.scale(2)
    with pytest.raises(WrongPhase):
        house.lab.set_affinity({"mode": "cookie"})
    with pytest.raises(WrongPhase):
        house.lab.drop()
    with pytest.raises(WrongPhase):
        house.hello.call()
    launched(house)
    with pytest.raises(NotFound, match="replica-9"):
        house.lab.kill("replica-9")
    with pytest.raises(WrongPhase, match="running"):
        house.lab.start("replica-1")
    with pytest.raises(NotFound, match="visitor-1"):
        house.lab.drop(visitor="visitor-1")


def test_a_toggle_is_in_the_state_when_the_call_returns(house):
    launched(house)
    answer = house.lab.set_affinity({"mode": "cookie"})
    assert answer["affinity"] == {"mode": "cookie", "algorithm": "round_robin"}
    assert house.demo.snapshot()["balancer"]["affinity"]["mode"] == "cookie"


def test_a_relaunched_balancer_gets_the_affinity_that_was_set(house):
    launched(house)
    house.lab.set_affinity({"mode": "cookie"})
    house.done(house.lab.stop())
    house.play.affinity = {"mode": "none"}
    launched(house)
    assert house.play.affinity["mode"] == "cookie"


def test_a_killed_replica_stays_known_and_can_be_started_again(house):
    launched(house)
    house.done(house.lab.kill("replica-2"))
    assert phases(house)["replica-2"] == "stopped"
    assert "replica.died" not in house.kinds()
    house.done(house.lab.start("replica-2"))
    assert phases(house)["replica-2"] == "running"


def test_a_replica_that_dies_by_itself_is_failed_with_its_last_words(house):
    launched(house)
    program = house.engine.program("demo", "replica-3")
    program.say("out of luck")
    program.die(3)
    wait_for(lambda: phases(house)["replica-3"] == "failed", told=house.told)
    error = house.demo.snapshot()["replicas"][2]["error"]
    assert "Exit code 3" in error["message"]
    assert "out of luck" in error["message"]


def test_a_drained_replica_is_no_endpoint_asks_its_visitors_to_move_and_stops(house):
    launched(house)
    house.done(house.lab.drain("replica-1"))
    told = [body for _, _, path, body in house.play.asked if path == "/control/endpoints"]
    served = [each["name"] for each in told[-1]["endpoints"] if not each["draining"]]
    assert served == ["replica-2", "replica-3"]
    asked = [(who, path) for who, _, path, _ in house.play.asked]
    order = [
        ("replica-1", "/control/drain"),
        ("balancer", "/control/endpoints"),
        ("replica-1", "/control/move"),
    ]
    places = [len(asked) - 1 - asked[::-1].index(each) for each in order]
    assert places == sorted(places)
    drained = house.demo.events(kind="replica.drained")[0]
    assert drained["text"] == "replica-1 is drained: it held nobody's memory."
    assert phases(house)["replica-1"] == "stopped"
    house.done(house.lab.start("replica-1"))
    assert phases(house)["replica-1"] == "running"


def test_a_failed_launch_stops_what_it_started_and_a_retry_works(house):
    def script(program):
        return program.die(1) if program.spec.instance == "balancer" else house.play(program)

    house.engine.scripts["services"] = script
    ended = house.done(house.lab.launch())
    assert ended["kind"] == "job.failed"
    state = house.demo.snapshot()
    assert state["affinity_lab"]["phase"] == "failed"
    assert state["affinity_lab"]["error"]["hint"]
    assert house.engine.instances("demo") == []
    house.engine.scripts["services"] = house.play
    assert launched(house)["affinity_lab"] == {"phase": "running", "error": None}


def test_a_program_that_dies_at_start_fails_the_launch_in_its_own_words(house):
    line = (
        '{"kind":"balancer.failed","text":"no Envoy","level":"error",'
        '"data":{"error":{"kind":"engine_unavailable","message":"Envoy is missing.","hint":"Install it."}}}'
    )

    def script(program):
        if program.spec.instance == "balancer":
            program.say(line)
            program.die(3)
        else:
            house.play(program)

    house.engine.scripts["services"] = script
    house.done(house.lab.launch())
    error = house.demo.snapshot()["affinity_lab"]["error"]
    assert error["kind"] == "engine_unavailable"
    assert error["hint"] == "Install it."


def test_a_taken_port_is_passed_over_and_said_so(house):
    port = house.settings.hello_go_port
    house.engine.fail_next("start", PortTaken("in use"))
    house.done(house.hello.launch())
    started = house.demo.events(kind="hello_go.started")[0]
    found = int(house.demo.snapshot()["hello_go"]["url"].rpartition(":")[2])
    assert found > port, "the next that nobody on this machine has"
    assert f"Port {port} is taken" in started["text"]


def test_when_all_ports_are_taken_the_phase_is_failed_with_the_next_move(house):
    for _ in range(20):
        house.engine.fail_next("start", PortTaken("in use"))
    house.done(house.hello.launch())
    error = house.demo.snapshot()["hello_go"]["error"]
    assert error["kind"] == "port_taken"
    assert "LAB_HELLO_GO_PORT" in error["hint"]
    house.done(house.hello.launch())
    assert house.demo.snapshot()["hello_go"]["phase"] == "running"


def test_build_steps_arrive_with_stage_and_state(house):
    house.engine.build_lines["hello-go"] = [
        "Step 1/3 : FROM alpine AS base",
        " ---> Using cache",
        "Step 2/3 : FROM golang AS build",
        "Step 3/3 : RUN go build",
    ]
    house.done(house.hello.build())
    build = house.demo.snapshot()["hello_go"]["build"]
    assert (build["phase"], build["total"]) == ("done", 3)
    assert [(step["stage"], step["state"]) for step in build["steps"].values()] == [
        ("base", "cached"),
        ("build", "done"),
        ("build", "done"),
    ]


def test_a_failed_build_names_the_step_and_leaves_a_running_app_alone(house):
    house.done(house.hello.launch())
    house.engine.build_lines["hello-go"] = [
        "Step 1/2 : FROM golang AS build",
        "Step 2/2 : RUN go build",
        "FAIL",
    ]
    ended = house.done(house.hello.build())
    assert ended["data"]["error"]["kind"] == BuildFailed.kind
    state = house.demo.snapshot()["hello_go"]
    assert state["phase"] == "running"
    assert state["build"]["steps"]["2"]["state"] == "failed"


def test_calling_hello_go_gives_what_the_program_said_and_the_command(house):
    house.done(house.hello.launch())
    answer = house.hello.call()
    assert answer["status"] == 401  # the play wants its key; what counts is that the answer is passed on
    assert answer["command"] == f"curl -i http://127.0.0.1:{house.settings.hello_go_port}"
    assert house.demo.snapshot()["hello_go"]["calls"]["count"] == 1


def test_a_new_dashboard_adopts_what_runs_and_reads_each_line_once(house):
    launched(house)
    say = house.engine.program("demo", "replica-1").say
    say('{"kind":"circuit.started","text":"one","data":{"visitor":"browser-1","circuit":"c1"}}')
    wait_for(lambda: house.demo.events(kind="circuit.started"))
    house.all.close()
    say('{"kind":"circuit.resumed","text":"two","data":{"visitor":"browser-1","circuit":"c1","count":5}}')
    house.reopen()
    wait_for(lambda: house.demo.events(kind="circuit.resumed"))
    lines = house.demo.events(limit=5000)
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert [line["text"] for line in lines if line["kind"].startswith("circuit.")] == ["one", "two"]
    state = house.demo.snapshot()
    assert state["people"]["browser-1"]["memory"] == "kept"
    assert state["circuits"]["c1"] == {
        "replica": "replica-1",
        "visitor": "browser-1",
        "connected": True,
        "count": 5,
    }
    house.done(house.lab.scale(2))


def test_what_died_while_no_dashboard_looked_is_noted(house):
    launched(house)
    house.all.close()
    house.engine.program("demo", "replica-2").die(9)
    house.reopen()
    assert phases(house)["replica-2"] == "failed"
    assert phases(house)["replica-1"] == "running"


def test_what_nobody_wants_is_swept_at_start(house):
    launched(house)
    house.all.close()
    with house.store._engine.begin() as connection:
        connection.exec_driver_sql("delete from events")
        connection.exec_driver_sql("delete from states")
    house.reopen()
    assert house.engine.instances("demo") == []
    assert house.demo.snapshot()["affinity_lab"]["phase"] == "stopped"


def test_an_interrupted_launch_is_finished_by_the_next_dashboard(house):
    house.demo.log.record(
        "dashboard", "affinity_lab.starting", "x", patch={"affinity_lab": {"phase": "starting"}}
    )
    house.reopen()
    wait_for(lambda: house.demo.snapshot()["affinity_lab"]["phase"] == "running", told=house.told)


def test_an_engine_that_goes_away_is_said_once_and_its_return_too(house):
    launched(house)
    house.engine.go_away()
    wait_for(lambda: "engine.lost" in house.kinds())
    house.engine.come_back()
    wait_for(lambda: "engine.recovered" in house.kinds(), told=house.told)
    assert house.kinds().count("engine.lost") == 1


def test_reset_leaves_nothing_and_the_numbers_go_on(house):
    launched(house)
    last = house.demo.tail(1)[0]["seq"]
    house.demo.reset()
    wait_for(lambda: "workspace.reset" in house.kinds(), told=house.told)
    assert house.engine.instances("demo") == []
    assert house.demo.events()[0]["seq"] > last
    assert house.demo.snapshot()["replicas"] == []
    assert launched(house)["affinity_lab"]["phase"] == "running"


def test_two_dashboards_do_not_share_a_state_folder(house):
    second = Workspaces(house.settings, house.engine, "", house.store, b"secret", [])
    with pytest.raises(BadSetting, match="LAB_STATE_DIR"):
        second.start()


def test_an_unexpected_mistake_fails_the_job_and_not_the_worker(house):
    job = house.demo.submit(house.lab, "broken", lambda: 1 / 0, text="x", failed=lambda error: None)
    assert house.done(job)["data"]["error"]["kind"] == "internal"
    launched(house)


def test_more_than_fifty_waiting_jobs_are_refused(house):
    gate = Event()
    house.demo.submit(house.lab, "gate", lambda: gate.wait(20) and None, text="x", failed=lambda error: None)
    with pytest.raises(WrongPhase, match="50 jobs"):
        for _ in range(60):
            house.demo.submit(house.lab, "wait", lambda: None, text="x", failed=lambda error: None)
    gate.set()


def test_a_rejected_circuit_is_told_with_the_replica_that_holds_it_and_survives_a_failing_explanation(
    house, monkeypatch
):
    launched(house)

    def say(replica, kind, **data):
        about = {"visitor": "browser-3f2a", "circuit": "c1"} | data
        house.engine.program("demo", replica).say(json.dumps({"kind": kind, "text": "x", "data": about}))

    say("replica-1", "circuit.started")
    wait_for(lambda: house.demo.events(kind="circuit.started"))
    say("replica-1", "connection.closed", reason="dropped")
    wait_for(lambda: house.demo.events(kind="connection.closed"))
    say("replica-2", "circuit.rejected")
    [line] = wait_for(lambda: house.demo.events(kind="circuit.rejected"))
    assert line["text"] == "replica-2 has no memory of browser-3f2a: replica-1 holds it."
    assert (line["data"]["holder"], line["data"]["fate"]) == ("replica-1", "held")
    monkeypatch.setattr(house.lab._fates, "explain", lambda line: 1 / 0)
    say("replica-3", "circuit.rejected")
    wait_for(lambda: len(house.demo.events(kind="circuit.rejected")) == 2)


def test_an_app_that_this_machine_lacks_is_shown_with_the_next_move_and_refused(house, monkeypatch):
    monkeypatch.setattr(type(house.engine), "name", "local")
    monkeypatch.setenv("PATH", "")
    apps = {app["name"]: app for app in house.demo.snapshot()["apps"]}
    assert apps["circuit"] == {"name": "circuit", "available": True, "reason": None}
    assert not apps["blazor"]["available"] and "LAB_BLAZOR_DIR" in apps["blazor"]["reason"]
    with pytest.raises(AppUnavailable, match=r"\.NET 10 SDK"):
        house.lab.launch("blazor")
    assert house.demo.snapshot()["affinity_lab"]["phase"] == "stopped"
    with pytest.raises(AppUnavailable, match="redis-server"):
        house.lab.set_app_settings({"shared_store": True})
    assert launched(house)["app"] == "circuit"


def test_while_one_app_runs_the_other_is_not_launched(house):
    house.engine.scripts["blazor"] = house.engine.scripts["services"]
    launched(house)
    with pytest.raises(WrongPhase, match="run circuit"):
        house.lab.launch("blazor")
    house.done(house.lab.stop())
    house.done(house.lab.launch("blazor"))
    state = house.demo.snapshot()
    assert (state["app"], state["affinity_lab"]["phase"]) == ("blazor", "running")
    assert house.engine.program("demo", "replica-1").spec.service == "blazor"
    house.reopen()
    wait_for(lambda: "workspace.adopted" in house.kinds(), told=house.told)
    assert house.demo.snapshot()["app"] == "blazor"
    with pytest.raises(NotInThisApp):
        house.lab.drop(connection="abc")


def test_the_apps_switches_restart_its_replicas_and_a_stopped_lab_takes_them_later(house):
    house.engine.scripts["blazor"] = house.engine.scripts["services"]
    house.done(house.lab.set_app_settings({"retention_seconds": 5}))
    assert "replica.restarting" not in house.kinds()
    house.done(house.lab.launch("blazor"))
    told = lambda: house.engine.program("demo", "replica-3").spec  # noqa: E731
    assert told().environment["RETENTION_SECONDS"] == "5" and not told().folders
    house.done(house.lab.set_app_settings({"skip_negotiation": True}))
    assert (told().environment["SKIP_NEGOTIATION"], told().environment["RETENTION_SECONDS"]) == ("true", "5")
    assert house.kinds().count("replica.restarting") == 3
    house.done(house.lab.set_page_keys(True))
    assert told().folders == {"blazor-keys": "KEYS"}
    house.engine.fail_next("start", ServiceFailed("no room"))
    assert house.done(house.lab.set_app_settings({"prerender": False}))["kind"] == "job.failed"
    assert house.demo.snapshot()["app_settings"]["prerender"] is True


def test_a_shared_store_is_there_before_the_first_replica_and_goes_with_the_lab(house):
    for image in ("blazor", "redis"):
        house.engine.scripts[image] = house.engine.scripts["services"]
    house.done(house.lab.set_app_settings({"shared_store": True}))
    house.done(house.lab.launch("blazor"))
    started = [call[2] for call in house.engine.calls if call[0] == "start"]
    assert started.index("redis") < started.index("replica-1")
    redis = house.engine.program("demo", "replica-1").spec.environment["REDIS"]
    assert redis.startswith("127.0.0.1:") and ",password=" in redis
    house.engine.program("demo", "redis").die(1)
    wait_for(lambda: house.demo.snapshot()["store"]["phase"] == "failed", told=house.told)
    assert house.demo.snapshot()["affinity_lab"]["phase"] == "running"
    for wanted in (False, True):
        house.done(house.lab.set_app_settings({"shared_store": wanted}))
    assert house.demo.snapshot()["store"] == {"phase": "running", "error": None}
    house.done(house.lab.stop())
    assert house.engine.instances("demo") == []
    assert house.demo.snapshot()["store"]["phase"] == "stopped"


def test_a_run_that_fails_as_nobody_foresaw_does_not_keep_the_lab(house, monkeypatch):
    house.done(house.lab.launch())

    def broken(*_):
        raise TypeError("nobody foresaw it")

    for step in ("set_up", "put_back"):
        monkeypatch.setattr(house.lab.runs._stage, step, broken)
    only = {"n": 2, "affinities": ["none"], "transports": ["WebSockets"], "situations": ["first_connect"]}
    asked = house.lab.runs.start(only, "api")
    assert house.done(asked["job"])["kind"] == "job.failed"
    assert {"run.lab_not_restored", "run.failed"} <= set(house.kinds())
    assert house.lab.runs.get(asked["run"])["phase"] == "failed"
    house.done(house.lab.scale(2))
