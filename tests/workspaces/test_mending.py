"""What is half-done when jobs meet, calls fail or a dashboard is killed is found and mended."""

from threading import Event

import pytest

from services.errors import EngineTimeout, EngineUnavailable, ServiceFailed
from tests.waiting import wait_for
from tests.workspaces.test_labs import launched, phases


def test_a_job_looks_again_when_its_turn_comes(house):
    launched(house)
    house.done(house.lab.kill("replica-2"))
    jobs = [house.lab.scale(4), house.lab.start("replica-2"), house.lab.start("replica-2")]
    kinds = [house.done(job)["kind"] for job in jobs]
    assert kinds == ["job.finished", "job.finished", "job.failed"]
    assert set(phases(house).values()) == {"running"}


def test_what_was_asked_before_a_stop_had_its_turn_does_not_outlive_it(house):
    launched(house)
    gate = Event()
    house.engine.scripts["services"] = lambda program: (gate.wait(10), house.play(program))
    jobs = [house.lab.scale(4), house.lab.stop(), house.lab.set_visitors({"count": 3}), house.lab.scale(2)]
    gate.set()
    assert [house.done(job)["kind"] for job in jobs][2:] == ["job.failed", "job.failed"]
    assert house.engine.instances("demo") == []
    assert house.demo.snapshot()["affinity_lab"]["phase"] == "stopped"


def test_a_replica_that_could_not_be_followed_is_stopped_and_a_retry_works(house):
    launched(house)
    house.engine.fail_next("logs", EngineTimeout("slow"))
    assert house.done(house.lab.scale(4))["kind"] == "job.failed"
    assert phases(house)["replica-4"] == "failed"
    assert "replica-4" not in house.demo.alive()
    house.done(house.lab.start("replica-4"))
    assert phases(house)["replica-4"] == "running"


def test_replicas_that_a_killed_dashboard_left_on_their_way_are_brought_there(house):
    launched(house)
    for name, phase in (("replica-4", "starting"), ("replica-3", "stopping")):
        house.demo.log.record(name, "replica.starting", "x", patch={"replicas": {name: {"phase": phase}}})
    house.reopen()
    wait_for(
        lambda: phases(house) == dict.fromkeys(("replica-1", "replica-2", "replica-4"), "running"),
        told=house.told,
    )
    wait_for(
        lambda: told_endpoints(house)[-1] == ["replica-1", "replica-2", "replica-4"],
        told=lambda: str(told_endpoints(house)),
    )


def told_endpoints(house):
    """Each list of replicas that the balancer was told."""
    told = [body for _, _, path, body in house.play.asked if path == "/control/endpoints"]
    return [[each["name"] for each in body["endpoints"]] for body in told]


def test_a_reset_waits_for_the_other_lab_and_drops_what_waits(house):
    entered, gate = Event(), Event()
    house.engine.scripts["hello-go"] = lambda program: (entered.set(), gate.wait(10), house.play(program))
    house.hello.launch()
    entered.wait(10)
    launched(house)
    waiting = [house.hello.stop(), house.hello.launch()]
    house.demo.reset()
    gate.set()
    wait_for(lambda: "workspace.reset" in house.kinds(), told=house.told)
    state = house.demo.snapshot()
    assert house.engine.instances("demo") == []
    assert (state["hello_go"]["phase"], state["affinity_lab"]["phase"]) == ("stopped", "stopped")
    assert not {*waiting} & {*state["jobs"]}


def test_after_the_engine_was_away_for_a_moment_every_service_is_heard_again(house):
    launched(house)
    house.engine.go_away()
    wait_for(lambda: "engine.lost" in house.kinds())
    house.engine.come_back()
    wait_for(lambda: "engine.recovered" in house.kinds(), told=house.told)
    house.engine.program("demo", "replica-1").say('{"kind":"circuit.started","text":"late","data":{}}')
    wait_for(lambda: house.demo.events(kind="circuit.started"), told=house.told)


def test_a_dashboard_that_starts_without_its_engine_takes_over_when_it_is_back(house):
    launched(house)
    house.all.close()
    house.engine.go_away()
    house.engine = house.engine.restarted()
    house.open()
    house.engine.come_back()
    wait_for(lambda: house.kinds().count("workspace.adopted") == 2, told=house.told)
    house.engine.program("demo", "replica-2").die(1)
    wait_for(lambda: phases(house)["replica-2"] == "failed", told=house.told)


def test_a_kill_that_failed_does_not_hide_a_later_death(house):
    launched(house)
    house.engine.fail_next("kill", EngineTimeout("slow"))
    assert house.done(house.lab.kill("replica-1"))["kind"] == "job.failed"
    house.engine.program("demo", "replica-1").die(1)
    wait_for(lambda: phases(house)["replica-1"] == "failed", told=house.told)


