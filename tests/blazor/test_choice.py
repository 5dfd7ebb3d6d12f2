"""Which app the replicas run: chosen on the page, shown by it, visited by the same browser."""

from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from tests.blazor.conftest import Visit
from tests.browser.pages import is_complaint
from tests.dashboard import TOKEN
from tests.waiting import wait_for

ENGINE = "local"
pytestmark = [pytest.mark.local, pytest.mark.browser, pytest.mark.blazor, pytest.mark.timeout(240)]


@pytest.fixture
def page(chromium, lab):
    """Signed in; no error in its console."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page, complaints = context.new_page(), []
    page.on("console", lambda line: complaints.append(line.text) if is_complaint(line) else None)
    page.goto(f"{lab.dashboard.url}/?token={TOKEN}")
    page.goto(f"{lab.dashboard.url}/affinity")
    expect(page.locator("#live")).to_have_attribute("data-state", "websocket", timeout=30_000)
    yield page
    context.close()
    assert complaints == []


@contextmanager
def another(chromium, lab):
    """A second browser, with cookies of its own."""
    context = chromium.new_context()
    yield Visit(context, lab.url)
    context.close()


def test_a_browser_that_visits_blazor_is_in_the_picture_and_has_a_story(lab, page, visit):
    lab.be("cookie")
    mark = lab.mark()
    assert visit.load().settle(), visit.console
    name = lab.told("circuit.started", mark)[0]["data"]["visitor"]
    expect(page.locator(f"#picture [data-visitor={name}]").first).to_be_visible()
    expect(page.locator("input[name=app][value=circuit]")).to_be_disabled()
    assert page.is_checked("input[name=app][value=blazor]")
    page.focus("#whose")  # fills its list
    page.select_option("#whose", name)
    expect(page.locator("#why-h")).to_contain_text("connected")
    visit.page.goto("about:blank")
    expect(page.locator(f"#picture [data-visitor={name}]")).to_have_count(0, timeout=20_000)


def test_a_frozen_replica_keeps_everything_and_goes_on_when_it_is_thawed(lab, page, visit, chromium):
    lab.be("cookie")
    assert visit.load().settle(), visit.console
    holder, mark = visit.counts(1).holder, lab.mark()
    lab.dashboard.done(lab.dashboard.post(f"/replicas/{holder}/freeze"))
    row = page.locator(f"#replica-table tr[data-replica={holder}]")
    expect(row).to_contain_text("frozen, ejected", timeout=30_000)
    assert lab.told("endpoint.ejected", mark)[0]["source"] == holder
    visit.page.click("#increment")
    with another(chromium, lab) as newcomer:
        assert newcomer.load().settle(), newcomer.console
        assert newcomer.holder != holder, "the balancer sends nobody there"
    assert visit.text("count") == "1", "nothing moves"
    lab.dashboard.done(lab.dashboard.post(f"/replicas/{holder}/thaw"))
    visit.until(lambda: visit.text("count") == "2")
    assert (visit.holder, visit.loads, visit.lines()) == (holder, 1, [])
    assert lab.told("endpoint.readmitted", mark)[0]["source"] == holder
    assert [line["source"] for line in lab.told("replica.thawed", mark)] == [holder]


def test_a_switch_of_blazors_restarts_the_replicas_and_says_so(lab, page):
    lab.be("cookie")
    mark = lab.mark()
    page.click("#blazor summary")
    page.locator("label", has=page.locator("#app-skip")).click()
    expect(page.locator("#app-restarting")).to_contain_text("one after the other")
    changed = lab.told("app_settings.changed", mark)[0]
    assert changed["data"] == {"settings": {"skip_negotiation": True}, "by": "page"}
    assert len(lab.dashboard.events(mark, kind="replica.restarting")) == 3
    expect(page.locator("#app-skip")).to_be_checked()


def test_the_other_app_is_chosen_when_the_lab_stands_still(lab, page):
    page.click("#stop")
    expect(page.locator("#launch")).to_have_text("Launch three Blazor replicas", timeout=30_000)
    page.locator("#app label", has_text="Circuit").click()
    expect(page.locator("#blazor")).to_be_hidden()
    page.click("#launch")
    wait_for(lambda: lab.dashboard.events(kind="affinity_lab.launched")[1:], 60, told=lab.dashboard.told)
    state = lab.dashboard.get()
    assert (state["app"], [each["name"] for each in state["apps"]]) == ("circuit", ["circuit", "blazor"])
    expect(page.locator("#app-note")).to_contain_text("The lab's own stateful app")
