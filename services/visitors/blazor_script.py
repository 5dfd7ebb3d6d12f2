"""Blazor's own script (blazor.web.js of .NET 10), as far as a page with a counter makes it act.

It is written after the script itself, and a test compares the two on the wire. Where it differs on purpose:
a broken protocol, an error of the hub or a call that it does not know ends the visit with that reason, also
where the real one would try to go on; and where the real page waits for a person, this one acts (it presses
Resume when a memory could not be taken along, and loads a failed page again).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

from services.visitors.blazor_page import BlazorPage, read_page
from services.visitors.browser import Browser, HttpFailed
from services.visitors.connection import SILENCE_SECONDS, CallFailed, HubConnection
from services.visitors.document import Document
from services.visitors.render_batch import RenderBatch
from services.visitors.script import Held, Memory, MemoryLost, VisitFailed
from services.visitors.settings import CrowdSettings
from services.visitors.transports import HUB, ConnectionLost
from services.wire.messages import BadFrame, Completion, Invocation, Message

RETRY_DELAYS = (0.0,) * 10 + (5.0,) * 10 + (30.0,) * 10
"""Seconds; `maxRetries` 30 and the script's own `retryIntervalMilliseconds`."""
FIRST_BATCH = 2
_ENSURE = "Unable to connect, please ensure WebSockets are available."
NO_WEBSOCKETS = f"{_ENSURE} A VPN or proxy may be blocking the connection."
NOT_STARTED = "Failed to start the circuit."


