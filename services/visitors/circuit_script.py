"""The page of the circuit app, with Microsoft's client and its automatic reconnect."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

from services.visitors.browser import Browser, HttpFailed
from services.visitors.connection import CallFailed, HubConnection, result_of
from services.visitors.script import Held, Memory, MemoryLost, VisitFailed
from services.visitors.settings import CrowdSettings, Ways
from services.visitors.transports import ConnectionLost
from services.wire.messages import Completion, Invocation, Message

RECONNECT_DELAYS = (0.0, 2.0, 10.0, 30.0)
"""Seconds; those of withAutomaticReconnect()."""
_DESCRIPTOR = re.compile(r'\bdata-descriptor="([^"]*)"')


class CircuitScript:
    """StartCircuit, Increment, and ConnectCircuit or ResumeCircuit when it comes back."""

    delays: Sequence[float] = RECONNECT_DELAYS

    def __init__(self, ways: Ways, descriptor: str | None) -> None:
        self.held = Held()
        self.ways = ways
        self.asked_to_move = False
        self._descriptor = descriptor
        self._saved: str | None = None
        """Our memory, signed by the replica that let us go."""

    @classmethod
    async def load(cls, browser: Browser, settings: CrowdSettings) -> CircuitScript:
        try:
            answer = await browser.ask("GET", "/")
        except HttpFailed as error:
            raise VisitFailed([f"GET / failed: {error}"]) from error
        found = _DESCRIPTOR.search(answer.body.decode(errors="replace"))
        return cls(settings.ways, html.unescape(found[1]) if found else None)

    async def start(self, connection: HubConnection) -> None:
        await self._meet(connection)
        self.held.circuit = await connection.invoke("StartCircuit", self._descriptor)
        await self._look(connection)

    async def _meet(self, connection: HubConnection) -> None:
        """Ask the replica who it is: as the page does it, which has to name who refuses."""
        self.held.replica = (await connection.invoke("GetConnection"))["replica"]

    async def _look(self, connection: HubConnection) -> None:
        state = await connection.invoke("GetState")
        self.held.replica, self.held.count = state["replica"], state["count"]

    async def hear(self, connection: HubConnection, message: Message) -> None:
        """The answer to a click, or the request to take the memory elsewhere."""
        match message:
            case Completion():
                self.held.count = _count(message)
            case Invocation(target="Pause", arguments=(str(state),)):
                self._saved, self.asked_to_move = state, True

    async def click(self, connection: HubConnection) -> None:
        await connection.post("Increment")

    async def pause(self, connection: HubConnection) -> None:
        """The replica sent the memory along with its request."""

    async def come_back(self, connection: HubConnection) -> Memory:
        await self._meet(connection)
        if self._saved is None:
            known = await connection.invoke("ConnectCircuit", self.held.circuit)
        else:
            known = self.held.circuit = await connection.invoke("ResumeCircuit", self._saved)
        self._saved, self.asked_to_move = None, False
        if not known:
            raise MemoryLost
        await self._look(connection)
        return "kept"

    def comes_back_after(self, lost: ConnectionLost) -> bool:
        return lost.may_reconnect

    def failed_to_start(self, errors: Sequence[str]) -> list[str]:
        return list(errors)

    async def leave(self, browser: Browser, connection: HubConnection | None) -> None:
        if connection:
            await connection.leave()


def _count(answer: Completion) -> Any:
    """Raises MemoryLost when the hub knows no circuit of ours any more."""
    try:
        return result_of(answer)
    except CallFailed as error:
        raise MemoryLost from error