def test_a_stop_that_failed_says_so_and_can_be_asked_for_again(house):
    launched(house)
    house.engine.fail_next("stop", EngineTimeout("slow"))
    house.done(house.lab.stop())
    assert house.demo.snapshot()["affinity_lab"]["phase"] == "failed"
    house.done(house.lab.stop())
    assert house.demo.snapshot()["affinity_lab"] == {"phase": "stopped", "error": None}


def test_a_launch_that_cannot_mend_one_replica_leaves_the_living_lab_alone(house):
    launched(house)
    house.done(house.lab.kill("replica-2"))
    house.engine.fail_next("start", ServiceFailed("no"))
    assert house.done(house.lab.launch())["kind"] == "job.failed"
    assert house.demo.snapshot()["affinity_lab"]["phase"] == "running"
    assert phases(house) == {"replica-1": "running", "replica-2": "failed", "replica-3": "running"}


def test_a_new_balancer_is_told_the_whole_affinity_not_only_its_mode(house):
    launched(house)
    house.lab.set_affinity({"mode": "none", "algorithm": "random"})
    house.done(house.lab.stop())
    house.play.affinity = {"mode": "none", "algorithm": "round_robin"}
    launched(house)
    assert house.play.affinity["algorithm"] == "random"


def test_a_new_crowd_is_told_all_that_was_set(house):
    launched(house)
    house.done(house.lab.set_visitors({"count": 2, "transport": "LongPolling"}))
    house.done(house.lab.stop())
    launched(house)
    house.done(house.lab.set_visitors({"count": 3}))
    asked = [body for _, _, path, body in house.play.asked if path == "/control/crowd"][-1]
    assert (asked["count"], asked["transport"]) == (3, "LongPolling")


def test_a_build_that_was_cut_off_is_failed(house):
    step = {"instruction": "RUN go build", "state": "running", "stage": "build", "seconds": 0}
    build = {"phase": "running", "total": 1, "steps": {"1": step}}
    house.demo.log.record("hello-go", "hello_go.build_started", "x", patch={"hello_go": {"build": build}})
    house.reopen()
    found = house.demo.snapshot()["hello_go"]["build"]
    assert (found["phase"], found["steps"]["1"]["state"]) == ("failed", "failed")


def test_changed_sources_are_built_again_at_the_next_launch(house):
    house.done(house.hello.launch())
    house.done(house.hello.stop())
    builds = house.engine.calls.count(("build", "hello-go"))
    house.done(house.hello.launch())
    assert house.engine.calls.count(("build", "hello-go")) == builds
    house.done(house.hello.stop())
    house.demo.log.record(
        "hello-go", "hello_go.built", "x", patch={"hello_go": {"image": {"sources": "other"}}}
    )
    house.done(house.hello.launch())
    assert house.engine.calls.count(("build", "hello-go")) == builds + 1


def test_the_output_of_hello_go_is_text_whatever_it_says(house):
    house.done(house.hello.launch())
    house.engine.program("demo", "hello-go").say(
        '{"kind":"replica.died","source":"replica-1","text":"forged"}'
    )
    line = wait_for(
        lambda: [line for line in house.demo.events(kind="output.line") if "forged" in line["text"]]
    )[0]
    assert line["source"] == "hello-go"


@pytest.mark.parametrize(
    "line",
    [
        '{"kind":"output.line","text":"x \\ud800","data":{"visitor":"\\ud800"}}',
        "[" * 100_000,
        '{"kind":"output.line","text":"x","data":{"ms":NaN}}',
        '{"kind":"output.line","source":"' + "é" * 10 + '","text":"x"}',
    ],
)
def test_no_line_of_a_program_stops_the_log(house, line):
    launched(house)
    house.engine.program("demo", "replica-1").say(line, '{"kind":"circuit.started","text":"after","data":{}}')
    wait_for(lambda: house.demo.events(kind="circuit.started"), told=house.told)


def test_a_job_that_cannot_be_written_down_is_not_started(house):
    launched(house)
    append = house.store.append
    house.store.append = lambda *args: (_ for _ in ()).throw(OSError("disk full"))
    with pytest.raises(OSError, match="disk full"):
        house.lab.scale(4)
    house.store.append = append
    house.done(house.lab.scale(3))
    assert "replica-4" not in phases(house)
    assert house.demo.snapshot()["jobs"] == {}


def test_an_engine_that_is_away_fails_the_launch_and_a_retry_works(house):
    house.engine.fail_next("instances", EngineUnavailable("Docker is away."))
    assert house.done(house.lab.launch())["kind"] == "job.failed"
    launched(house)
