"""The whole page speaks out of the catalogue: in a language of brackets nothing stands outside of them."""

import re

import pytest
from babel.messages.pofile import read_po
from playwright.sync_api import expect

from services.words.messages import TEMPLATE, written
from tests.browser.pages import watched_page
from tests.dashboard import Dashboard
from tests.go_caches import share_go_caches
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.local, pytest.mark.timeout(300)]

DATA = (
    "script, code, pre, kbd, time, .text, .lines li, #filter-kind, #filter-source, #lastcall-answer, "
    "#diff-default, #diff-yours, #hex, .languages, .step-list .t, .course-list .what, #exercises a, .timing, "
    ".predict summary, .do span, [data-button], .sheet h1, .sheet .lede, .sheet .step > h2, .solutions h3, "
    ".answer-line, [data-checks] label, main.exercise h1, main.exercise .step > h2, .onwards, "
    ".text-of-step h2, #where span, #do"
)
"""What is data there: commands, output, events, and the exercises, which have files of their own."""
NAMES = set(
    " ".join(
        (
            "Labdeck Hello-Go hello-go hello-go.go JSON CSV MessagePack blazorpack Blazor Circuit Linux",
            "macOS Windows Dockerfile demo websocket polling dashboard balancer visitors engine GET POST",
            "PUT DELETE",
            "StartCircuit ConnectCircuit WebSocket local uname vsts-agent Agent.Listener bin Esc debian-slim",
            "distroless scratch alpine arm arm64 x64 amd64 negotiate connect WebSockets",
        )
    ).split()
)
"""Words that are the same in every language."""
PHRASES = (
    "go build",
    "No Connection with that ID",
    "./config.sh: line 85: ./bin/Agent.Listener: …",
    "false",
    "true",
)
"""What a server or a shell says, in its own words."""
SEEN = """(data) => {
  const shown = (element) => element.checkVisibility() || element.closest('.sr');
  const texts = document.querySelector('main.exercise, .sheet, .show') ? [] : [document.title];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (node.data.trim() && !element.closest(data) && shown(element)) texts.push(node.data.trim());
  }
  for (const name of ['aria-label', 'title', 'placeholder', 'alt']) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      if (!element.closest(data) && shown(element)) texts.push(element.getAttribute(name));
    }
  }
  return texts;
}"""


def bracketed(text):
    """Each piece of it that becomes a text of its own: what is between markup, and each sentence."""
    pieces = re.split(r"(<[^>]+>|`[^`]*`|(?<=\.) )", text)
    return "".join(f"⟦{piece}⟧" if i % 2 == 0 and piece.strip() else piece for i, piece in enumerate(pieces))


def in_brackets():
    """Every sentence of the template, as a language in which each is between brackets."""
    with TEMPLATE.open("rb") as opened:
        catalogue = read_po(opened, locale="eo")
    for message in catalogue:
        if message.id:
            one = isinstance(message.id, str)
            message.string = bracketed(message.id) if one else tuple(bracketed(text) for text in message.id)
    catalogue.fuzzy = False
    return written(catalogue)


def outside(text):
    """The words of a text that stand in no brackets, names left out."""
    before = None
    while text != before:
        text, before = re.sub(r"⟦[^⟦⟧]*⟧", " ", text), text
    for phrase in PHRASES:
        text = text.replace(phrase, " ")
    text = re.sub(r"`[^`]*`|\?id=\S+|\S*\d+\S*|https?://\S+|/_?blazor\S*", " ", text)
    return [word for word in re.findall(r"[A-Za-z][\w.'-]{2,}", text) if word.strip(".'-") not in NAMES]


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory, request):
    folder = tmp_path_factory.mktemp("words")
    share_go_caches(folder / "state", request.config)
    file = folder / "translations" / "eo" / "LC_MESSAGES" / "messages.po"
    file.parent.mkdir(parents=True)
    file.write_bytes(in_brackets())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_TRANSLATIONS", str(folder / "translations"))
        dashboard = Dashboard("local", folder / "state").start()
    yield dashboard
    dashboard.stop()


