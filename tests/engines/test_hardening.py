"""What a container of ours may not do, read from `docker inspect` and tried from inside."""

import threading

import pytest
from contract.machines import talker_spec
from waiting import wait_for

from services.engines.base import Limits, Port

pytestmark = pytest.mark.docker
MIB = 1024 * 1024


@pytest.fixture
def talker(docker_machine):
    docker_machine.start(limits=Limits(memory=96 * MIB, cpus=0.5, pids=20))
    return docker_machine


def test_a_container_is_as_little_able_as_it_can_be(talker):
    found = talker.inspect()
    host = found["HostConfig"]
    assert not host["Privileged"] and host["CapDrop"] == ["ALL"] and not host["CapAdd"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["ReadonlyRootfs"] and set(host["Tmpfs"]) == {"/tmp"}
    assert {"noexec", "nosuid", "nodev", "size=64m"} <= set(host["Tmpfs"]["/tmp"].split(","))
    assert host["Memory"] == host["MemorySwap"] == 96 * MIB
    assert host["NanoCpus"] == 500_000_000 and host["PidsLimit"] == 20
    assert not host["Binds"] and not found["Mounts"] and not host["Devices"] and not host["PidMode"]
    assert host["IpcMode"] == "private" and host["RestartPolicy"]["Name"] in ("", "no")
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "2"}}
    assert found["Config"]["User"] == "65532:65532"


def test_a_container_says_whose_it_is(talker):
    labels = talker.inspect()["Config"]["Labels"]
    assert labels["labdeck.workspace"] == "contract" and labels["labdeck.service"] == "talker"
    assert labels["labdeck.instance"] == "talker-1" and labels["labdeck.deck"] == talker.deck


def test_every_port_is_published_on_the_loopback_only(docker_machine):
    docker_machine.start(ports={"public": Port(8000), "control": Port(9000)})
    bindings = docker_machine.inspect()["NetworkSettings"]["Ports"]
    assert set(bindings) == {"8000/tcp", "9000/tcp"}
    assert {one["HostIp"] for many in bindings.values() for one in many} == {"127.0.0.1"}


def test_each_workspace_has_a_network_of_its_own(talker):
    networks = talker.inspect()["NetworkSettings"]["Networks"]
    assert list(networks) == [f"labdeck-{talker.deck}-contract"]


def test_inside_nobody_is_root_and_only_tmp_can_be_written(talker):
    assert talker.ask("talker-1", "whoami") == {"uid": 65532, "pid": 1}
    assert talker.ask("talker-1", "touch", path="/talker/new") == "Read-only file system"
    assert talker.ask("talker-1", "touch", path="/tmp/new") == "written"


def test_more_processors_than_the_machine_has_are_not_asked_for(docker_machine):
    docker_machine.start(limits=Limits(cpus=4000))
    assert docker_machine.find().running


def test_the_end_of_memory_is_told_as_such(talker):
    stream, told = talker.engine.watch(), []
    threading.Thread(target=lambda: told.extend(one.what for one in stream), daemon=True).start()
    with pytest.raises(OSError):
        talker.ask("talker-1", "grow", mib=200)
    wait_for(lambda: {"oom", "died"} <= set(told), told=lambda: str(told))
    stream.close()
    assert talker.find().exit_code == 137


def test_two_dashboards_on_one_docker_never_see_each_other(docker_machine):
    docker_machine.start()
    mine = docker_machine.find()
    docker_machine.deck = docker_machine.deck[::-1] + "0"
    docker_machine.restart()
    assert docker_machine.engine.instances() == []
    docker_machine.engine.start(talker_spec("contract"))
    assert docker_machine.find().id != mine.id
    docker_machine.engine.destroy("contract")
    assert docker_machine.engines[0].instances() == [mine]
    docker_machine.engines[0].destroy("contract")
