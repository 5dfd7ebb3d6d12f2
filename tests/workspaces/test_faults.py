"""Faults on the scripted engine: what each does to the state, and that it says who asked."""

from threading import Event

import pytest

from services.errors import NotOnThisEngine, WrongPhase
from tests.waiting import wait_for


@pytest.fixture
def lab(house):
    house.done(house.lab.launch())
    return house.lab


def phase(house, name):
    return next(each["phase"] for each in house.demo.snapshot()["replicas"] if each["name"] == name)


def endpoints(house):
    """What the balancer was told last."""
    told = [body for _, _, path, body in house.play.asked if path == "/control/endpoints"]
    return [each["name"] for each in told[-1]["endpoints"]]


def last(house, kind):
    return house.demo.events(kind=kind)[-1]


def test_a_frozen_replica_is_frozen_in_the_state_and_stays_an_endpoint(house, lab):
    house.done(lab.freeze("replica-2", by="page"))
    assert phase(house, "replica-2") == "frozen"
    assert endpoints(house) == ["replica-1", "replica-2", "replica-3"]
    house.done(lab.scale(2))
    assert endpoints(house) == ["replica-1", "replica-2"]
    house.done(lab.thaw("replica-2", by="api"))
    assert phase(house, "replica-2") == "running"
    assert last(house, "replica.frozen")["data"]["by"] == "page"
    assert last(house, "replica.thawed")["data"]["by"] == "api"
    assert [call for call in house.engine.calls if call[0] in ("freeze", "thaw")] == [
        ("freeze", "demo", "replica-2"),
        ("thaw", "demo", "replica-2"),
    ]


def test_what_can_be_done_depends_on_the_phase(house, lab):
    with pytest.raises(WrongPhase, match="frozen"):
        lab.thaw("replica-1")
    house.done(lab.freeze("replica-1"))
    for refused in (lab.freeze, lab.drain, lab.start):
        with pytest.raises(WrongPhase):
            refused("replica-1")
    with pytest.raises(WrongPhase):
        lab.drop(replica="replica-1")
    house.done(lab.kill("replica-1"))
    assert phase(house, "replica-1") == "stopped"


def test_a_stopped_replica_leaves_the_balancer_first_and_can_be_started_again(house, lab):
    house.done(lab.stop_replica("replica-3", by="page"))
    assert phase(house, "replica-3") == "stopped" and endpoints(house) == ["replica-1", "replica-2"]
    told = next(i for i, (_, _, path, body) in enumerate(house.play.asked) if _two(path, body))
    assert told is not None and ("stop", "demo", "replica-3") in house.engine.calls
    house.done(lab.start("replica-3", by="page"))
    assert phase(house, "replica-3") == "running" and len(endpoints(house)) == 3
    assert last(house, "replica.starting")["data"]["by"] == "page"


def _two(path, body):
    return path == "/control/endpoints" and len(body["endpoints"]) == 2


def test_a_restart_is_a_stop_and_a_start_of_the_same_name(house, lab):
    before = house.engine.program("demo", "replica-1").instance.id
    house.done(lab.restart("replica-1", by="api"))
    assert house.engine.program("demo", "replica-1").instance.id != before
    assert phase(house, "replica-1") == "running" and len(endpoints(house)) == 3
    assert last(house, "replica.restarting")["data"]["by"] == "api"
    assert "replica.died" not in house.kinds()


def test_a_restarted_balancer_keeps_its_replicas_and_its_affinity(house, lab):
    lab.set_affinity({"mode": "cookie", "algorithm": "random"}, by="page")
    house.play.affinity = {"mode": "none", "algorithm": "round_robin"}  # what a new one begins with
    house.done(lab.restart_balancer(by="page"))
    assert house.play.affinity == {"mode": "cookie", "algorithm": "random"}
    assert endpoints(house) == ["replica-1", "replica-2", "replica-3"]
    state = house.demo.snapshot()["balancer"]
    assert state["phase"] == "running" and state["url"]
    assert last(house, "balancer.restarting")["data"]["by"] == "page"
    assert "balancer.died" not in house.kinds()


def test_only_the_algorithm_differs_and_a_restarted_balancer_is_told_all_the_same(house, lab):
    lab.set_affinity({"algorithm": "random"})
    house.play.affinity = {"mode": "none", "algorithm": "round_robin"}
    house.done(lab.restart_balancer())
    assert house.play.affinity["algorithm"] == "random"


def test_a_balancer_that_does_not_come_back_is_failed(house, lab):
    def script(program):
        return program.die(1) if program.spec.instance == "balancer" else house.play(program)

    house.engine.scripts["services"] = script
    assert house.done(lab.restart_balancer())["kind"] == "job.failed"
    assert house.demo.snapshot()["balancer"]["phase"] == "failed"
    house.engine.scripts["services"] = house.play
    house.done(lab.launch())
    assert house.demo.snapshot()["balancer"]["phase"] == "running"


def test_every_fault_says_who_asked(house, lab):
    for job in (
        lab.kill("replica-1", by="page"),
        lab.drain("replica-2", by="page"),
        lab.scale(4, by="page"),
        lab.set_visitors({"count": 2}, by="page"),
    ):
        house.done(job)
    lab.drop(connection="AbC_123", by="page")
    lab.set_affinity({"mode": "cookie"}, by="page")
    asked = ("replica.killed", "replica.draining", "fault.drop_asked", "affinity.changed", "crowd.changed")
    for kind in asked:
        assert last(house, kind)["data"]["by"] == "page", kind
    for kind in ("replica.killed", "replica.draining", "fault.drop_asked"):
        assert "asked for from the page" in last(house, kind)["text"]
    assert {line["data"]["by"] for line in house.demo.events(kind="job.accepted")[1:]} == {"page"}
    asked = [body for _, _, path, body in house.play.asked if path == "/control/drop"]
    assert asked and all(body == {"connection": "AbC_123"} for body in asked)


