"""Runs on the page, in a real browser: measured with one click, read, compared, played again."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.dashboard import Dashboard
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.local, pytest.mark.timeout(240)]


@pytest.fixture
def dashboard(tmp_path):
    """On the local engine alone: what is tested here is the page."""
    dashboard = Dashboard("local", tmp_path / "state").start()
    dashboard.launch_lab()
    yield dashboard
    dashboard.stop()


def choose_situations(page, *wanted):
    for name in ("first_connect", "drop", "replica_death", "page_reload", "replica_stop", "drain"):
        chip = page.locator(f"#run-wanted [data-name={name}]")
        if (chip.get_attribute("aria-pressed") == "true") != (name in wanted):
            chip.click()


def test_one_click_measures_and_the_table_shows_what_was_measured(page, dashboard):
    only = {"n": 2, "affinities": ["cookie"], "transports": ["auto", "WebSockets"], "situations": ["drop"]}
    dashboard.done(dashboard.post("/runs", only))
    page.goto(f"{dashboard.url}/affinity")
    expect(page.locator("#run-measure")).to_be_enabled()
    choose_situations(page, "drop")
    expect(page.locator("#run-rough")).to_contain_text("15 cells, about")
    page.fill("#run-n", "3")
    page.click("#run-measure")
    expect(page.locator("#run-now")).to_contain_text("Measuring cell")
    expect(page.locator("#run-now")).to_contain_text("left.")
    wait_for(lambda: len(dashboard.events(kind="run.finished")) == 2, 120, told=dashboard.told)

    expect(page.locator("#runs-h")).to_have_text("Run 2: who came back after a drop")
    cookie = page.locator("#run-matrix tbody tr", has_text="cookie").locator("button")
    expect(cookie).to_have_count(5)
    for cell in cookie.all():
        expect(cell).to_contain_text("100%")
        expect(cell).to_contain_text("3 of 3")
    auto = page.locator("button[data-affinity=none][data-transport=auto]")
    expect(auto).to_contain_text("theory 23 %")
    auto.click()
    expect(page.locator("#run-cell")).to_contain_text("one of three transports must open where it was")
    page.select_option("#run-beside", "1")
    both = page.locator("button[data-affinity=cookie][data-transport=WebSockets]")
    expect(both).to_contain_text("run 1")
    expect(both).to_contain_text("2 of 2")

    for kind in ("csv", "json"):
        with page.expect_download() as download:
            page.click(f"#run-{kind}")
        assert download.value.suggested_filename == f"run-2.{kind}"
        content = Path(download.value.path()).read_text()
        assert content.count("\n") == 16 if kind == "csv" else json.loads(content) == dashboard.get("/runs/2")
    replay(page, dashboard)


def replay(page, dashboard):
    """The picture shows the run again while the lab goes on; back to live shows the lab."""
    page.click("button[data-affinity=cookie][data-transport=WebSockets]")
    page.click("#run-cell button")
    expect(page.locator("#replay")).to_contain_text("Replay of run 2, recorded at")
    page.select_option("#replay-speed", "4")
    expect(page.locator("#verdict")).to_have_text(
        "Replay of run 2: All 3 visitors are with their memory", timeout=20_000
    )
    page.click("#replay-pause")
    expect(page.locator("#picture .visitor")).to_have_count(3)
    dashboard.done(dashboard.put("/visitors", {"count": 1}))
    expect(page.locator("#visitors")).to_have_value("1")
    expect(page.locator("#picture .visitor")).to_have_count(3)
    page.click("#replay-close")
    expect(page.locator("#picture .visitor")).to_have_count(1)
    expect(page.locator("#verdict")).not_to_contain_text("Replay")
    page.reload()
    expect(page.locator("#runs-h")).to_contain_text("Run 2")


def test_a_run_with_several_kinds_of_keys_is_seen_at_a_glance(page, dashboard):
    """What is measured by one click on each button, and the table that shows what cures what."""
    only = {"n": 3, "affinities": ["cookie"], "transports": ["WebSockets"], "situations": ["drop", "drain"]}
    dashboard.done(dashboard.post("/runs", only | {"keys": ["own", "shared"]}))
    page.goto(f"{dashboard.url}/affinity")
    expect(page.locator("#runs-h")).to_have_text("Run 1: what cures what")
    cells = page.locator("#run-matrix button.cell-of")
    expect(cells).to_have_text(
        ["memory kept3 of 3", "memory kept3 of 3", "memory lost1 of 1", "memory kept1 of 1"]
    )
    page.get_by_role("button", name="Drain, cookie, own keys, memory lost, 1 of 1").click()
    expect(page.locator("#runs-h")).to_have_text("Run 1: who came back after a replica was drained")
    page.click("#run-matrix button[data-keys=own]")
    expect(page.locator("#run-cell")).to_contain_text("no other replica can read what this one signed")

    choose_situations(page, "drain")
    page.click("#run-keys [data-name=shared]")
    expect(page.locator("#run-rough")).to_contain_text("30 cells")
    page.click("#run-keys [data-name=own]")
    page.click("#run-keys [data-name=shared]")
    expect(page.locator("#run-rough")).to_have_text("Choose at least one kind of keys.")
    expect(page.locator("#run-measure")).to_be_disabled()
    expect(page.locator("#run-tables-rough")).to_contain_text("40 cells")
    page.click("#run-tables")
    expect(page.locator("#run-now")).to_contain_text(
        "Measuring cell 1 of 40: none, Auto, own keys, first connect."
    )
    page.click("#run-cancel")
    wait_for(lambda: dashboard.events(kind="run.cancelled"), 60, told=dashboard.told)
    tables = dashboard.get("/runs")["offer"]["tables"]
    plan = dashboard.get("/runs/2")["plan"]
    assert all(plan[name] == tables[name] for name in ("affinities", "transports", "keys", "situations"))
