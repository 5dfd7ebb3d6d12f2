"""The crowd visits real Blazor Server: who keeps its memory, seen from the pages and from the replicas."""

import asyncio
import re
import signal
from collections import Counter

import pytest
from conftest import CHROMIUM
from lab_programs import until
from playwright.sync_api import sync_playwright
from real_blazor import BlazorLab

from services.visitors.blazor_script import NOT_STARTED, BlazorScript
from services.visitors.browser import Browser
from services.visitors.connection import HubConnection
from services.visitors.script import VisitFailed
from services.visitors.settings import CrowdSettings

_OF_BLAZOR = re.compile(r"\[[^]]*Z\] Error: (.*)", re.DOTALL)
"""Its lines have a time and a level, those of the browser itself have not."""
_HOW_IT_WENT = re.compile(rf"connected to ws:|fallback transport|{NOT_STARTED}")
pytestmark = [pytest.mark.blazor, pytest.mark.local]
MANY = 30


@pytest.fixture(scope="module")
def own_keys():
    """Three replicas that cannot read what another one signed."""
    lab = BlazorLab()
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def shared_keys(tmp_path_factory):
    """Three replicas that can."""
    lab = BlazorLab(KEYS=str(tmp_path_factory.mktemp("keys")))
    yield lab
    lab.close()


def replicas_of(seen):
    return Counter(replica for replica, _ in seen.values())


def test_after_a_storm_all_pages_and_replicas_agree_on_every_count(own_keys):
    lab = own_keys
    lab.begin("cookie", MANY)
    lab.crowd.wait_until(count=MANY, connected=MANY)
    lab.wait_for_clicks(1)
    before = lab.agree()
    assert len(before) == MANY and len(replicas_of(before)) == 3
    assert lab.drop() >= MANY
    lab.wait_until_told("visitor.connected", MANY, memory="kept")
    clicks = sum(count for _, count in before.values())
    until(lambda: sum(count for _, count in lab.seen().values()) > clicks + 5, "they go on")
    after = lab.agree()
    assert {id: replica for id, (replica, _) in after.items()} == {id: r for id, (r, _) in before.items()}
    assert all(after[id][1] >= count for id, (_, count) in before.items())
    assert not lab.told("visitor.failed")


def test_moved_visitors_take_their_memory_to_other_replicas(shared_keys):
    lab = shared_keys
    lab.begin("cookie", 9)
    lab.crowd.wait_until(count=9, connected=9)
    lab.wait_for_clicks(1)
    before, at_first = lab.agree(), lab.crowd.by_name()
    leaving = [name for name, visitor in at_first.items() if visitor["replica"] == "replica-1"]
    lab.know("replica-2", "replica-3")
    answer = lab.replicas["replica-1"].ask("POST", "/control/move")[1]
    assert answer == {"asked": len(leaving), "held": len(leaving)} and leaving
    moved = lab.wait_until_told("visitor.connected", len(leaving), moved_from="replica-1", memory="kept")
    assert sorted(line["visitor"] for line in moved) == sorted(leaving)
    assert "replica-1" not in replicas_of(lab.agree())
    now = lab.crowd.by_name()
    assert all(now[name]["count"] >= at_first[name]["count"] > 0 for name in at_first)
    assert all(now[name]["circuit"] in before for name in at_first if name not in leaving)
    assert lab.replicas["replica-1"].state()["circuits"] == []
    lab.know("replica-1", "replica-2", "replica-3")


def test_with_keys_of_their_own_a_move_loses_the_memory(own_keys):
    lab = own_keys
    lab.begin("cookie", 6)
    lab.crowd.wait_until(count=6, connected=6)
    lab.wait_for_clicks(1)
    leaving = replicas_of(lab.agree())["replica-1"]
    lab.know("replica-2", "replica-3")
    lab.replicas["replica-1"].ask("POST", "/control/move")
    lab.wait_until_told("visitor.connected", leaving, memory="lost")
    lab.crowd.wait_until(connected=6, failed=0)
    assert "replica-1" not in replicas_of(lab.agree())
    lab.know("replica-1", "replica-2", "replica-3")