@pytest.fixture(scope="module")
def page(chromium, dashboard):
    with watched_page(chromium, f"{dashboard.url}/") as page:
        place = {"name": "labdeck_language", "value": "eo", "url": dashboard.url}
        page.context.add_cookies([place])
        yield page


def look(page, path=None, ready="#live[data-state=websocket]"):
    if path:
        page.goto(path)
    if ready:
        page.wait_for_selector(ready)
    page.wait_for_function("() => !globalThis.labdeck || labdeck.store?.state")
    found = {text: words for text in page.evaluate(SEEN, DATA) if (words := outside(text))}
    assert not found, f"{page.url}: {found}"


@pytest.mark.parametrize(
    ("path", "ready"),
    [
        ("/", "#live[data-state=websocket]"),
        ("/hello-go", "#live[data-state=websocket]"),
        ("/affinity", "#live[data-state=websocket]"),
        ("/agent-script", "#differs:not([hidden])"),
        ("/exercises", "#live[data-state=websocket]"),
        ("/exercises/error-on-reload", "#begin:not([disabled])"),
        ("/exercises/error-on-reload#wrong-number", "#live[data-state=websocket]"),
        ("/exercises/error-on-reload/print", None),
        ("/exercises/error-on-reload/teacher", None),
        ("/present/error-on-reload", "#live[data-state=websocket]"),
        ("/follow", "#live[data-state=websocket]"),
    ],
)
def test_nothing_on_a_quiet_page_is_outside_of_the_catalogue(page, dashboard, path, ready):
    look(page, f"{dashboard.url}{path}", ready)


def test_nothing_on_a_busy_page_is_outside_of_the_catalogue(page, dashboard):
    dashboard.launch_lab()
    dashboard.put("/affinity", {"mode": "none", "algorithm": "random"})
    dashboard.done(dashboard.put("/visitors", {"count": 20}))
    wait_for(lambda: dashboard.events(kind="connection.refused"), 60, told=dashboard.told)
    look(page, f"{dashboard.url}/affinity")
    page.click("#pause")  # a line that moves cannot be clicked
    page.select_option("#filter-kind", "connection.refused")
    page.locator("#log-lines li[data-kind='connection.refused'] .ask-why:visible").last.click()
    page.wait_for_selector("#why:not([hidden]) #why-helped li")
    look(page)
    dashboard.put("/affinity", {"mode": "cookie"})
    dashboard.post("/connections/drop")
    dashboard.done(dashboard.post("/replicas/replica-2/kill"))
    page.wait_for_selector("#replica-table tr[data-replica=replica-2] [data-act=start]:visible")
    look(page)
    look(page, f"{dashboard.url}/")


def test_nothing_of_a_measured_run_or_a_built_program_is_outside_of_the_catalogue(page, dashboard):
    dashboard.launch_lab()
    dashboard.post("/runs", {"n": 1, "situations": ["drop"]})
    dashboard.post("/hello-go/launch")
    page.goto(f"{dashboard.url}/affinity")
    page.wait_for_selector("#run-progress:not([hidden])")
    look(page)
    wait_for(lambda: dashboard.events(kind="run.finished"), 120, told=dashboard.told)
    page.locator("#run-matrix button[data-affinity]").first.click()
    page.wait_for_selector("#run-cell:not([hidden])")
    look(page)
    wait_for(lambda: dashboard.get()["hello_go"]["phase"] == "running", 120, told=dashboard.told)
    dashboard.post("/hello-go/call")
    look(page, f"{dashboard.url}/hello-go")


def test_the_switch_remembers_and_answers_to_the_keyboard(page, dashboard):
    page.goto(f"{dashboard.url}/exercises")
    expect(page.locator("html")).to_have_attribute("lang", "eo")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#verdict")).to_have_text("Exercises")
    page.goto(f"{dashboard.url}/")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.locator("[data-language=eo]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "eo")
    expect(page.locator("#theme")).to_have_attribute("aria-label", re.compile("^⟦"))
