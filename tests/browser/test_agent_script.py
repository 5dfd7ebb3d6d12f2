"""The agent-script page in a real browser: form, diff, links, rehearsal, dropped files, pasted errors."""

import base64
import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.agent_script.test_article import GOLDEN
from tests.agent_script.test_rehearsal import ERROR, FOREIGN, MATCHING
from tests.browser.pages import tick
from tests.dashboard import TOKEN

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("containers of rehearsals"),
]
LONG = 180_000
DROP = """([text, name]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const all = new DataTransfer();
  all.items.add(new File([bytes], name));
  return all;
}"""


@pytest.fixture(scope="module")
def dashboard(classroom):
    """One for all tests of this page: what they do does not meet."""
    return classroom


on_one_engine = pytest.mark.parametrize(
    "classroom", [pytest.param("local", marks=pytest.mark.local)], indirect=True, scope="module"
)
"""Scripts, files and texts have nothing to do with an engine."""


@pytest.fixture
def agent(page, dashboard):
    page.goto(f"{dashboard.url}/agent-script")
    expect(page.locator("#live")).to_have_attribute("data-state", "websocket")
    expect(page.locator("#script")).to_contain_text("azagent")
    return page


@on_one_engine
def test_the_script_follows_the_form_and_the_link_brings_it_back(agent):
    expect(agent.locator("#script")).to_have_text(GOLDEN.format("arm"))
    expect(agent.locator("#verdict")).to_have_text("One word differs: x64 became arm")
    assert agent.locator("#diff-default mark").all_inner_texts() == ["x64"]
    assert agent.locator("#diff-yours mark").all_inner_texts() == ["arm"]
    expect(agent.locator("#diff-h")).to_have_text("One word differs from what the portal gives")
    expect(agent.locator("#script-foot")).to_contain_text("byte for byte")
    tick(agent, "input[name=processor][value=x64]")
    expect(agent.locator("#script")).to_have_text(GOLDEN.format("x64"))
    expect(agent.locator("#verdict")).to_contain_text("Nothing differs")

    agent.fill("#version", "5.278.0")
    agent.select_option("#kind", "agent_pool")
    agent.fill("#name", 'it\'s "new" $(id)')
    expect(agent.locator("#script")).to_contain_text("--pool $'it\\'s \"new\" $(id)'")
    script = agent.locator("#script").text_content()
    agent.context.grant_permissions(["clipboard-read", "clipboard-write"])
    agent.click("#copy")
    expect(agent.locator("#copy")).to_contain_text("Copied")
    assert agent.evaluate("navigator.clipboard.readText()") == script
    agent.click("#link")
    expect(agent.locator("#link")).to_contain_text("Copied")
    link = agent.evaluate("navigator.clipboard.readText()")
    assert link == agent.evaluate("location.href")
    assert "token" not in link.lower()
    agent.goto(link)
    expect(agent.locator("#script")).to_have_text(script)

    with agent.expect_download() as waiting:
        agent.click("#download")
    assert Path(waiting.value.path()).read_text() == script
    assert waiting.value.suggested_filename == "register-agent.sh"
    tick(agent, "#detect")
    expect(agent.locator("#script")).to_contain_text("getconf LONG_BIT")
    expect(agent.locator("#differs")).to_be_hidden()
    expect(agent.locator("input[name=processor]").first).to_be_disabled()


@on_one_engine
def test_the_curl_that_is_shown_gives_the_same_script(agent):
    command = agent.locator("#curl").text_content()
    assert TOKEN not in command
    given = {"LAB_TOKEN": TOKEN, "PATH": "/usr/local/bin:/usr/bin:/bin"}
    ran = subprocess.run(["bash", "-c", command], env=given, capture_output=True, timeout=30)
    assert ran.stdout.decode() == GOLDEN.format("arm"), ran.stderr


