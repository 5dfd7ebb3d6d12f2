"""Modes, faults and traps, clicked in a real browser, on each engine."""

import pytest
from playwright.sync_api import expect

from tests.browser.pages import tick
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
def lab(page, dashboard):
    """The affinity page with nine visitors on the cookie."""
    dashboard.launch_lab(affinity="cookie", visitors=9, transport="WebSockets")
    page.goto(f"{dashboard.url}/affinity")
    expect(page.locator("#live")).to_have_attribute("data-state", "websocket")
    connected(dashboard, 9)
    return page


def connected(dashboard, count):
    wait_for(lambda: dashboard.get()["visitors"]["connected"] == count, 60, told=dashboard.told)


def replica(dashboard, name):
    return next(each for each in dashboard.get()["replicas"] if each["name"] == name)


def came_back(dashboard, count, after):
    """So many have told since `after` that they are connected."""

    def told():
        return {line["data"]["visitor"] for line in dashboard.events(after, kind="visitor.connected")}

    wait_for(lambda: len(told()) >= count, 60, told=dashboard.told)


def test_modes_and_algorithms_are_clicks_that_the_next_request_obeys(lab, dashboard):
    tick(lab, "input[name=algorithm][value=random]")
    wait_for(lambda: dashboard.get()["balancer"]["affinity"]["algorithm"] == "random", told=dashboard.told)
    tick(lab, "input[name=mode][value=source_ip]")
    wait_for(lambda: dashboard.get()["balancer"]["affinity"]["mode"] == "source_ip", told=dashboard.told)
    expect(lab.locator("#picture .balancer")).to_contain_text("source ip")
    expect(lab.locator("#picture .balancer")).to_contain_text("hash of the address")
    expect(lab.locator("input[name=algorithm]").first).to_be_disabled()
    expect(lab.locator("#affinity-note")).to_contain_text("The balancer obeyed after")
    mark = dashboard.get()["seq"]
    lab.click("#drop-all")
    came_back(dashboard, 9, mark)
    expect(lab.locator("#verdict")).not_to_contain_text("could not", timeout=20_000)
    assert not dashboard.events(mark, kind="connection.refused")
    assert dashboard.events(mark, kind="fault.drop_asked")[0]["data"]["by"] == "page"


def test_a_frozen_replica_is_noticed_and_goes_on_where_it_stood_still(lab, dashboard):
    held = replica(dashboard, "replica-2")["circuits"]
    lab.select_option("#fault-target", "replica-2")
    lab.click("[data-fault=freeze]")
    wait_for(lambda: replica(dashboard, "replica-2")["healthy"] is False, 30, told=dashboard.told)
    assert replica(dashboard, "replica-2")["phase"] == "frozen"
    expect(lab.locator("#replica-table tr[data-replica=replica-2]")).to_contain_text("frozen, ejected")
    expect(lab.locator("#verdict")).to_contain_text("no answer")
    expect(lab.locator("[data-fault=freeze]")).to_have_text("Thaw")
    lab.click("[data-fault=freeze]")
    wait_for(lambda: replica(dashboard, "replica-2")["healthy"] is True, 30, told=dashboard.told)
    now = replica(dashboard, "replica-2")
    assert (now["phase"], now["circuits"]) == ("running", held)
    assert dashboard.events(kind="replica.frozen")[0]["data"]["by"] == "page"


def test_a_restarted_balancer_keeps_everyones_replica(lab, dashboard):
    before = {name: person["replica"] for name, person in dashboard.get()["people"].items()}
    cookie = dashboard.get()["balancer"]["affinity"]["cookie"]
    mark = dashboard.get()["seq"]
    lab.select_option("#fault-target", "balancer")
    lab.click("[data-fault=restart]")
    came_back(dashboard, 9, mark)
    connected(dashboard, 9)
    state = dashboard.get()
    assert state["balancer"]["affinity"]["cookie"] == cookie
    assert {name: person["replica"] for name, person in state["people"].items()} == before
    assert {e["data"]["memory"] for e in dashboard.events(mark, kind="visitor.connected")} == {"kept"}


def test_a_strict_pin_gets_503_until_its_replica_is_back(lab, dashboard):
    lab.click("#traps summary")
    tick(lab, "#trap-strict")
    wait_for(lambda: dashboard.get()["balancer"]["affinity"]["cookie"]["strict"], told=dashboard.told)
    stuck = {name for name, person in dashboard.get()["people"].items() if person["replica"] == "replica-2"}
    mark = dashboard.get()["seq"]
    lab.select_option("#fault-target", "replica-2")
    lab.click("[data-fault=kill]")
    wait_for(lambda: dashboard.events(mark, kind="request.failed"), 30, told=dashboard.told)
    assert dashboard.events(mark, kind="request.failed")[0]["data"]["status"] == 503
    expect(lab.locator("[data-fault=kill]")).to_have_text("Start", timeout=20_000)
    lab.click("[data-fault=kill]")
    came_back(dashboard, len(stuck), mark)
    connected(dashboard, 9)
    people = dashboard.get()["people"]
    assert {people[name]["replica"] for name in stuck} == {"replica-2"}
    assert {people[name]["memory"] for name in stuck} == {"lost"}


def test_a_trap_is_thrown_and_taken_away_with_one_switch(lab, dashboard):
    lab.click("#traps summary")
    tick(lab, "#trap-path")
    wait_for(lambda: dashboard.get()["visitors"]["failed"] > 0, 60, told=dashboard.told)
    expect(lab.locator("#verdict")).to_contain_text("could not connect")
    assert dashboard.get()["balancer"]["affinity"]["cookie"]["path"] == "/_blazor/negotiate"
    tick(lab, "#trap-path", False)
    connected(dashboard, 9)
    assert dashboard.get()["balancer"]["affinity"]["cookie"]["path"] == "/"
    address = lab.locator("#trap-address")
    if dashboard.engine == "docker":
        expect(address).to_be_disabled()
        expect(address).to_be_checked()
        expect(lab.locator("#traps-note")).to_contain_text("in a container")
    else:
        address.check(force=True)
        wait_for(lambda: len(_connected_replicas(dashboard)) == 1, 60, told=dashboard.told)


def _connected_replicas(dashboard):
    people = dashboard.get()["people"].values()
    return {person["replica"] for person in people if person["status"] == "connected"}


def test_shared_page_keys_are_a_switch_that_cures_the_page_from_elsewhere(lab, dashboard):
    dashboard.put("/affinity", {"mode": "none"})
    lab.select_option("#transport", "skip")
    wait_for(lambda: dashboard.events(kind="page.rejected"), 30, told=dashboard.told)
    tick(lab, "#page-keys")
    wait_for(lambda: dashboard.events(kind="page_keys.changed"), 60, told=dashboard.told)
    connected(dashboard, 9)
    assert dashboard.get()["page_keys"] == {"shared": True}
    mark = dashboard.get()["seq"]
    dashboard.done(dashboard.put("/visitors", {"anew": True}))
    came_back(dashboard, 9, mark)
    assert not dashboard.events(mark, kind="page.rejected")
