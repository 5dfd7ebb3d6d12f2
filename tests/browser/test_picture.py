"""The picture and the charts of a real lab: drawn from its events, and only while somebody looks."""

import re
from contextlib import ExitStack

import pytest
from playwright.sync_api import expect

from tests.browser.pages import watched_page
from tests.dashboard import Dashboard
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.local, pytest.mark.timeout(300)]
LATER = 30_000
VISITORS = 12
HIDEABLE = """
  const [ask, waiting] = [window.requestAnimationFrame.bind(window), []];
  const clear = CanvasRenderingContext2D.prototype.clearRect;
  Object.assign(window, { hidden: false, drawn: 0 });
  Object.defineProperty(document, 'hidden', { get: () => window.hidden });
  Object.defineProperty(document, 'visibilityState', { get: () => (window.hidden ? 'hidden' : 'visible') });
  window.requestAnimationFrame = (work) =>
    ask((now) => (window.hidden ? waiting.push(work) : work(now)));
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    window.drawn += this.canvas.className === 'flights';
    clear.apply(this, box);
  };
  window.hide = (hidden) => {
    window.hidden = hidden;
    document.dispatchEvent(new Event('visibilitychange'));
    if (!hidden) waiting.splice(0).forEach(window.requestAnimationFrame);
  };
"""
"""Chromium without a window shows every tab. A tab that `hide` hides is told so, and gets no frames."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    dashboard = Dashboard("local", tmp_path_factory.mktemp("picture") / "state").start()
    dashboard.launch_lab(affinity="cookie", visitors=VISITORS)
    connected(dashboard, VISITORS)
    yield dashboard
    dashboard.stop()


@pytest.fixture
def opened(chromium, lab):
    """Opens the lab's page in a browser of its own, as often as it is asked to."""
    with ExitStack() as stack:

        def open_page(**context):
            context = {"viewport": {"width": 1440, "height": 1300}} | context
            page = stack.enter_context(watched_page(chromium, f"{lab.url}/affinity", **context))
            expect(page.locator("#live")).to_have_attribute("data-state", "websocket", timeout=LATER)
            return page

        yield open_page


def connected(dashboard, count):
    wait_for(lambda: dashboard.get()["visitors"]["connected"] == count, 60, told=dashboard.told)


def cut_all(dashboard):
    """Cut everybody off; returns when all are back."""
    after = dashboard.get()["seq"]
    dropped = dashboard.post("/connections/drop")["dropped"]
    wait_for(
        lambda: len(dashboard.events(after=after, kind="visitor.connected")) >= dropped,
        60,
        told=dashboard.told,
    )


def number(page, place):
    return int(page.locator(place).inner_text().replace(",", ""))


def test_the_charts_count_who_came_back_and_tell_a_latecomer_the_same(opened, lab):
    page = opened()
    expect(page.locator(".plot canvas")).to_have_count(5, timeout=LATER)
    before = number(page, "#sum-kept")
    cut_all(lab)
    expect(page.locator("#sum-kept")).to_have_text(str(before + VISITORS), timeout=LATER)
    expect(page.locator("#charts-note")).to_contain_text(re.compile(r"drop \d\d:\d\d:\d\d"))
    expect(page.locator("#charts-said")).to_contain_text("Connections now: replica-1")
    expect(page.locator("#sum-times")).to_have_text(re.compile(r"^\d+\.\d s$"))
    painted = page.locator("#plot-kept canvas").evaluate(
        "canvas => new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size"
    )
    assert painted > 10, "bars, axis and band have colours"
    late = opened()
    expect(late.locator("#sum-kept")).to_have_text(page.locator("#sum-kept").inner_text(), timeout=LATER)


def test_requests_fly_while_one_looks_and_rest_while_the_picture_is_out_of_view(opened, lab):
    page = opened(viewport={"width": 390, "height": 700})
    page.add_init_script(HIDEABLE)
    page.reload()
    flown = "Number(document.querySelector('.flights').dataset.flown ?? 0)"
    expect(page.locator("#live")).to_have_attribute("data-state", "websocket", timeout=LATER)
    cut_all(lab)
    page.wait_for_function(f"() => {flown} >= {VISITORS}", timeout=LATER)
    page.locator("#stop").scroll_into_view_if_needed()
    expect(page.locator("#picture")).not_to_be_in_viewport()
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    seen, drawn = page.evaluate(f"[{flown}, drawn]")
    last = lab.get()["seq"]
    cut_all(lab)
    page.wait_for_function(f"() => labdeck.store.last > {last + 2 * VISITORS}", timeout=LATER)
    assert page.evaluate(f"[{flown}, drawn]") == [seen, drawn]
    page.locator("#picture").scroll_into_view_if_needed()
    expect(page.locator("#picture")).to_be_in_viewport()
    cut_all(lab)
    page.wait_for_function(f"() => {flown} > {seen}", timeout=LATER)


