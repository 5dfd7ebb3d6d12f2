"""The live log of a long past: who comes late reads, searches, links and takes away any part of it."""

import itertools
import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.pages import watched_page
from tests.dashboard import Dashboard
from tests.long_log import record_past

pytestmark = [pytest.mark.browser, pytest.mark.local, pytest.mark.timeout(300)]
PAST = 20_000
LATER = 20_000
"""Milliseconds; a loaded machine takes its time."""
PLACES = """() => {
  const view = document.querySelector('#log-scroll').getBoundingClientRect();
  const lines = [...document.querySelectorAll('#log-lines li')];
  return lines.map((line) => [Number(line.dataset.seq ?? NaN) || null, line.getBoundingClientRect()])
    .filter(([, at]) => at.bottom > view.top + 1 && at.top < view.bottom - 1)
    .map(([seq, at]) => [seq, at.top - view.top, at.height]);
}"""


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """A dashboard with a past of twenty thousand lines."""
    folder = tmp_path_factory.mktemp("log") / "state"
    folder.mkdir()
    record_past(folder, PAST)
    dashboard = Dashboard("local", folder).start()
    yield dashboard
    dashboard.stop()


@pytest.fixture
def log(chromium, old):
    """A signed-in page that has not opened the lab yet."""
    with watched_page(chromium, f"{old.url}/") as page:
        yield page


def opened(page, old, address="/affinity"):
    page.goto(f"{old.url}{address}")
    expect(page.locator("#log-count")).to_have_text(re.compile(r"2\d,\d{3} lines"), timeout=LATER)
    return page


def in_view(page, condition="() => true"):
    """The lines in view as [seq, top, height], once all have come and `condition` of them, in JS, is true."""
    come = f"const lines = ({PLACES})(); return lines.length > 0 && lines.every(([seq]) => seq !== null)"
    page.wait_for_function(f"() => {{ {come} && ({condition})(lines); }}", timeout=LATER)
    return page.evaluate(PLACES)


def whole_and_in_order(lines):
    """One under the other, without a hole, each number once."""
    under = all(abs(a[1] + a[2] - b[1]) < 1 for a, b in itertools.pairwise(lines))
    return under and [line[0] for line in lines] == list(range(lines[0][0], lines[0][0] + len(lines)))


def stands_still(before, after):
    """The same lines at the same places, but for a part of a pixel."""
    same = [line[0] for line in before] == [line[0] for line in after]
    return same and all(abs(a[1] - b[1]) < 1 for a, b in zip(before, after, strict=True))


def test_any_part_of_a_long_past_is_a_scroll_away_and_the_document_stays_small(log, old):
    page = opened(log, old)
    scroll = page.locator("#log-scroll")
    for part in (0.5, 0.02, 0.77, 0.31, 1, 0):
        scroll.evaluate(
            f"element => element.scrollTop = {part} * (element.scrollHeight - element.clientHeight)"
        )
        low, high = max(0, part - 0.02) * PAST, (part + 0.02) * PAST
        lines = in_view(page, f"lines => lines[0][0] >= {low} && lines[0][0] <= {high} + 60")
        assert whole_and_in_order(lines), (part, lines)
        assert page.locator("#log-lines li").count() <= 80
    assert lines[0][:2] == [1, 0], "the first line is at the very top"
    scroll.focus()
    following = page.locator("#follow[aria-pressed=true]")
    for paused in (False, True):
        page.keyboard.press("End")
        lines = in_view(page, f"lines => lines.at(-1)[0] >= {PAST}")
        bottom = scroll.evaluate("element => element.clientHeight")
        assert abs(lines[-1][1] + lines[-1][2] - bottom) <= 1, "nothing is below the last line"
        expect(following).to_have_count(0 if paused else 1)
        page.keyboard.press("Home")
        lines = in_view(page, "lines => lines[0][0] === 1")
        assert lines[0][:2] == [1, 0], "the first line is at the very top"
        expect(following).to_have_count(0)
        if not paused:
            page.click("#pause")
            scroll.focus()


