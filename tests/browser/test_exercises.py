"""Every exercise to its end as a student does it, in a real browser; presenting and following."""

import contextlib

import pytest
from playwright.sync_api import expect

from tests.dashboard import TOKEN, Dashboard
from tests.go_caches import share_go_caches
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.local, pytest.mark.timeout(400)]
DONE = 90_000


@pytest.fixture(scope="module")
def dashboard(request, tmp_path_factory):
    """One for all of them: a class does not restart it between exercises either."""
    state = tmp_path_factory.mktemp("class") / "state"
    share_go_caches(state, request.config)
    dashboard = Dashboard("local", state).start()
    yield dashboard
    dashboard.stop()


class Student:
    """Somebody who reads a step, clicks what stands in it and answers what is asked."""

    def __init__(self, page, dashboard):
        self.page, self.dashboard = page, dashboard

    def begin(self, slug):
        self.page.goto(f"{self.dashboard.url}/exercises/{slug}")
        self.page.click("#begin")

    @property
    def step(self):
        return self.page.locator(".step:visible")

    def click(self, *labels):
        """Each button of the text, one after the other, each to the end of what it does."""
        for label in labels:
            self.step.get_by_role("button", name=label, exact=True).click()
            expect(self.step.locator("[data-calls] .spin")).to_have_count(0, timeout=DONE)
            expect(self.step.locator("[data-said] .is-refused")).to_have_count(0)

    def answer(self, *texts):
        for place, text in enumerate(texts):
            field = self.step.locator("[data-answer]").nth(place)
            field.fill(text)
            field.press("Enter")

    def is_done(self):
        """The checks pass by themselves, as soon as the events are there."""
        expect(self.step.locator("[data-onwards]"), self.seen()).to_be_visible(timeout=DONE)

    def onwards(self):
        self.is_done()
        self.step.locator("[data-onwards] a").click()

    def seen(self):
        return f"{self.step.locator('[data-checks]').inner_text()}\n{self.dashboard.told()}"


def browsers_begun(dashboard, after):
    """What real browsers have begun; a page that is loaded again too early has not begun anything."""
    lines = dashboard.events(after, kind="circuit.started")
    return [line for line in lines if str(line["data"].get("visitor")).startswith("browser-")]


