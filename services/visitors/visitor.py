"""One virtual visitor: loads the page, connects, counts now and then, and comes back when it is cut off."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any, Literal, Protocol

from services.visitors.browser import Browser, HttpFailed
from services.visitors.connection import CallFailed, HubConnection, result_of
from services.visitors.negotiation import StartFailed
from services.visitors.settings import CrowdSettings
from services.visitors.transports import ConnectionLost
from services.wire.lines import Level
from services.wire.messages import Completion

RECONNECT_DELAYS = (0.0, 2.0, 10.0, 30.0)
"""Seconds; those of withAutomaticReconnect()."""
CLICK_SECONDS = (2.0, 6.0)
MOST_ERRORS = 12
Status = Literal["waiting", "connected", "reconnecting", "failed"]
Memory = Literal["new", "kept", "lost"]


class Surroundings(Protocol):
    """What a visitor needs of its crowd."""

    settings: CrowdSettings
    door: asyncio.Semaphore

    def changed(self, before: Status, after: Status) -> None: ...
    def tell(self, kind: str, text: str, *, level: Level = "info", **data: Any) -> None: ...


class VisitFailed(Exception):
    """This page has failed for good; only loading it again helps."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__(errors[-1])
        self.errors = errors[-MOST_ERRORS:]


class MemoryLost(Exception):
    """The replica does not know our circuit: the page is loaded again at once, as Blazor's does."""