def test_the_engine_knows_better_than_the_state_whether_a_replica_stands_still(house, lab):
    house.done(lab.freeze("replica-1"))
    house.all.close()
    house.engine.thaw("demo", "replica-1")
    house.engine.freeze("demo", "replica-2")
    house.reopen()
    assert (phase(house, "replica-1"), phase(house, "replica-2")) == ("running", "frozen")


def test_shared_page_keys_restart_the_replicas_one_after_the_other(house, lab):
    def keys():
        programs = [house.engine.program("demo", f"replica-{n}") for n in (1, 2, 3)]
        return [program.spec.environment.get("LAB_PAGE_KEY") for program in programs]

    assert house.demo.snapshot()["page_keys"] == {"shared": False} and keys() == [None] * 3
    house.done(lab.set_page_keys(True, by="page"))
    shared = keys()
    assert shared[0] and len(set(shared)) == 1
    assert house.demo.snapshot()["page_keys"] == {"shared": True}
    order = [e["source"] for e in house.demo.events(limit=5000) if e["kind"] in ("replica.restarting",)]
    assert order == ["replica-1", "replica-2", "replica-3"]
    told = [len(body["endpoints"]) for _, _, path, body in house.play.asked if path == "/control/endpoints"]
    assert min(told) == 2
    assert last(house, "page_keys.changed")["data"] == {"shared": True, "by": "page"}
    house.done(lab.set_page_keys(True))  # nothing to do
    assert keys() == shared and house.kinds().count("page_keys.changed") == 1
    house.done(lab.set_page_keys(False))
    assert keys() == [None] * 3


def test_a_change_of_keys_that_was_cut_off_is_finished_by_the_next_dashboard(house, lab):
    """Killed after replica-1 had restarted: the state says shared, two replicas still have their own."""
    wanted = {"page_keys": {"shared": True}}
    house.demo.log.record("dashboard", "page_keys.changing", "Cut off here.", patch=wanted)
    house.done(lab.restart("replica-1"))
    house.all.close()
    house.reopen()

    wait_for(lambda: house.kinds().count("replica.started") == 6, told=house.told)
    programs = [house.engine.program("demo", f"replica-{n}") for n in (1, 2, 3)]
    keys = {program.spec.environment.get("LAB_PAGE_KEY") for program in programs}
    assert len(keys) == 1 and None not in keys
    starts = [e["source"] for e in house.demo.events(limit=5000) if e["kind"] == "replica.starting"]
    assert starts[-2:] == ["replica-2", "replica-3"] and starts.count("replica-1") == 2


def test_a_drain_that_was_cut_off_ends_with_a_stopped_replica(house, lab):
    """The balancer sends it nobody any more, so that to go on draining would help nobody."""
    going = {"replicas": {"replica-2": {"draining": True}}}
    house.demo.log.record("replica-2", "replica.draining", "Cut off here.", patch=going)
    house.all.close()
    house.reopen()
    wait_for(lambda: phase(house, "replica-2") == "stopped", told=house.told)
    assert last(house, "replica.stopping")["data"]["by"] == "restart"
    assert (phase(house, "replica-1"), endpoints(house)) == ("running", ["replica-1", "replica-3"])


def test_who_drains_is_told_to_the_balancer_as_draining_until_it_stops(house, lab):
    house.done(lab.drain("replica-2"))
    told = [body["endpoints"] for _, _, path, body in house.play.asked if path == "/control/endpoints"]
    draining = [[each["name"] for each in endpoints if each["draining"]] for endpoints in told]
    assert ["replica-2"] in draining
    house.done(lab.scale(1))
    assert endpoints(house) == ["replica-1"] and draining[-1] in ([], ["replica-2"])


def test_a_crowd_that_was_stopped_begins_as_it_was_set(house, lab):
    house.done(lab.set_visitors({"count": 2, "transport": "LongPolling", "cookies": False}))
    house.done(lab.stop())
    house.done(lab.launch())
    house.done(lab.set_visitors({"count": 3}))
    asked = [body for _, _, path, body in house.play.asked if path == "/control/crowd"]
    assert (asked[-1]["transport"], asked[-1]["cookies"]) == ("LongPolling", False)


def test_addresses_of_their_own_are_refused_where_the_engine_has_none(house, lab):
    house.demo.log.record(
        "visitors", "visitors.addresses_learned", "x", patch={"visitors": {"own_addresses": False}}
    )
    with pytest.raises(NotOnThisEngine, match="container"):
        lab.set_visitors({"one_address": False})


def test_ejected_and_readmitted_replicas_are_so_in_the_state(house, lab):
    say = house.engine.program("demo", "balancer").say

    def healthy():
        return house.demo.snapshot()["replicas"][1]["healthy"]

    assert healthy() is None
    say('{"kind":"endpoint.ejected","text":"x","source":"replica-2","data":{"replica":"replica-2"}}')
    wait_for(lambda: healthy() is False, told=house.told)
    say('{"kind":"endpoint.readmitted","text":"x","source":"replica-2","data":{"replica":"replica-2"}}')
    wait_for(lambda: healthy() is True, told=house.told)


def test_a_kill_that_is_asked_twice_happens_once(house, lab):
    gate = Event()
    house.demo.submit(lab, "gate", lambda: gate.wait(20) and None, text="x", failed=lambda error: None)
    jobs = [lab.kill("replica-1"), lab.kill("replica-1")]
    gate.set()
    for job in jobs:
        house.done(job)
    assert house.kinds().count("replica.killed") == 1
