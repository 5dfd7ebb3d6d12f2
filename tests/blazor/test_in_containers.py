"""Blazor as containers: the ready image, hardened, visited by a real Chromium and drained without loss."""

import docker
import pytest

from tests.waiting import wait_for

ENGINE = "docker"
pytestmark = [pytest.mark.docker, pytest.mark.browser, pytest.mark.blazor, pytest.mark.timeout(300)]


@pytest.fixture
def containers():
    client = docker.from_env()
    yield lambda service="blazor": client.containers.list(filters={"label": f"labdeck.service={service}"})
    client.close()


def test_a_browser_counts_moves_with_its_memory_and_leaves(lab, visit, containers):
    lab.be(
        "cookie", "shared", skip_negotiation=True
    )  # without affinity its goodbye may go to another replica
    mark = lab.mark()
    assert visit.load().settle(60), visit.console
    visit.counts(2)
    before = visit.holder
    name = lab.told("circuit.started", mark)[0]["data"]["visitor"]
    people = lab.dashboard.get()["people"]
    assert (people[name]["status"], people[name]["replica"]) == ("connected", before)
    lab.dashboard.done(lab.dashboard.post(f"/replicas/{before}/drain"))
    visit.until(lambda: visit.holder != before and visit.text("count") == "2", 60)
    assert lab.told("replica.drained", mark)[0]["data"]["moved"] == 1
    visit.page.goto("about:blank")
    lab.told("visitor.left", mark)


def test_its_containers_may_do_no_more_than_any_other(lab, containers):
    found = containers()
    assert len(found) >= 2
    for container in found:
        host = container.attrs["HostConfig"]
        assert (host["CapDrop"], host["ReadonlyRootfs"], host["Privileged"]) == (["ALL"], True, False)
        assert container.attrs["Config"]["User"] == "65532:65532"
        assert host["Memory"] == host["MemorySwap"] > 0 and host["PidsLimit"] > 0


def test_a_store_in_a_container_has_the_memory_for_every_replica(lab, visit, containers):
    """With keys of their own: only what the store holds can be read elsewhere."""
    lab.be("cookie", "own", shared_store=True, skip_negotiation=True)
    (store,) = containers("redis")
    assert store.attrs["HostConfig"]["ReadonlyRootfs"] and store.attrs["Config"]["User"] == "65532:65532"
    (bound,) = store.attrs["HostConfig"]["PortBindings"]["6379/tcp"]
    assert bound["HostIp"] == "127.0.0.1" and "--requirepass" in store.attrs["Config"]["Cmd"]
    mark = lab.mark()
    assert visit.load().settle(60), visit.console
    visit.counts(2)
    before = visit.holder
    lab.dashboard.done(lab.dashboard.post(f"/replicas/{before}/drain"))
    visit.until(lambda: visit.holder != before and visit.text("count") == "2", 60)
    assert lab.told("replica.drained", mark)[0]["data"]["moved"] == 1
    lab.be("cookie")
    wait_for(lambda: not containers("redis"), 30, told=lab.dashboard.told)