class BlazorScript:
    """StartCircuit, render batches and their acknowledgement, clicks, ConnectCircuit, pause and resume."""

    delays: Sequence[float] = RETRY_DELAYS

    def __init__(self, page: BlazorPage, settings: CrowdSettings) -> None:
        self.held = Held()
        self.ways = page.ways(settings.ways)
        self.asked_to_move = False
        self._page = page
        self._address = f"{settings.target}/"
        self._secret: str | None = None
        """The signed id of the circuit, which only a replica with the right keys can read."""
        self._saved: tuple[str, str] | None = None
        """Components and their state, as a replica signed them when it paused our circuit."""
        self._paused = self._cut_off = False
        self._begin_anew()
        self._root_batches = self._clicks = 0
        self._interop = 0
        """The server's object that takes events; it names it when it attaches the renderer."""

    @classmethod
    async def load(cls, browser: Browser, settings: CrowdSettings) -> BlazorScript:
        try:
            page = read_page((await browser.ask("GET", "/")).body)
        except (HttpFailed, ValueError) as error:
            raise VisitFailed([f"GET / failed: {error}"]) from error
        if not page.markers:
            raise VisitFailed(["The page has no server component of Blazor."])
        try:
            await browser.ask("GET", f"{HUB}/initializers")
        except HttpFailed as error:
            raise VisitFailed([f"GET {HUB}/initializers failed: {error}"]) from error
        return cls(page, settings)

    async def start(self, connection: HubConnection) -> None:
        where = (self._address, self._address)
        self._secret = await connection.invoke("StartCircuit", *where, "[]", self._page.state)
        if not self._secret:
            raise VisitFailed([NOT_STARTED])
        await self._wait_until_drawn(connection)

    async def _wait_until_drawn(self, connection: HubConnection) -> None:
        deadline = time.monotonic() + SILENCE_SECONDS
        while self._button() is None:
            if time.monotonic() > deadline:
                raise VisitFailed([f"The page was not drawn within {SILENCE_SECONDS:g} seconds."])
            await connection.listen(deadline)

    def _button(self) -> int | None:
        """The handler of the button, once the page lives."""
        button = self._document.find("increment")
        return button.handlers.get("onclick") if button else None

    async def click(self, connection: HubConnection) -> None:
        self._clicks += 1
        event = {"eventHandlerId": self._button(), "eventName": "click", "eventFieldInfo": None}
        arguments = _json([event, _MOUSE])
        call = (str(self._clicks), None, "DispatchEventAsync", self._interop, arguments)
        await connection.tell("BeginInvokeDotNetFromJS", *call)

    async def pause(self, connection: HubConnection) -> None:
        """Have the replica save our memory and send it to us.

        Once it was cut off, the script of .NET 10.0.12 takes itself for paused and resumes on the spot, which
        the replica answers with an error; so our replicas do not ask a page that has been cut off.
        """
        self.asked_to_move = False
        if self._cut_off:
            await self._resume(connection)
            raise VisitFailed(["Asked to pause after a reconnect, the page resumed without a pause."])
        self._paused = True
        try:
            await connection.invoke("PauseCircuit")
        except (CallFailed, ConnectionLost) as error:
            raise MemoryLost from error

    async def come_back(self, connection: HubConnection) -> Memory:
        if not self._paused:
            self._cut_off = True
            if await connection.invoke("ConnectCircuit", self._secret):
                return "kept"
        elif await self._resume(connection):
            return await self._look_again(connection)
        # Either the replica does not know the circuit, but may have what an evicted one left behind;
        # or it cannot read what we brought along, and the person presses Resume.
        if await self._resume(connection):
            return await self._look_again(connection)
        raise MemoryLost

    async def _resume(self, connection: HubConnection) -> bool:
        """Whether a replica made a new circuit of what was saved; draws the page from nothing."""
        components, state = self._saved or ("[]", "")
        self._saved = None
        where = (self._address, self._address)
        secret = await connection.invoke("ResumeCircuit", self._secret, *where, components, state)
        if not secret:
            return False
        self._secret, self._paused, self._cut_off = secret, False, False
        self._begin_anew()
        await self._add_components(connection, "")
        return True

    async def _look_again(self, connection: HubConnection) -> Memory:
        before = self.held.count
        await self._wait_until_drawn(connection)
        return "kept" if self.held.count >= before else "lost"

    def _begin_anew(self) -> None:
        self._document = Document()
        self._next_batch = FIRST_BATCH

    def comes_back_after(self, lost: ConnectionLost) -> bool:
        return not lost.mistaken

    def failed_to_start(self, errors: Sequence[str]) -> list[str]:
        """After the client's own lines; a negotiate that failed is thrown on, anything else is explained."""
        thrown = errors[-1].removeprefix("Failed to start the connection: ")
        if "negotiation" in errors[0]:
            return [*errors, thrown]
        return [*errors, thrown, NO_WEBSOCKETS, NOT_STARTED]

    async def leave(self, browser: Browser, connection: HubConnection | None) -> None:
        """The page's last word goes by a request of its own, while the connection just ends."""
        async with asyncio.TaskGroup() as both:
            if self._secret:
                both.create_task(browser.send_beacon(f"{HUB}/disconnect", circuitId=self._secret))
            if connection:
                both.create_task(connection.vanish())

    async def hear(self, connection: HubConnection, message: Message) -> None:
        """What the hub asks of the page; raises VisitFailed for what a page does not do."""
        match message:
            case Invocation(target=target):
                try:
                    await self._obey(connection, message)
                except (BadFrame, ValueError, TypeError, LookupError) as error:
                    raise VisitFailed([f"{target} of the app could not be understood: {error}"]) from error
            case Completion(error=str(error)):
                raise VisitFailed([f"Error: {error}"])

    async def _obey(self, connection: HubConnection, call: Invocation) -> None:
        match call.target, call.arguments:
            case "JS.RenderBatch", (int(number), bytes(data)):
                await self._draw(connection, number, data)
            case "JS.AttachComponent", (int(component), _):
                self._document.attach(component)
            case "JS.BeginInvokeJS", (int(task), str(function), str(arguments), *_):
                await self._run(connection, task, function, json.loads(arguments))
            case "JS.EndInvokeDotNet", (_, True, _):
                pass
            case "JS.EndInvokeDotNet", (_, False, error):
                raise VisitFailed([f"Error: {error}"])
            case "JS.EndUpdateRootComponents", (int(),):
                pass
            case "JS.SavePersistedState", (str(), str(components), str(state)):
                self._saved = (components, state)
                await connection.answer(call, True)
            case "JS.Error", (str(error),):
                raise VisitFailed([error])
            case _:
                raise VisitFailed([f"The app called {call.target}, which the page does not know."])

    async def _draw(self, connection: HubConnection, number: int, data: bytes) -> None:
        """In order, each once; a batch that was drawn already only lost its acknowledgement."""
        if number > self._next_batch:
            return
        if number == self._next_batch:
            self._next_batch += 1
            self._document.apply(RenderBatch(data))
            self._look()
        await connection.tell("OnRenderCompleted", number, None)

    def _look(self) -> None:
        found = {id: self._document.find(id) for id in ("count", "memory-replica", "circuit")}
        shown = {id: node.content() for id, node in found.items() if node}
        self.held.count = int(shown.get("count", self.held.count))
        self.held.replica = shown.get("memory-replica", self.held.replica)
        self.held.circuit = shown.get("circuit", self.held.circuit)

    async def _run(self, connection: HubConnection, task: int, function: str, arguments: list[Any]) -> None:
        match function:
            case "Blazor._internal.attachWebRendererInterop":
                self._interop = int(arguments[1]["__dotNetObject"])
                if not self._root_batches:
                    await self._add_components(connection, self._page.state)
            case "labdeck.move":
                self.asked_to_move = True
            case _:
                raise VisitFailed([f"Error: Could not find '{function}'."])
        await connection.tell("EndInvokeJSFromDotNet", task, True, f"[{task},true,null]")

    async def _add_components(self, connection: HubConnection, state: str) -> None:
        self._root_batches += 1
        operations = [
            {"type": "add", "ssrComponentId": number, "marker": marker | {"uniqueId": number - 1}}
            for number, marker in enumerate(self._page.markers, start=1)
        ]
        batch = _json({"batchId": self._root_batches, "operations": operations})
        await connection.tell("UpdateRootComponents", batch, state)


_PLACES = ("screen", "client", "offset", "page", "movement")
_MOUSE: dict[str, Any] = {
    "detail": 1,
    **{f"{place}{axis}": 0 for place in _PLACES for axis in "XY"},
    "button": 0,
    "buttons": 0,
    **dict.fromkeys(("ctrlKey", "shiftKey", "altKey", "metaKey"), False),
    "type": "click",
}
"""A click as the browser tells it, in the corner of everything."""


def _json(value: Any) -> str:
    """As a browser's JSON.stringify writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