class Visitor:
    """Lives in `live()` until cancelled; what it is and has is there to be looked at."""

    def __init__(self, name: str, crowd: Surroundings) -> None:
        self.name = name
        self.status: Status = "waiting"
        self.replica: str | None = None
        self.circuit: str | None = None
        self.transport: str | None = None
        self.memory: Memory | None = None
        self.count = 0
        """What the hub answered last: how often this circuit was clicked."""
        self._crowd = crowd
        self._browser = Browser(name, crowd.settings)
        self._connection: HubConnection | None = None
        self._visiting = self._reloading = False

    def facts(self) -> dict[str, Any]:
        """As the control port shows it."""
        fields = ("status", "replica", "circuit", "transport", "memory", "count")
        return {"visitor": self.name} | {field: getattr(self, field) for field in fields}

    async def live(self) -> None:
        """Visit until cancelled, then say goodbye."""
        try:
            while True:
                await self._visit_until_reloaded()
        finally:
            await self._leave_connection()
            await self._browser.close()

    def reload(self, living: asyncio.Task[None]) -> None:
        """Press the browser's reload button; `living` is the task that is in `live()`."""
        if self._visiting and not (self._reloading or living.done()):
            self._reloading = True
            living.cancel()

    def fail(self, errors: list[str]) -> None:
        """Its page shows an error from now on; `errors` is what the client logged."""
        self._become("failed")
        text = f"{self.name} gives up: {_plain(errors[0].split('. ')[0])}."
        self._crowd.tell("visitor.failed", text, level="warning", visitor=self.name, errors=errors)

    async def _visit_until_reloaded(self) -> None:
        self._visiting = True
        try:
            await self._visit()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._reloading or task is None or task.uncancel() > 0:
                raise  # told to leave as well
            self._reloading = False
            self._become("waiting")
            await self._leave_connection()

    async def _visit(self) -> None:
        """One load of the page, as long as it lasts."""
        try:
            await self._arrive()
            await self._stay()
        except MemoryLost:
            await self._leave_connection()
        except VisitFailed as failure:
            await self._leave_connection()
            self.fail(failure.errors)
            await asyncio.sleep(self._crowd.settings.reload_seconds * random.uniform(0.5, 1.5))

    async def _arrive(self) -> None:
        """From nothing to a circuit; raises VisitFailed."""
        async with self._crowd.door:
            started = time.monotonic()
            try:
                descriptor = await self._browser.load_page()
            except HttpFailed as error:
                raise VisitFailed([f"GET / failed: {error}"]) from error
            try:
                connection = await self._meet()
                circuit = await connection.invoke("StartCircuit", descriptor)
                await self._hold(circuit, "lost" if self.circuit else "new", started)
            except StartFailed as error:
                raise VisitFailed(error.errors) from error
            except (CallFailed, ConnectionLost) as error:
                raise VisitFailed([_text(error)]) from error

    async def _connect(self) -> HubConnection:
        await self._leave_connection()
        self._connection = await HubConnection.start(self._browser, self._crowd.settings)
        return self._connection

    async def _meet(self) -> HubConnection:
        """Connected, and the replica asked who it is: as the page does, which has to name who refuses."""
        connection = await self._connect()
        self.replica = (await connection.invoke("GetConnection"))["replica"]
        return connection

    async def _hold(self, circuit: str, memory: Memory, started: float) -> None:
        """The circuit is ours: see who has it, and tell."""
        connection = self._connection
        assert connection is not None
        state = await connection.invoke("GetState")
        self.replica, self.count = state["replica"], state["count"]
        self.circuit, self.memory, self.transport = circuit, memory, connection.transport
        self._become("connected")
        self._crowd.tell(
            "visitor.connected",
            f"{self.name} is connected to {self.replica} by {self.transport}; {_MEMORY[memory]}.",
            visitor=self.name,
            replica=self.replica,
            transport=self.transport,
            connection=connection.token,
            circuit=circuit,
            tries=connection.tries,
            ms=round((time.monotonic() - started) * 1000, 1),
            memory=memory,
        )

    async def _stay(self) -> None:
        """Click now and then, reconnect when cut off; raises VisitFailed, MemoryLost."""
        while True:
            try:
                await self._click_on()
            except ConnectionLost as lost:
                await self._come_back(lost)
            except CallFailed as error:
                raise MemoryLost from error

    async def _click_on(self) -> None:
        assert self._connection is not None
        while True:
            until = time.monotonic() + random.uniform(*CLICK_SECONDS)
            while time.monotonic() < until:
                for message in await self._connection.read(until):
                    if isinstance(message, Completion):
                        self.count = result_of(message)
            await self._connection.post("Increment")

    async def _come_back(self, lost: ConnectionLost) -> None:
        """Connected again with the old memory; raises MemoryLost, or VisitFailed after the last attempt."""
        reason = lost.reason or "Connection closed."
        if not (lost.may_reconnect and self._crowd.settings.reconnect):
            raise VisitFailed([f"Connection disconnected with error '{reason}'."])
        errors = [f"Connection disconnected with error '{reason}'."]
        for attempt, delay in enumerate(RECONNECT_DELAYS, start=1):
            self._tell_reconnecting(attempt, delay, reason)
            await asyncio.sleep(delay)
            try:
                return await self._resume()
            except StartFailed as error:
                errors, reason = [errors[0], *error.errors], error.errors[-1]
            except (ConnectionLost, CallFailed) as error:
                errors, reason = [errors[0], _text(error)], _text(error)
        raise VisitFailed(errors)

    async def _resume(self) -> None:
        async with self._crowd.door:
            started = time.monotonic()
            connection = await self._meet()
            assert self.circuit is not None
            if not await connection.invoke("ConnectCircuit", self.circuit):
                raise MemoryLost
            await self._hold(self.circuit, "kept", started)

    def _tell_reconnecting(self, attempt: int, delay: float, reason: str) -> None:
        self._become("reconnecting")
        when = f"in {delay:g} seconds" if delay else "at once"
        self._crowd.tell(
            "visitor.reconnecting",
            f"{self.name} is cut off ({_plain(reason)}); attempt {attempt} to reconnect starts {when}.",
            level="warning",
            visitor=self.name,
            attempt=attempt,
            delay_s=delay,
            reason=reason,
        )

    def _become(self, status: Status) -> None:
        before, self.status = self.status, status
        self._crowd.changed(before, status)

    async def _leave_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            await connection.leave()


_MEMORY: dict[Memory, str] = {
    "new": "its memory is new",
    "kept": "its memory was kept",
    "lost": "its old memory is lost",
}


def _text(error: Exception) -> str:
    reason = error.reason if isinstance(error, ConnectionLost) else str(error)
    return reason or "Error: Invocation canceled due to the underlying connection being closed."


def _plain(reason: str) -> str:
    return reason.removeprefix("Error: ").rstrip(".")[:300]