@pytest.fixture
def student(chromium, dashboard):
    """Their page fails the test when it logs an error; a refused TRY of a button (409) is none."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    errors = []
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{dashboard.url}/?token={TOKEN}")
    yield Student(page, dashboard)
    context.close()
    assert [text for text in errors if "net::ERR_" not in text and "409 (CONFLICT)" not in text] == []


def test_hello_go_in_stages(student, dashboard):
    student.begin("hello-go-in-stages")
    student.answer("base", "final")
    expect(student.step.locator("[data-check='0'] [data-seen]")).to_contain_text("another one")
    assert not student.step.locator("[data-onwards]").is_visible()
    student.answer("build", "final")
    student.onwards()
    student.click("Build Hello-Go")
    student.answer(f"{dashboard.get()['hello_go']['image']['size'] / 1e6:.1f} MB")
    student.onwards()
    student.click("Launch")
    student.onwards()
    student.click("Call it", "Call it")
    student.onwards()
    student.click("Build once more")
    student.onwards()
    student.click("Stop")
    student.is_done()
    overview = dashboard.get("/exercises")["exercises"]
    assert all(step["passed"] for step in overview[0]["steps"])


def test_the_error_on_reload_and_the_wrong_number(student, dashboard):
    student.begin("error-on-reload")
    student.click("Launch three replicas", "Affinity none")
    student.onwards()
    student.click("Send twelve visitors")
    refusal = wait_for(lambda: dashboard.events(kind="connection.refused"), 30, told=dashboard.told)[0]
    student.answer(f"{refusal['data']['visitor']} replica-9")
    expect(student.step.locator("[data-check='1'] [data-seen]")).to_contain_text("not the one")
    student.answer(f"{refusal['data']['visitor']} {refusal['data']['holder']}")
    student.onwards()
    student.click("WebSockets without negotiate")
    student.onwards()
    student.click("Share the page key", "Drop all connections")
    student.onwards()
    student.click("Affinity by cookie", "Drop all connections")
    student.onwards()
    app = student.page.context.new_page()
    begun = dashboard.get()["seq"]
    app.goto(dashboard.get()["balancer"]["url"])
    wait_for(lambda: browsers_begun(dashboard, begun), 30, told=dashboard.told)
    app.reload()
    student.is_done()


def test_when_affinity_is_not_enough(student, dashboard):
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
    assert not student.step.locator("[data-onwards]").is_visible(), "a cookie that lives leads back"

    def done_after_a_drop():
        """With time for all to come back: who is cut again too soon comes with the cookie it has just got."""
        student.click("Drop all connections")
        with contextlib.suppress(AssertionError):
            expect(student.step.locator("[data-onwards]")).to_be_visible(timeout=6000)
        return student.step.locator("[data-onwards]").is_visible()

    wait_for(done_after_a_drop, 90, told=student.seen)
    student.onwards()
    student.click("Without affinity")
    student.is_done()


def test_the_agent_for_your_processor(student, dashboard):
    machine = dashboard.get()["agent_script"]["machine"]
    foreign = "linux-arm" if machine["rid"] == "linux-x64" else "linux-x64"
    student.begin("agent-for-your-processor")
    student.answer(machine["uname"])
    student.onwards()
    student.click(f"Rehearse with {foreign}")
    student.answer("126")
    student.onwards()
    student.answer(foreign)
    student.onwards()
    student.click("Rehearse, package chosen on the machine")
    student.onwards()
    student.click(f"The plain script with {machine['rid']}")
    student.is_done()


def test_a_step_is_solved_started_over_and_kept_over_a_reload(student, dashboard):
    page = student.page
    dashboard.done(dashboard.post("/affinity-lab/launch"))
    page.goto(f"{dashboard.url}/exercises/error-on-reload#wrong-number")
    page.click(".step:visible [data-act=hint]")
    expect(student.step.locator("[data-hint]")).to_be_visible()
    page.click(".step:visible [data-act=reset]")
    expect(student.step.locator("[data-onwards]")).to_be_hidden(timeout=30_000)
    expect(student.step.locator("[data-check='0'] [data-seen]")).to_contain_text("since this step began")
    dashboard.put("/affinity", {"mode": "none"})
    page.click(".step:visible [data-act=solve]")
    student.is_done()
    expect(student.step.locator("[data-calls] li").first).to_contain_text("PUT /visitors")

    def minutes():
        return dashboard.get("/exercises/error-on-reload")["minutes"]

    before = minutes()
    page.click("#extend")
    wait_for(lambda: minutes() == before + 5, told=dashboard.told)
    page.reload()
    student.is_done()
    assert minutes() == before + 5
    assert page.locator("[data-to=wrong-number][data-passed]").count() == 1


def test_followers_see_the_presenters_step_and_may_step_aside(student, chromium, dashboard):
    page = student.page
    page.goto(f"{dashboard.url}/present/when-affinity-is-not-enough")
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
    dashboard.done(dashboard.post("/affinity-lab/launch"))
    expect(page.locator("#affinity")).to_be_enabled()
    page.keyboard.press("3")
    expect(follower.locator("#picture .balancer")).to_contain_text("source ip")
    page.keyboard.press("a")
    expect(follower.locator("#picture .balancer")).to_contain_text("none")
    mark = dashboard.get()["seq"]
    page.keyboard.press("d")
    wait_for(lambda: dashboard.events(mark, kind="fault.drop_asked"), told=dashboard.told)
    page.keyboard.press("k")
    wait_for(lambda: dashboard.events(mark, kind="replica.killed"), 30, told=dashboard.told)
    expect(page.locator("#followers")).to_contain_text("1 follows", timeout=15_000)
    page.keyboard.press("i")
    page.click("[data-revoke]")
    expect(follower.locator("#live")).to_have_attribute("data-state", "signed-out", timeout=15_000)
    guest.close()