@on_one_engine
def test_a_package_that_does_not_exist_is_refused_in_place(chromium, dashboard):
    """On a page of its own: Chromium notes every 400 in its console, which the other fixture forbids."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{dashboard.url}/agent-script?token={TOKEN}&system=linux-musl&processor=arm64")
    expect(page.locator("#refusal")).to_contain_text("the next version with one is 3.239.1")
    expect(page.locator("#copy")).to_be_disabled()
    page.fill("#version", "5.278.0")
    expect(page.locator("#refusal")).to_be_empty()
    expect(page.locator("#script")).to_contain_text("linux-musl-arm64")
    context.close()


def test_a_rehearsal_shows_bashs_error_and_then_the_agent_that_runs(agent):
    tick(agent, f"input[name=processor][value={FOREIGN.split('-')[1]}]")
    expect(agent.locator("#rehearse")).to_be_enabled()
    agent.click("#rehearse")
    expect(agent.locator("#terminal .bad")).to_have_text(ERROR, timeout=LONG)
    expect(agent.locator("#verdict")).to_contain_text("Exec format error", timeout=LONG)
    expect(agent.locator("#judged tr").first).to_contain_text("Exec format error")
    expect(agent.locator("#hex")).to_contain_text("7f 45 4c 46")
    expect(agent.locator("#rehearse")).to_be_enabled(timeout=LONG)
    agent.click(f"#packages button:has-text('{MATCHING}')")
    agent.click("#rehearse")
    expect(agent.locator("#verdict")).to_have_text("The agent registers and runs", timeout=LONG)
    expect(agent.locator("#terminal")).to_contain_text("Listening for Jobs")
    other = agent.context.new_page()
    other.goto(agent.url)
    expect(other.locator("#rehearsal-verdict")).to_contain_text("The agent registers and runs")
    expect(other.locator("#terminal")).to_contain_text("Listening for Jobs")
    expect(agent.locator("#rehearse")).to_be_enabled(timeout=LONG)

    agent.click("#rehearse")
    expect(other.locator("#cancel")).to_be_visible(timeout=LONG)
    other.click("#cancel")
    expect(agent.locator("#rehearsal-verdict")).to_contain_text("was cancelled", timeout=LONG)
    expect(other.locator("#cancel")).to_be_hidden()
    other.close()


@on_one_engine
def test_a_dashboard_killed_meanwhile_is_told_and_the_next_rehearsal_may_begin(agent, dashboard):
    tick(agent, f"input[name=processor][value={MATCHING.split('-')[1]}]")
    tick(agent, "#service", False)
    expect(agent.locator("#script")).not_to_contain_text("svc.sh")
    agent.click("#rehearse")
    expect(agent.locator("#main")).to_have_attribute("data-phase", "running", timeout=LONG)
    dashboard.kill()
    agent.fill("#name", "typed while it was away")
    expect(agent.locator("#refusal")).to_contain_text("did not answer")
    expect(agent.locator("#copy")).to_be_disabled()
    dashboard.start()
    expect(agent.locator("#script")).to_contain_text("typed while it was away", timeout=LONG)
    expect(agent.locator("#rehearsal-verdict")).to_contain_text("restarted meanwhile", timeout=LONG)
    expect(agent.locator("#rehearse")).to_be_enabled()
    expect(agent.locator("#verdict .mark")).to_have_count(0)


@on_one_engine
def test_a_chosen_program_and_a_dropped_package_are_read(agent):
    agent.set_input_files("#file", "/bin/sh")
    expect(agent.locator("#bin-h")).to_have_text("sh")
    expect(agent.locator("#judged tr").first).to_contain_text("runs")
    name = "vsts-agent-linux-x64-5.278.0.tar.gz"
    transfer = agent.evaluate_handle(DROP, [base64_package(), name])
    agent.dispatch_event("#drop", "drop", {"dataTransfer": transfer})
    expect(agent.locator("#fields")).to_contain_text("32-bit")
    expect(agent.locator("#fields")).to_contain_text("ARM, 0x28")
    expect(agent.locator("#judged tr", has_text="armv7l")).to_contain_text("runs")


def base64_package():
    """Much before the program, and a program that is a header: 32-bit, little endian, ARM, no segments."""
    header = b"\x7fELF\x01\x01\x01" + bytes(9) + b"\x02\x00\x28\x00\x01" + bytes(31)
    package = io.BytesIO()
    with tarfile.open(fileobj=package, mode="w:gz") as tar:
        for name, content in (("./bin/much.dll", bytes(4_000_000)), ("./bin/Agent.Listener", header)):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return base64.b64encode(package.getvalue()).decode()


@on_one_engine
def test_a_pasted_error_gets_cause_and_mend(agent):
    agent.fill("#pasted", f"{ERROR}\nLinux pi 6.1.21-v8+ aarch64 GNU/Linux\n32")
    expect(agent.locator("#findings li")).to_have_count(2)
    expect(agent.locator("#findings")).to_contain_text("compiled for another processor")
    expect(agent.locator("#findings")).to_contain_text("Take linux-arm")
    agent.click("#examples button:has-text('Pi Zero')")
    expect(agent.locator("#findings")).to_contain_text("There is no agent for it")
    agent.fill("#pasted", "<img src=x onerror=alert(1)>")
    expect(agent.locator("#findings")).to_contain_text("Nothing here is known")


@on_one_engine
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_and_every_control_is_reached_by_keyboard(agent, width):
    agent.set_viewport_size({"width": width, "height": 844})
    assert agent.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(agent.locator("#rehearse")).to_be_enabled()
    agent.focus("#version")
    reached = set()
    for _ in range(40):
        agent.keyboard.press("Tab")
        reached.add(agent.evaluate("document.activeElement.id"))
    wanted = {"url", "kind", "name", "work", "service", "detect", "link", "download", "copy", "script"}
    assert wanted | {"rehearse", "choose-file", "pasted"} <= reached
