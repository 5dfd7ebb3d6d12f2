"""The whole Hello-Go story in a real browser: choose, build, see it fail, mend it, launch, call, compare."""

import pytest
from playwright.sync_api import expect

from services.hello_go.platforms import this_platform
from tests.browser.pages import tick
from tests.dashboard import TOKEN
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
LONG = 240_000
FOREIGN = "linux/arm/v7" if this_platform() != "linux/arm/v7" else "linux/amd64"


@pytest.fixture
def hello(page, dashboard):
    page.goto(f"{dashboard.url}/hello-go")
    expect(page.locator("#live")).to_have_attribute("data-state", "websocket")
    expect(page.locator("#greeting")).to_be_enabled()
    return page


def lab(dashboard):
    return dashboard.get()["hello_go"]


def test_the_whole_story_from_a_mistake_to_the_smallest_image(hello, dashboard):
    docker = dashboard.engine == "docker"
    build(hello)
    choose_and_see_it_in_the_source(hello)
    fail_at_the_line(hello)
    mend_and_launch(hello, dashboard, docker)
    call_and_load(hello, dashboard)
    if docker:
        compare(hello, dashboard)
    else:
        expect(hello.locator("#compare")).to_be_disabled()
        expect(hello.locator("#base")).to_be_disabled()
        expect(hello.locator("#limits")).to_contain_text("not a container")
        expect(hello.locator("#files")).to_contain_text("is for Docker: without it")
        expect(hello.locator("#sizes")).to_contain_text("The binary")
        expect(hello.locator("#surface-foot")).to_contain_text("Start Docker")
    try_another_processor(hello, dashboard)
    hello.reload()
    expect(hello.locator(f"tr[data-platform='{FOREIGN}']")).to_contain_text("format error", ignore_case=True)
    hello.click("#hello-stop")
    wait_for(lambda: lab(dashboard)["phase"] == "stopped", 30, told=dashboard.told)
    expect(hello.locator("#call")).to_be_disabled()


def choose_and_see_it_in_the_source(hello):
    program = hello.locator("table[data-source='hello-go.go']")
    expect(program).to_contain_text('"Hello-Go"')
    assert hello.locator("table[data-source=Dockerfile] .k").first.inner_text() == "FROM"
    expect(hello.locator("table[data-source=Dockerfile]")).to_contain_text("Only the result crosses over")
    hello.fill("#greeting", "<b>Moin</b> 100 %")
    hello.press("#greeting", "Tab")
    expect(program).to_contain_text('"<b>Moin</b> 100 %"')
    assert program.locator("b").count() == 0, "a greeting is text, never markup"


def build(hello):
    """What a failed build made is removed with it: only one that ended well is a cache for the next."""
    hello.click("#build")
    expect(hello.locator("#sources-state")).to_have_text("just what was built", timeout=LONG)


def fail_at_the_line(hello):
    hello.select_option("#mistake", "misspelt")
    expect(hello.locator("table[data-source='hello-go.go']")).to_contain_text("fmt.Fprnt")
    hello.click("#build")
    expect(hello.locator("#build-failure")).to_contain_text("undefined: fmt.Fprnt", timeout=LONG)
    line = hello.locator("tr.complained")
    expect(line).to_have_count(1)
    expect(line).to_contain_text("fmt.Fprnt")
    assert line.locator(".ln").inner_text() in hello.locator("#build-failure").inner_text()
    hello.select_option("#mistake", "none")
    expect(line).to_have_count(0)


def mend_and_launch(hello, dashboard, docker):
    hello.click("#hello-launch")
    wait_for(lambda: lab(dashboard)["phase"] == "running", 240, told=dashboard.told)
    expect(hello.locator("#build-failure")).to_be_empty()
    expect(hello.locator("#sources-state")).to_have_text("just what was built")
    if docker:
        expect(hello.locator("#steps .stage-group")).to_have_count(3)
        expect(hello.locator("#steps")).to_contain_text("cached")
        assert hello.locator("#output .t-red").count() == 0
    expect(hello.locator("#output")).to_contain_text("go build")


