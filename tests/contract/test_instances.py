"""Starting, finding, ending: the same on every engine."""

import socket
from pathlib import Path

import pytest
from contract.machines import REAL, TALKER, talker_spec
from waiting import wait_for

from services.engines.base import Port, Recipe, Spec
from services.errors import BuildFailed, NotFound, PortTaken, ServiceFailed


def test_a_started_instance_runs_and_answers(machine):
    started = machine.start()
    assert started == machine.find()
    assert (started.workspace, started.service, started.instance) == ("contract", "talker", "talker-1")
    assert started.running and started.exit_code is None and started.started_at.startswith("20")
    assert machine.engine.address("contract", "talker-1", "public").host == "127.0.0.1"


def test_a_stopped_instance_is_gone(machine):
    machine.start()
    machine.engine.stop("contract", "talker-1")
    assert machine.find() is None


def test_ending_what_is_not_there_is_success(machine):
    machine.engine.stop("contract", "nobody")
    machine.engine.kill("contract", "nobody")
    machine.engine.destroy("contract")
    machine.start()
    for _ in range(2):
        machine.engine.kill("contract", "talker-1")
    for _ in range(2):
        machine.engine.stop("contract", "talker-1")


def test_a_killed_instance_lies_dead_until_it_is_stopped(machine):
    machine.start()
    machine.engine.kill("contract", "talker-1")
    dead = machine.find()
    assert not dead.running and dead.exit_code == 137
    with pytest.raises(NotFound):
        machine.engine.address("contract", "talker-1", "public")
    machine.engine.stop("contract", "talker-1")
    assert machine.find() is None


def test_what_ended_by_itself_shows_its_exit_code(machine):
    machine.start()
    machine.let_exit("talker-1", 3)
    assert machine.find().exit_code == 3


def test_a_start_replaces_a_dead_one_and_has_another_id(machine):
    first = machine.start()
    machine.engine.kill("contract", "talker-1")
    second = machine.start()
    assert second.id != first.id
    assert [one.id for one in machine.engine.instances("contract")] == [second.id]


def test_a_start_leaves_a_running_one_alone(machine):
    first = machine.start()
    with pytest.raises(ServiceFailed):
        machine.engine.start(talker_spec("contract"))
    assert machine.find() == first and machine.answers("talker-1")


def test_what_was_not_built_cannot_be_started(machine):
    with pytest.raises(ServiceFailed, match="not built"):
        machine.engine.start(Spec("contract", "talker", "talker-1", "never-made"))
    assert machine.find() is None


def test_unknown_instances_and_ports_are_not_found(machine):
    machine.start()
    for ask in (machine.engine.address, machine.engine.peer_address):
        for instance, port in (("nobody", "public"), ("talker-1", "secret")):
            with pytest.raises(NotFound):
                ask("contract", instance, port)


def test_another_dashboard_adopts_what_runs(machine):
    one = machine.start("talker-1")
    dead = machine.start("talker-2")
    machine.engine.kill("contract", "talker-2")
    machine.restart()
    assert {found.id: found.running for found in machine.engine.instances()} == {one.id: True, dead.id: False}
    assert machine.answers("talker-1")
    machine.engine.stop("contract", "talker-1")
    assert [found.instance for found in machine.engine.instances("contract")] == ["talker-2"]


def test_a_published_port_is_the_one_asked_for(machine):
    port = free_port()
    machine.start(ports={"public": Port(8000, publish=port)})
    assert machine.engine.address("contract", "talker-1", "public").port == port


def test_a_port_that_a_stranger_holds_is_named_and_nothing_stays(machine):
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)):
            machine.engine.start(talker_spec("contract", ports={"public": Port(8000, publish=port)}))
    assert machine.find() is None
    machine.start(ports={"public": Port(8000, publish=port)})  # nothing of the first try is in the way


def test_a_port_that_another_instance_holds_is_named(machine):
    port = free_port()
    machine.start("talker-1", ports={"public": Port(8000, publish=port)})
    with pytest.raises(PortTaken, match=str(port)):
        machine.engine.start(talker_spec("contract", "talker-2", ports={"public": Port(8000, publish=port)}))
    assert machine.find("talker-2") is None and machine.answers("talker-1")


def test_services_of_a_workspace_reach_each_other_by_number(machine):
    machine.start("talker-1")
    machine.start("talker-2")
    peer = machine.engine.peer_address("contract", "talker-2", "public")
    assert peer.host.replace(".", "").isdigit()
    seen = machine.ask("talker-1", "fetch", url=f"{peer.url}/environment")
    assert seen["LAB_INSTANCE"] == "talker-2"


def test_a_program_learns_its_names_and_nothing_of_the_dashboard(machine, monkeypatch):
    monkeypatch.setenv("LAB_TOKEN", "the-dashboards-own-secret")
    monkeypatch.setenv("PIP_INDEX_URL", "https://somebody:password@example.invalid/")
    machine.start(environment={"LAB_CONTROL_KEY": "key"})
    seen = machine.ask("talker-1", "environment")
    assert seen["LAB_WORKSPACE"] == "contract" and seen["LAB_INSTANCE"] == "talker-1"
    assert seen["LAB_CONTROL_KEY"] == "key" and seen["LAB_LISTEN_PUBLIC"].rpartition(":")[2].isdigit()
    assert "LAB_TOKEN" not in seen and "password" not in str(seen)