def test_a_hidden_tab_asks_for_nothing_and_comes_back_with_what_is_so_now(opened, lab):
    page = opened()
    page.add_init_script(HIDEABLE)
    page.reload()
    flown = "Number(document.querySelector('.flights').dataset.flown ?? 0)"
    expect(page.locator("#live")).to_have_attribute("data-state", "websocket", timeout=LATER)
    cut_all(lab)
    page.wait_for_function(f"() => {flown} >= {VISITORS} && drawn > 0", timeout=LATER)
    page.evaluate("hide(true)")
    before, last = page.evaluate(f"[drawn, {flown}]"), lab.get()["seq"]
    lab.done(lab.put("/visitors", {"count": VISITORS - 4}))
    cut_all(lab)
    page.wait_for_function(f"() => labdeck.store.last > {last + VISITORS}", timeout=LATER, polling=100)
    assert page.evaluate(f"[drawn, {flown}]") == before
    assert page.locator("#picture .visitor").count() == VISITORS, "the picture stands still meanwhile"
    shown = page.evaluate(f"() => {{ hide(false); return {flown}; }}")
    assert shown == before[-1], "what nobody saw does not fly afterwards"
    expect(page.locator("#picture .visitor")).to_have_count(VISITORS - 4, timeout=LATER)
    cut_all(lab)
    page.wait_for_function(f"() => {flown} > {shown} && drawn > {before[0]}", timeout=LATER)
    lab.done(lab.put("/visitors", {"count": VISITORS}))
    connected(lab, VISITORS)


def test_a_storm_of_two_hundred_is_told_in_few_shapes_and_in_a_table(opened, lab):
    page = opened(reduced_motion="reduce")
    rows = page.locator("#picture-table tbody tr")
    expect(rows).to_have_count(VISITORS, timeout=LATER)
    lab.put("/visitors", {"count": 200})
    connected(lab, 200)
    cut_all(lab)
    expect(page.locator("#verdict")).to_have_text(re.compile("200 visitors"), timeout=LATER)
    expect(rows).to_have_count(3)
    cells = "[...document.querySelectorAll('#picture-table td')].map((cell) => Number(cell.innerText))"
    page.wait_for_function(f"() => {cells}.reduce((sum, each) => sum + each) === 200", timeout=LATER)
    assert page.locator("#picture svg *").count() < 200
    assert int(page.locator(".flights").get_attribute("data-flown")) >= 200


def test_of_two_hundred_the_followed_visitor_keeps_its_own_line_and_name(opened, lab):
    page = opened()
    lab.put("/visitors", {"count": 200})
    connected(lab, 200)
    expect(page.locator("#picture-table caption")).to_contain_text("200 visitors", timeout=LATER)
    expect(page.locator("#picture .visitor")).to_have_count(0, timeout=LATER)
    page.focus("#whose")
    page.select_option("#whose", "visitor-77")
    own = page.locator("#picture .visitor[data-visitor=visitor-77]")
    expect(own).to_have_count(1, timeout=LATER)
    expect(own.locator(".beside")).to_have_text("visitor-77")
    home = lab.get()["people"]["visitor-77"]["replica"]
    followed = f"Followed: visitor-77, connected, memory in {home}."
    expect(page.locator("#picture-table caption")).to_contain_text(followed)
    expect(page.locator(f"#picture .plug.own.{home.replace('replica-', 'r')}")).to_have_count(1)
    cut_all(lab)
    expect(own).to_have_class(re.compile(rf"\bon kept {home.replace('replica-', 'r')}\b"), timeout=LATER)
    own.locator(".who").click()
    expect(page.locator("#picture .visitor")).to_have_count(0, timeout=LATER)
    expect(page.locator("#picture .plug.own")).to_have_count(0)
