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


def test_a_frozen_replica_holds_its_browser_s_memory_until_it_goes_on(lab, visit, containers):
    lab.be("cookie", skip_negotiation=True)
    mark = lab.mark()
    assert visit.load().settle(60), visit.console
    visit.counts(2)
    holder = visit.holder
    lab.dashboard.done(lab.dashboard.post(f"/replicas/{holder}/freeze"))
    paused = [each for each in containers() if each.status == "paused"]
    assert [each.labels["labdeck.instance"] for each in paused] == [holder]
    visit.page.click("#increment")
    wait_for(lambda: _healthy(lab, holder) is False, 30, told=lab.dashboard.told)
    assert visit.text("count") == "2"
    lab.dashboard.done(lab.dashboard.post(f"/replicas/{holder}/thaw"))
    visit.until(lambda: visit.text("count") == "3", 30)
    assert visit.loads == 1 and visit.holder == holder
    assert [line["kind"] for line in lab.dashboard.events(mark, kind="replica.")][-1] == "replica.thawed"


def _healthy(lab, name):
    return next(each["healthy"] for each in lab.dashboard.get()["replicas"] if each["name"] == name)


def test_what_keys_and_a_store_cure_is_measured_in_containers_too(lab, containers):
    lab.be("cookie")
    asked = {"n": 4, "affinities": ["cookie"], "transports": ["auto"], "situations": ["drain"]}
    answer = lab.dashboard.post("/runs", asked | {"keys": ["own", "shared", "store"]})
    lab.dashboard.done(answer, 200)
    run = lab.dashboard.get(f"/runs/{answer['run']}")
    for cell in run["cells"]:
        outcome, kept = cell["outcome"], cell["keys"] != "own"
        assert outcome["back"] == outcome["n"] > 0, cell
        assert (outcome["kept"], cell["differs"]) == (outcome["n"] if kept else 0, []), cell
    assert [cell["keys"] for cell in run["cells"]] == ["own", "shared", "store"]
    wait_for(lambda: not containers("redis"), 60, told=lab.dashboard.told)