def test_a_program_that_is_not_ours_finds_its_ports_under_names_of_its_own(machine):
    ports = {"public": Port(8000, variable="PORT")}
    machine.start(ports=ports, host_variable="HOST")
    seen = machine.ask("talker-1", "environment")
    assert seen["LAB_LISTEN_PUBLIC"] == f"{seen['HOST']}:{seen['PORT']}"


@pytest.mark.parametrize("bare_machine", REAL, indirect=True)
def test_instances_share_a_folder_that_outlives_them_and_goes_with_the_workspace(machine):
    machine.start("talker-1", folders={"keys": "KEYS"})
    path = machine.ask("talker-1", "environment")["KEYS"]
    assert machine.ask("talker-1", "touch", path=f"{path}/key") == "written"
    machine.engine.stop("contract", "talker-1")
    machine.start("talker-2", folders={"keys": "KEYS"})
    assert machine.ask("talker-2", "touch", path=f"{path}/key/below") == "Not a directory"
    machine.engine.destroy("contract")
    machine.start("talker-3", folders={"keys": "KEYS"})
    assert machine.ask("talker-3", "touch", path=f"{path}/key/below") == "No such file or directory"


@pytest.mark.parametrize("bare_machine", REAL, indirect=True)
def test_what_is_ready_is_taken_instead_of_a_build_and_what_is_not_there_is_named(machine):
    made = machine.engine.image(TALKER)
    ready = Recipe("ready", Path("/never"), "python", ready=made.tag)
    assert machine.engine.build(ready, lambda line: None).size > 0
    for nowhere in ("/no/such/program", "labdeck.invalid/no-such-image:none"):
        wrong = Recipe("ready", Path("/never"), "python", ready=nowhere)
        with pytest.raises(BuildFailed, match=r"no.such"):
            machine.engine.build(wrong, lambda line: None)


def test_destroying_a_workspace_leaves_nothing_of_it_and_all_of_the_others(machine):
    machine.start("talker-1")
    machine.start("talker-2")
    machine.engine.kill("contract", "talker-2")
    machine.workspace = "contract-two"
    other = machine.start("talker-1")
    machine.engine.destroy("contract")
    assert machine.engine.instances("contract") == []
    assert machine.engine.instances() == [other] and machine.answers("talker-1")


def test_a_frozen_instance_runs_but_does_not_answer_until_it_is_thawed(machine):
    started = machine.start()
    for _ in range(2):
        machine.engine.freeze("contract", "talker-1")
    frozen = machine.find()
    assert frozen.frozen and frozen.running and frozen.id == started.id
    assert not machine.answers("talker-1", within=0.5)
    for _ in range(2):
        machine.engine.thaw("contract", "talker-1")
    assert machine.find() == started and machine.answers("talker-1")


def test_another_dashboard_finds_a_frozen_instance_frozen(machine):
    machine.start()
    machine.engine.freeze("contract", "talker-1")
    machine.restart()
    assert machine.find().frozen
    machine.engine.thaw("contract", "talker-1")
    assert machine.answers("talker-1")


def test_a_frozen_instance_can_be_stopped_and_killed(machine):
    machine.start("talker-1")
    machine.start("talker-2")
    for name in ("talker-1", "talker-2"):
        machine.engine.freeze("contract", name)
    machine.engine.stop("contract", "talker-1")
    machine.engine.kill("contract", "talker-2")
    assert machine.find("talker-1") is None
    wait_for(lambda: not machine.find("talker-2").running)
    assert not machine.find("talker-2").frozen


def test_what_does_not_run_cannot_be_frozen(machine):
    machine.start()
    machine.engine.kill("contract", "talker-1")
    for act in (machine.engine.freeze, machine.engine.thaw):
        for name in ("talker-1", "nobody"):
            with pytest.raises(NotFound):
                act("contract", name)


@pytest.mark.parametrize("bare_machine", REAL, indirect=True)
def test_a_program_that_ignores_sigterm_is_killed_after_its_grace(machine):
    machine.start(environment={"TALKER_STUBBORN": "1"})
    machine.engine.stop("contract", "talker-1", grace=0.5)
    assert machine.find() is None


@pytest.mark.parametrize("bare_machine", REAL, indirect=True)
def test_memory_ends_where_the_limit_is(machine):
    machine.start()
    assert machine.ask("talker-1", "grow", mib=64) is None
    with pytest.raises(OSError):
        machine.ask("talker-1", "grow", mib=700)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def test_two_starts_at_once_get_ports_of_their_own(machine):
    for number in range(4):
        machine.engine.start(talker_spec("contract", f"talker-{number}"))
    ports = {machine.engine.address("contract", f"talker-{number}", "public").port for number in range(4)}
    assert len(ports) == 4
    for number in range(4):
        wait_for(lambda number=number: machine.answers(f"talker-{number}"))