def call_and_load(hello, dashboard):
    hello.click("#call")
    expect(hello.locator("#call-result")).to_contain_text("200, <b>Moin</b> 100 %")
    expect(hello.locator("#call-answer")).to_contain_text("Content-Length: 17")
    tick(hello, "#repeat")
    wait_for(lambda: (lab(dashboard)["calls"] or {}).get("count", 0) >= 3, 30, told=dashboard.told)
    tick(hello, "#repeat", False)
    hello.fill("#load-count", "120")
    hello.click("#load-go")
    expect(hello.locator("#percentiles td").first).to_have_text("120", timeout=60_000)
    expect(hello.locator("#load-foot")).to_contain_text("n = 120, 8 callers")


def compare(hello, dashboard):
    expect(hello.locator("#base option[value=distroless]")).to_contain_text("not on this machine")
    hello.click("#compare")
    wait_for(lambda: dashboard.events(kind="hello_go.compared"), 240, told=dashboard.told)
    images = {(image["role"], image["base"]): image for image in dashboard.get("/hello-go/images")["images"]}
    scratch, alpine = images["runtime", "scratch"], images["runtime", "alpine"]
    build, single = images["build", None], images["single", None]
    assert scratch["size"] < 6_000_000 and alpine["size"] < 12_000_000
    assert build["size"] > 200_000_000 and single["size"] >= build["size"]
    assert scratch["surface"]["files"] == 1 and scratch["surface"]["shell"] is None
    assert (
        alpine["surface"]["shell"] and not alpine["surface"]["compiler"] and not alpine["surface"]["source"]
    )
    assert build["surface"]["compiler"] and build["surface"]["source"] == "/build/hello-go.go"
    for image in images.values():
        assert sum(layer["size"] for layer in image["layers"]) == image["size"]
    rows = hello.locator("#sizes tr")
    expect(rows.filter(has_text="on scratch")).to_contain_text(f"{scratch['size']:,} B")
    expect(rows.filter(has_text="final image, alpine")).to_contain_text("12")
    expect(hello.locator("#surface td", has_text="hello-go.go")).to_have_count(2)


def try_another_processor(hello, dashboard):
    """One is enough here; the button takes all of them."""
    dashboard.done(dashboard.post("/hello-go/processors", {"platforms": [FOREIGN]}), 300)
    row = hello.locator(f"tr[data-platform='{FOREIGN}']")
    expect(row).to_contain_text("format error", ignore_case=True)
    assert lab(dashboard)["phase"] == "running", "the app of this machine was left alone"


def test_a_build_is_cancelled_by_a_click_and_the_next_one_works(hello, dashboard):
    hello.fill("#greeting", f"Cancelled on {dashboard.port}")
    hello.press("#greeting", "Tab")
    hello.click("#build")
    wait_for(lambda: begun(dashboard), 120, told=dashboard.told)
    hello.click("#cancel")
    expect(hello.locator("#build-state")).to_contain_text("cancelled", timeout=30_000)
    expect(hello.locator("#build")).to_be_enabled()
    assert lab(dashboard)["phase"] == "stopped" and lab(dashboard)["error"] is None


def begun(dashboard):
    """The compiler works: its step has begun, or it named a package."""
    return any(
        "go build" in line["text"] for line in dashboard.events(kind="output.line") if "Step" in line["text"]
    ) or (dashboard.engine == "local" and dashboard.events(kind="output.line"))


def test_a_choice_that_cannot_be_is_refused_in_place(chromium, dashboard):
    """On a page of its own: Chromium notes every 400 in its console, which the other fixture forbids."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{dashboard.url}/hello-go?token={TOKEN}")
    expect(page.locator("#port")).to_be_enabled()
    page.fill("#port", "80")
    page.press("#port", "Tab")
    expect(page.locator("#choice-said")).to_contain_text("1024")
    expect(page.locator("table[data-source=Dockerfile]")).to_contain_text("EXPOSE 8080")
    page.fill("#port", "9090")
    page.press("#port", "Tab")
    expect(page.locator("#choice-said")).to_be_empty()
    expect(page.locator("table[data-source=Dockerfile]")).to_contain_text("EXPOSE 9090")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