def test_scrolling_line_by_line_never_skips_repeats_or_jumps(log, old):
    page = opened(log, old, "/affinity#event-9000")
    before = in_view(page, "lines => lines.some(([seq]) => seq === 9000)")
    page.mouse.move(1300, 600)
    for step in (-300, -300, -300, 220, -300, -300, 400, 400, 400, 400, 400, 400):
        top = page.locator("#log-scroll").evaluate("element => element.scrollTop")
        page.mouse.wheel(0, step)
        page.wait_for_function(
            f"() => document.querySelector('#log-scroll').scrollTop !== {top}", timeout=LATER
        )
        after = in_view(page)
        assert whole_and_in_order(after), after
        tops = {seq: top for seq, top, _ in before}
        moved = [top - tops[seq] for seq, top, _ in after if seq in tops]
        assert moved, "a tick of the wheel leaves some lines in view"
        assert max(moved) - min(moved) < 1, "all lines move by the same way"
        before = after


def test_new_lines_do_not_move_what_somebody_reads_and_follow_catches_up(log, old):
    page = opened(log, old, "/affinity?event=4321")
    reading = in_view(page, "lines => lines.some(([seq]) => seq === 4321)")
    last = old.get()["seq"]
    old.post("/hello-go/stop")
    expect(page.locator("#news")).to_have_text(re.compile(r"\d+ new, follow"), timeout=LATER)
    assert stands_still(reading, page.evaluate(PLACES))
    page.click("#news")
    in_view(page, f"lines => lines.at(-1)[0] > {last}")
    expect(page.locator("#news")).to_be_hidden()
    page.click("#pause")
    paused = in_view(page)
    old.post("/hello-go/stop")
    expect(page.locator("#news")).to_be_visible(timeout=LATER)
    assert stands_still(paused, page.evaluate(PLACES))
    page.click("#follow")
    in_view(page, f"lines => lines.at(-1)[0] > {paused[-1][0]}")


def test_a_link_to_an_event_shows_it_to_somebody_who_comes_late_and_gives_up_filters_for_it(log, old):
    page = opened(log, old, "/affinity#event-812")
    linked = page.locator("#log-lines li[aria-current=true]")
    expect(linked).to_have_attribute("data-seq", "812", timeout=LATER)
    expect(linked).to_be_in_viewport()
    page.fill("#find", "visitor-7")
    expect(page.locator("#log-count")).to_have_text(re.compile(r"^100 of 2"), timeout=LATER)
    page.evaluate("location.hash = '#event-815'")
    expect(linked).to_have_attribute("data-seq", "815", timeout=LATER)
    expect(page.locator("#find")).to_have_value("")
    page.evaluate("location.hash = '#event-999999'")
    expect(page.locator("#log-said")).to_contain_text("Event 999999 is not in the log", timeout=LATER)
    time = page.locator("#log-lines li[data-seq='816'] a")
    time.click()
    expect(page).to_have_url(re.compile("#event-816$"))
    expect(linked).to_have_attribute("data-seq", "816")
    expect(page.locator("#why")).to_be_hidden()


def test_filters_combine_over_the_whole_past_and_the_file_has_what_they_show(log, old):
    page = opened(log, old)
    page.fill("#find", "memory ELSEWHERE visitor-7")
    page.click("#filter-level [data-value=refused]")
    page.click("#filter-source [data-value=replica-7]")
    wanted = old.events(outcome="refused", source="replica-7", q="memory elsewhere visitor-7")
    assert len(wanted) == 25
    expect(page.locator("#log-count")).to_have_text(re.compile(r"^25 of 2"), timeout=LATER)
    page.locator("#log-scroll").evaluate("element => element.scrollTop = 0")
    lines = in_view(page, f"lines => lines[0][0] === {wanted[0]['seq']}")
    assert [seq for seq, _, _ in lines] == [line["seq"] for line in wanted[: len(lines)]]
    with page.expect_download() as download:
        page.click("#log-jsonl")
    saved = download.value.path().read_text().splitlines()
    assert [json.loads(line) for line in saved] == wanted
    at = wanted[20]["at"]
    page.fill("#log-time", page.evaluate("at => new Date(at).toTimeString().slice(0, 8)", at))
    page.click("#log-jump button")
    expect(page.locator("#log-said")).to_contain_text(re.compile(r"^Event \d+, at "), timeout=LATER)
    seq = int(page.locator("#log-lines li[aria-current=true]").get_attribute("data-seq"))
    assert seq == next(line["seq"] for line in wanted if line["at"] >= at[:19])