def test_without_affinity_shared_keys_connect_by_websocket_at_once_and_lose_the_memory(shared_keys):
    lab = shared_keys
    lab.begin("none", 6, skip_negotiation=True)
    lab.crowd.wait_until(count=6, connected=6)
    lab.agree()
    lab.drop()
    lab.wait_until_told("visitor.connected", memory="lost")
    lab.crowd.wait_until(connected=6, failed=0)
    lab.agree()


@pytest.mark.browser
def test_without_affinity_both_fail_in_the_same_words(own_keys):
    lab = own_keys
    lab.begin("none", 0)
    in_browser = errors_in_chromium(lab.target)
    lab.begin("none", 1, reload_seconds=60)
    [failed] = lab.wait_until_told("visitor.failed")
    assert failed["errors"] == in_browser


def errors_in_chromium(address):
    """What a page logs that fails to start; one that connects by luck is loaded again."""
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]).new_page()
        for _ in range(10):
            with page.expect_console_message(lambda line: _HOW_IT_WENT.search(line.text)) as last:
                lines = collected(page)
                page.goto(address)
            if NOT_STARTED in last.value.text:
                return [error[1] for line in lines if (error := _OF_BLAZOR.fullmatch(line.text))]
    raise AssertionError("the page connects without affinity, ten times out of ten")


def collected(page):
    """Everything on the console from now on."""
    lines = []
    page.on("console", lambda line: lines.append(line))
    return lines


def test_asked_to_move_after_a_reconnect_the_script_of_10_0_12_breaks_its_circuit(own_keys):
    """The trap of FACTS: it takes itself for paused. So replicas do not ask, and here the script is asked."""
    own_keys.begin("cookie", 0)

    async def be_cut_off_and_asked():
        settings = CrowdSettings(target=own_keys.target, app="blazor")
        browser = Browser("visitor-1", settings)
        try:
            script = await BlazorScript.load(browser, settings)
            connection = await HubConnection.start(browser, script.ways, script.hear)
            await script.start(connection)
            await connection.vanish()
            connection = await HubConnection.start(browser, script.ways, script.hear)
            assert await script.come_back(connection) == "kept"
            with pytest.raises(VisitFailed) as failure:
                await script.pause(connection)
            await script.leave(browser, connection)
        finally:
            await browser.close()
        return failure.value.errors

    [error] = asyncio.run(be_cut_off_and_asked())
    assert error.startswith("The circuit host '") and error.endswith("has already been initialized.")


def test_a_page_that_another_replica_signed_fails_in_the_hubs_words(own_keys):
    lab = own_keys
    lab.begin("none", 1, skip_negotiation=True, reload_seconds=60)
    [failed] = lab.wait_until_told("visitor.failed")
    assert failed["errors"] == ["The circuit failed to initialize."]


def test_away_for_longer_than_the_retention_the_replica_gives_back_what_it_saved():
    """Blazor's script asks to resume when its circuit is unknown; a replica remembers what it let go."""
    lab = BlazorLab(replicas=1, RETENTION_SECONDS="1")
    try:
        lab.begin("cookie", 1)
        lab.crowd.wait_until(connected=1)
        lab.wait_for_clicks(1)
        [(first, (_, count))] = lab.agree().items()
        lab.know()
        lab.drop()
        lab.replicas["replica-1"].wait_for("circuit.closed", circuit=first)
        lab.know("replica-1")
        lab.wait_until_told("visitor.connected", memory="kept")
        [(second, (_, now))] = lab.agree().items()
        assert second != first and now >= count
    finally:
        lab.close()


def test_the_memory_of_a_killed_replica_is_lost_and_the_page_loads_itself_again(own_keys):
    """The last one here: the lab has two replicas then."""
    lab = own_keys
    lab.begin("cookie", 6)
    lab.crowd.wait_until(count=6, connected=6)
    orphans = {name for name, one in lab.crowd.by_name().items() if one["replica"] == "replica-3"}
    lab.replicas["replica-3"].end(signal.SIGKILL)
    told = lab.wait_until_told("visitor.connected", len(orphans), memory="lost")
    assert {line["visitor"] for line in told} == orphans
    lab.crowd.wait_until(connected=6, failed=0)
    assert set(replicas_of(lab.agree())) == {"replica-1", "replica-2"}
