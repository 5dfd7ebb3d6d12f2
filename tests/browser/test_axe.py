"""Every page, for everyone: axe finds nothing serious, and the keyboard reaches and shows everything."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.dashboard import TOKEN, Dashboard
from tests.go_caches import share_go_caches
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.local, pytest.mark.timeout(300)]
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
LOOKS = [(scheme, size) for size in (WIDE, NARROW) for scheme in ("light", "dark")]
SLOW = 30_000
KEYBOARD = Path(__file__).with_name("keyboard.js")


class Classroom:
    """One dashboard and its browsers: the instructor's, a follower's, and one that nobody let in."""

    def __init__(self, chromium, dashboard):
        self.dashboard = dashboard
        # with motion a colour is seen half way between two
        contexts = [chromium.new_context(reduced_motion="reduce", viewport=WIDE) for _ in range(3)]
        self.page, self.follower, self.stranger = [context.new_page() for context in contexts]
        self.page.goto(f"{dashboard.url}/?token={TOKEN}")
        link = dashboard.post("/invitations", {"role": "follower"})["link"]
        self.follower.goto(link)

    def open(self, path, page=None):
        page = page or self.page
        page.set_viewport_size(WIDE)
        page.goto("about:blank")  # a fragment alone would not load it again
        page.goto(self.dashboard.url + path)
        return page

    def live(self, path, page=None):
        """Open, and wait for the live view."""
        page = self.open(path, page)
        expect(page.locator("#live")).to_have_attribute("data-state", "websocket", timeout=SLOW)
        expect(page.locator("main")).not_to_have_attribute("data-phase", "connecting", timeout=SLOW)
        return page


@pytest.fixture(scope="module")
def idle(request, chromium, tmp_path_factory):
    """Nothing has been launched."""
    state = tmp_path_factory.mktemp("axe") / "state"
    share_go_caches(state, request.config)
    dashboard = Dashboard("local", state).start()
    yield Classroom(chromium, dashboard)
    dashboard.stop()


@pytest.fixture(scope="module")
def busy(idle):
    """Everything runs: visitors that were refused, a run that was measured, an app that answers."""
    dashboard = idle.dashboard
    dashboard.done(dashboard.post("/hello-go/launch"))
    dashboard.post("/hello-go/call")
    dashboard.launch_lab()
    dashboard.put("/affinity", {"algorithm": "random"})  # in turn, twelve may stay in step and nobody fails
    dashboard.done(dashboard.put("/visitors", {"count": 12}))
    wait_for(lambda: dashboard.events(kind="connection.refused"), 60, told=dashboard.told)
    cells = {
        "n": 2,
        "affinities": ["none", "cookie"],
        "transports": ["WebSockets"],
        "situations": ["first_connect"],
    }
    dashboard.done(dashboard.post("/runs", cells))
    dashboard.done(dashboard.post("/runs", cells | {"keys": ["own", "shared"]}))
    return idle


def home(room):
    page = room.live("/")
    expect(page.locator("#exercises li").first).to_be_visible()
    return page


def hello_go(room):
    return room.live("/hello-go")


def affinity(room):
    return room.live("/affinity")


def agent_script(room):
    return room.live("/agent-script")


def exercises(room):
    return room.live("/exercises")


def an_exercise(room):
    return room.live("/exercises/error-on-reload")


def a_step(room):
    page = room.live("/exercises/error-on-reload#wrong-number")
    page.click(".step:visible [data-act=hint]")
    page.click(".step:visible [data-act=check]")
    expect(page.locator(".step:visible [data-check='1'] [data-seen]")).not_to_be_empty()
    return page


def sheet(room):
    return room.open("/exercises/error-on-reload/print")


def teacher(room):
    return room.open("/exercises/error-on-reload/teacher")


def presenter(room):
    page = room.live("/present/error-on-reload")
    expect(page.locator("#where b")).not_to_be_empty()
    return page


def presenters_text(room):
    page = presenter(room)
    page.keyboard.press("t")
    expect(page.locator(".text-of-step:visible")).to_be_visible()
    return page


def presenters_links(room):
    page = presenter(room)
    page.keyboard.press("i")
    expect(page.locator("#links li").first).to_be_visible()
    return page


def follower(room):
    presenter(room)
    page = room.live("/follow", room.follower)
    expect(page.locator(".step:visible h1")).to_be_visible()
    return page


def followers_home(room):
    return room.live("/", room.follower)


def signed_out(room):
    return room.open("/signed-out", room.stranger)


def revoked(room):
    return room.open("/join/nobody.nothing", room.stranger)


def no_such_page(room):
    return room.open("/no-such-page")


def a_story(room):
    page = room.live("/affinity")
    page.locator("#log-lines li[data-kind='connection.refused'] button").first.click()
    expect(page.locator("#why-h")).to_contain_text("?")
    page.click("#why-more")
    return page


def a_run_at_a_glance(room):
    page = room.live("/affinity")
    expect(page.locator("#run-matrix .verdict-of").first).to_be_visible()
    return page


def a_run(room):
    page = room.live("/affinity")
    page.select_option("#run-choice", "1")
    expect(page.locator("#runs-h")).to_contain_text(" 1:")
    page.locator("#run-matrix tbody button").first.click()
    expect(page.locator("#run-cell")).to_be_visible()
    page.locator("#traps > summary").click()
    return page


LABS = [home, hello_go, affinity, agent_script]
TO_READ = [exercises, an_exercise, a_step, sheet, teacher]
IN_CLASS = [presenter, presenters_text, presenters_links, follower, followers_home]
FOR_STRANGERS = [signed_out, revoked, no_such_page]
IDLE = [*LABS, *TO_READ, *IN_CLASS, *FOR_STRANGERS]
BUSY = [home, hello_go, affinity, a_story, a_run_at_a_glance, a_run, a_step, presenter, follower]


def complaints(page):
    """What axe says of this page in each look, and where; and whether it is wider than its window."""
    said = []
    for scheme, size in LOOKS:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        # the dark look differs in colours only
        options = {"resultTypes": ["violations"]} | (
            {"runOnly": ["color-contrast"]} if scheme == "dark" else {}
        )
        found = Axe().run(page, options=options).response
        assert found["passes"], "axe has looked at nothing"
        for rule in found["violations"]:
            places = "\n".join(f"  {node['target']} {node['failureSummary']}" for node in rule["nodes"][:5])
            said.append(f"{rule['impact']} {rule['id']}, {scheme}, {size['width']}: {rule['help']}\n{places}")
        wide = page.evaluate("document.documentElement.scrollWidth")
        said += [f"{wide} wide in a window of {size['width']}"] if wide > size["width"] else []
    return "\n".join(said)


@pytest.mark.parametrize("state", IDLE, ids=lambda state: state.__name__)
def test_axe_finds_nothing_where_nothing_runs(idle, state):
    assert complaints(state(idle)) == ""


@pytest.fixture
def german(busy):
    """Its words are longer; the looks are the same."""
    contexts = [page.context for page in (busy.page, busy.follower, busy.stranger)]
    for context in contexts:
        context.add_cookies([{"name": "labdeck_language", "value": "de", "url": busy.dashboard.url}])
    yield busy
    for context in contexts:
        context.clear_cookies(name="labdeck_language")


@pytest.mark.parametrize("state", [*BUSY, exercises, teacher], ids=lambda state: state.__name__)
def test_axe_finds_nothing_in_german(german, state):
    page = state(german)
    assert page.locator("html").get_attribute("lang") == "de"
    assert complaints(page) == ""


def keyboard(page, question):
    return page.evaluate(f"{KEYBOARD.read_text()}.{question}()")


def tab_through(page):
    """Press Tab from the top of the page, or of its open dialog, to the end; each stop as it looks."""
    page.locator("dialog[open] button, body:not(:has(dialog[open])) > .skip").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    stops = [keyboard(page, "stop")]
    while len(stops) < 200:
        page.keyboard.press("Tab")
        stop = keyboard(page, "stop")
        if stop is None or stop["again"]:
            return stops
        stops.append(stop)
    raise AssertionError("the keyboard does not come to an end of this page")


@pytest.mark.parametrize("state", IDLE, ids=lambda state: state.__name__)
def test_the_keyboard_reaches_everything_and_shows_where_it_is(idle, state):
    page = state(idle)
    assert page.locator("main:visible").count() == 1
    stops = tab_through(page)
    assert [stop["what"] for stop in stops if not stop["shown"]] == []
    assert keyboard(page, "unreached") == []


@pytest.mark.parametrize("state", BUSY, ids=lambda state: state.__name__)
def test_axe_finds_nothing_where_everything_runs(busy, state):
    assert complaints(state(busy)) == ""
