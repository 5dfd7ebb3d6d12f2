"""The affinity lab's exercises to their end as a student does them; presenting and following."""

import contextlib

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect

from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


def browsers_begun(dashboard, after):
    """What real browsers have begun; a page that is loaded again too early has not begun anything."""
    lines = dashboard.events(after, kind="circuit.started")
    return [line for line in lines if str(line["data"].get("visitor")).startswith("browser-")]


def refusals(dashboard, after):
    """Those that can be answered: it is known who was refused, and who holds the connection."""
    found = [line["data"] for line in dashboard.events(after, kind="connection.refused")]
    return [data for data in found if data.get("visitor") and data.get("holder")]


def load(page, url):
    """Again when Chromium dropped it: it does so when a container gets its network meanwhile."""

    def loaded():
        with contextlib.suppress(PlaywrightError):
            return page.goto(url)

    wait_for(loaded, 60)


def test_the_error_on_reload_and_the_wrong_number(student, classroom):
    student.begin("error-on-reload")
    student.click("Launch three replicas", "Affinity none")
    student.onwards()
    begun = classroom.get()["seq"]
    student.click("Send twelve visitors")
    refusal = wait_for(lambda: refusals(classroom, begun), 60, told=classroom.told)[0]
    student.answer(f"{refusal['visitor']} replica-9")
    expect(student.step.locator("[data-check='1'] [data-seen]")).to_contain_text(
        "not the one", timeout=30_000
    )
    student.answer(f"{refusal['visitor']} {refusal['holder']}")
    student.onwards()
    student.click("WebSockets without negotiate")
    student.onwards()
    student.click("Share the page key")
    student.click_until_done("Drop all connections")
    student.onwards()
    student.click("Affinity by cookie")
    student.click_until_done("Drop all connections")
    student.onwards()
    app = student.page.context.new_page()
    begun = classroom.get()["seq"]
    load(app, classroom.get()["balancer"]["url"])
    wait_for(lambda: browsers_begun(classroom, begun), 60, told=classroom.told)
    load(app, app.url)
    student.is_done()


def test_when_affinity_is_not_enough(student, classroom):
    student.begin("when-affinity-is-not-enough")
    student.click("Set it up")
    student.onwards()
    student.click("Kill replica-2")
    student.onwards()
    student.click("Share the page key, everybody anew", "Drain replica-3")
    student.onwards()
    student.click("Let replica-3 in again", "Affinity by source IP, one address")
    student.onwards()
    student.click("A cookie that lives ten seconds", "Drop all connections")
    expect(student.step.locator("[data-check='1']")).to_have_attribute("data-shape", "ok")
    # who is cut again too soon comes with the cookie it has just got
    student.click_until_done("Drop all connections", seconds=12)
    student.onwards()
    student.click("Without affinity")
    student.is_done()


def test_a_step_is_solved_started_over_and_kept_over_a_reload(student, classroom):
    page = student.page
    classroom.done(classroom.post("/affinity-lab/launch"))
    page.goto(f"{classroom.url}/exercises/error-on-reload#wrong-number")
    page.click(".step:visible [data-act=hint]")
    expect(student.step.locator("[data-hint]")).to_be_visible()
    page.click(".step:visible [data-act=reset]")
    expect(student.step.locator("[data-onwards]")).to_be_hidden(timeout=30_000)
    expect(student.step.locator("[data-check='0'] [data-seen]")).to_contain_text("since this step began")
    classroom.put("/affinity", {"mode": "none"})
    page.click(".step:visible [data-act=solve]")
    student.is_done()
    expect(student.step.locator("[data-calls] li").first).to_contain_text("PUT /visitors")

    def minutes():
        return classroom.get("/exercises/error-on-reload")["minutes"]

    before = minutes()
    page.click("#extend")
    wait_for(lambda: minutes() == before + 5, told=classroom.told)
    page.reload()
    student.is_done()
    assert minutes() == before + 5
    assert page.locator("[data-to=wrong-number][data-passed]").count() == 1


def test_followers_see_the_presenters_step_and_may_step_aside(student, chromium, classroom):
    page = student.page
    page.goto(f"{classroom.url}/present/when-affinity-is-not-enough")
    expect(page.locator("#live")).to_have_attribute("data-state", "websocket")
    page.keyboard.press("i")
    page.click("[data-invite=follower]")
    link = page.locator("#links code").first.inner_text()
    page.keyboard.press("Escape")
    guest = chromium.new_context(viewport={"width": 390, "height": 844})
    follower = guest.new_page()
    follower.goto(link)
    expect(follower.locator(".step:visible h1")).to_have_text("A healthy start")
    page.keyboard.press("n")
    expect(follower.locator(".step:visible h1")).to_have_text("A replica dies")
    follower.click("[data-to=expiry] >> visible=true")
    expect(follower.locator("#follow-state")).to_contain_text("stepped aside")
    page.keyboard.press("n")
    expect(page.locator("#where")).to_contain_text("Step 3 of 6")
    expect(follower.locator(".step:visible h1")).to_have_text("The cookie expires")
    follower.click("#come-back")
    expect(follower.locator(".step:visible h1")).to_have_text("A replica is drained")
    classroom.done(classroom.post("/affinity-lab/launch"))
    expect(page.locator("#affinity")).to_be_enabled()
    page.keyboard.press("3")
    expect(follower.locator("#picture .balancer")).to_contain_text("source ip")
    page.keyboard.press("a")
    expect(follower.locator("#picture .balancer")).to_contain_text("none")
    mark = classroom.get()["seq"]
    page.keyboard.press("d")
    wait_for(lambda: classroom.events(mark, kind="fault.drop_asked"), told=classroom.told)
    page.keyboard.press("k")
    wait_for(lambda: classroom.events(mark, kind="replica.killed"), 30, told=classroom.told)
    expect(page.locator("#followers")).to_contain_text("1 follows", timeout=15_000)
    page.keyboard.press("i")
    page.click("[data-revoke]")
    expect(follower.locator("#live")).to_have_attribute("data-state", "signed-out", timeout=15_000)
    guest.close()
