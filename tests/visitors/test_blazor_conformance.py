"""A virtual visitor beside Chromium with Blazor's own script: the same requests, the same frames."""

import asyncio
import difflib
import json

import pytest
from blazor_recorder import Recorder
from conftest import CHROMIUM
from lab_programs import listens, until
from playwright.sync_api import sync_playwright
from real_blazor import BlazorReplica

from services.visitors import visitor
from services.visitors.settings import CrowdSettings

pytestmark = [pytest.mark.blazor, pytest.mark.browser]
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")
DRAWN = ("JS.EndUpdateRootComponents", "OnRenderCompleted")
CLICKED = ("JS.EndInvokeDotNet", "OnRenderCompleted")


class InChromium:
    """Blazor's script in a page, and somebody who clicks."""

    def __init__(self, url):
        self._url = url
        self._playwright = sync_playwright().start()
        browser = self._playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        self._page = browser.new_page()

    def come(self):
        self._page.goto(self._url)
        self._page.wait_for_selector("#visit[data-interactive]")

    def click(self):
        self._page.click("#increment")

    def leave(self):
        self._page.goto("about:blank")

    def close(self):
        self._playwright.stop()


class Virtual:
    """One of the crowd, who clicks when it is told to."""

    def __init__(self, url, loop):
        self.settings = CrowdSettings(count=1, target=url, app="blazor")
        self.door = asyncio.Semaphore(1)
        self.told = []
        self._loop = loop

    def tell(self, kind, text, **data):
        self.told.append((kind, text, data))

    def changed(self, before, after):
        pass

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    def come(self):
        self._run(self._come())

    async def _come(self):
        self._visitor = visitor.Visitor("visitor-1", self)
        self._living = asyncio.create_task(self._visitor.live())

    def click(self):
        self._run(self._visitor._script.click(self._visitor._connection))

    def leave(self):
        self._loop.call_soon_threadsafe(self._living.cancel)

    def close(self):
        assert [kind for kind, _, _ in self.told if kind == "visitor.failed"] == [], self.told


def visit_twice(recorder, replica, guest, cut_off):
    """Cut off in the first visit, if at all, moved in the second; what was recorded, stage by stage."""

    def stage(name, do, *said):
        recorder.begin(name)
        do()
        recorder.wait_for(*said)

    def leave(name):
        stage(name, guest.leave, "/_blazor/disconnect")
        until(lambda: not replica.state()["circuits"], "the circuit is closed")
        until(lambda: not recorder.open, "the connections end")
        recorder.stages[name]["server"] = "what is said to a page that is gone"

    stage("start", guest.come, *DRAWN)
    stage("click", guest.click, *CLICKED)
    if cut_off:
        stage("cut off", lambda: replica.ask("POST", "/control/drop"), "Completion")
        stage("click after it", guest.click, *CLICKED)
    leave("leave")
    stage("start again", guest.come, *DRAWN)
    stage("another click", guest.click, *CLICKED)
    stage("move", lambda: replica.ask("POST", "/control/move"), *DRAWN)
    stage("click after the move", guest.click, *CLICKED)
    counts = [circuit["count"] for circuit in replica.state()["circuits"]]
    leave("leave again")
    guest.close()
    return {name: _steady(said) for name, said in recorder.stages.items()} | {"counts": counts}


def _steady(said):
    """Without what is chance: later pings, whether the answer to a goodbye is still heard, and whether
    Chromium gets to say its goodbye in a POST before its long polling is stopped."""
    client = zip([["nothing"], *said["client"]], said["client"], strict=False)
    polling = any("&_" in path for _, path, _ in said["asked"])
    left_out = {"Ping", "Close"} if polling else {"Ping"}
    return said | {
        "client": [frame for before, frame in client if frame[0] not in left_out or before[0] == "handshake"],
        "server": [frame for frame in said["server"] if frame[0] not in ("Ping", "Close")],
    }


@pytest.mark.parametrize("transports", ["", "longPolling"], ids=["as it comes", "long polling"])
def test_a_virtual_visitor_says_what_blazors_own_script_says(transports, monkeypatch):
    """No drop with long polling: Chromium asks again by itself, and the script hears of nothing."""
    monkeypatch.setattr(visitor, "CLICK_SECONDS", (3600, 3600))
    replica = BlazorReplica("replica-1", TRANSPORTS=transports)
    until(lambda: listens(replica.public), replica.story)
    recorder = Recorder(replica.public)
    try:
        chromium = visit_twice(recorder, replica, InChromium(recorder.url), not transports)
        virtual = visit_twice(recorder, replica, Virtual(recorder.url, recorder.loop), not transports)
    finally:
        recorder.close()
        replica.end()
    assert chromium["counts"] == [2]
    for stage in chromium:
        assert virtual[stage] == chromium[stage], _differences(stage, virtual[stage], chromium[stage])


def _differences(stage, virtual, chromium):
    """Line by line, for whoever has to find out."""
    lines = [json.dumps(each, indent=1).splitlines() for each in (chromium, virtual)]
    return "\n".join([f"stage {stage!r}:", *difflib.unified_diff(*lines, "chromium", "virtual", lineterm="")])
