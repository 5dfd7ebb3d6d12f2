"""One virtual visitor: loads the page, connects, counts now and then, and comes back when it is cut off."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any, Literal, Protocol

from services.visitors.blazor_script import BlazorScript
from services.visitors.browser import Browser
from services.visitors.circuit_script import CircuitScript
from services.visitors.connection import CallFailed, HubConnection
from services.visitors.negotiation import StartFailed
from services.visitors.script import Held, Memory, MemoryLost, Script, VisitFailed
from services.visitors.settings import CrowdSettings
from services.visitors.transports import ConnectionLost
from services.wire.lines import Level

SCRIPTS: dict[str, type[Script]] = {"circuit": CircuitScript, "blazor": BlazorScript}
CLICK_SECONDS = (2.0, 6.0)
Status = Literal["waiting", "connected", "reconnecting", "failed"]


class Surroundings(Protocol):
    """What a visitor needs of its crowd."""

    settings: CrowdSettings
    door: asyncio.Semaphore

    def changed(self, before: Status, after: Status) -> None: ...
    def tell(self, kind: str, text: str, *, level: Level = "info", **data: Any) -> None: ...


class Visitor:
    """Lives in `live()` until cancelled; what it is and has is there to be looked at."""

    def __init__(self, name: str, crowd: Surroundings) -> None:
        self.name = name
        self.status: Status = "waiting"
        self.transport: str | None = None
        self.memory: Memory | None = None
        self._crowd = crowd
        self._browser = Browser(name, crowd.settings)
        self._script: Script | None = None
        self._held = Held()
        self._connection: HubConnection | None = None
        self._visiting = self._reloading = False

    def facts(self) -> dict[str, Any]:
        """As the control port shows it."""
        held = self._held
        seen = {"replica": held.replica, "circuit": held.circuit, "count": held.count}
        how = {"status": self.status, "transport": self.transport, "memory": self.memory}
        return {"visitor": self.name} | how | seen

    async def live(self) -> None:
        """Visit until cancelled, then say goodbye."""
        try:
            while True:
                await self._visit_until_reloaded()
        finally:
            await self._leave_page()
            await self._browser.close()

    def reload(self, living: asyncio.Task[None]) -> None:
        """Press the browser's reload button; `living` is the task that is in `live()`."""
        if self._visiting and not (self._reloading or living.done()):
            self._reloading = True
            living.cancel()

    def go_offline(self, offline: bool) -> None:
        """Its requests reach nobody from now on, or do so again."""
        self._browser.offline = offline

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
            await self._leave_page()

    async def _visit(self) -> None:
        """One load of the page, as long as it lasts."""
        try:
            script = await self._arrive()
            await self._stay(script)
        except MemoryLost:
            await self._leave_page()
        except VisitFailed as failure:
            await self._leave_connection()
            self.fail(failure.errors)
            await asyncio.sleep(self._crowd.settings.reload_seconds * random.uniform(0.5, 1.5))
            await self._leave_page()

    async def _arrive(self) -> Script:
        """From nothing to a circuit; raises VisitFailed."""
        settings = self._crowd.settings
        async with self._crowd.door:
            started = time.monotonic()
            script = self._script = await SCRIPTS[settings.app].load(self._browser, settings)
            try:
                await script.start(await self._connect(script))
            except StartFailed as error:
                raise VisitFailed(script.failed_to_start(error.errors)) from error
            except (CallFailed, ConnectionLost) as error:
                raise VisitFailed([_text(error)]) from error
            self._hold(script, "lost" if self.memory else "new", started)
        return script

    async def _connect(self, script: Script) -> HubConnection:
        await self._leave_connection()
        self._connection = await HubConnection.start(self._browser, script.ways, script.hear)
        return self._connection

    def _hold(self, script: Script, memory: Memory, started: float, moved_from: str | None = None) -> None:
        """The circuit is ours: tell who has it."""
        connection, held = self._connection, script.held
        assert connection is not None
        self._held, self.memory, self.transport = held, memory, connection.transport
        self._become("connected")
        came = f"moved from {moved_from} to" if moved_from else "is connected to"
        self._crowd.tell(
            "visitor.connected",
            f"{self.name} {came} {held.replica} by {self.transport}; {_MEMORY[memory]}.",
            visitor=self.name,
            replica=held.replica,
            transport=self.transport,
            connection=connection.token,
            circuit=held.circuit,
            tries=connection.tries,
            ms=round((time.monotonic() - started) * 1000, 1),
            memory=memory,
            moved_from=moved_from,
        )

    async def _stay(self, script: Script) -> None:
        """Click now and then, move when asked to, reconnect when cut off; raises VisitFailed, MemoryLost."""
        while True:
            try:
                await self._click_on(script)
                await self._move(script)
            except ConnectionLost as lost:
                await self._come_back(script, lost)
            except CallFailed as error:
                raise VisitFailed([_text(error)]) from error

    async def _click_on(self, script: Script) -> None:
        """Until the replica asks us to take our memory elsewhere."""
        connection = self._connection
        assert connection is not None
        while True:
            until = time.monotonic() + random.uniform(*CLICK_SECONDS)
            while time.monotonic() < until:
                await connection.listen(until)
                if script.asked_to_move:
                    return
            await script.click(connection)

    async def _move(self, script: Script) -> None:
        """From here to wherever the balancer sends us, with our memory in our hands."""
        assert self._connection is not None
        left = script.held.replica
        self._become("reconnecting")
        await script.pause(self._connection)
        await self._retry(script, [f"{left} asked it to take its memory elsewhere."], moved_from=left)

    async def _come_back(self, script: Script, lost: ConnectionLost) -> None:
        """Connected again with the old memory; raises MemoryLost, or VisitFailed after the last attempt."""
        reason = lost.reason or "Connection closed."
        errors = [f"Connection disconnected with error '{reason}'."]
        if not (script.comes_back_after(lost) and self._crowd.settings.reconnect):
            raise VisitFailed(errors)
        self._tell_reconnecting(1, script.delays[0], reason)
        await self._retry(script, errors)

    async def _retry(self, script: Script, first: list[str], moved_from: str | None = None) -> None:
        errors = first
        for attempt, delay in enumerate(script.delays, start=1):
            if attempt > 1:
                self._tell_reconnecting(attempt, delay, errors[-1])
            await asyncio.sleep(delay)
            try:
                return await self._resume(script, moved_from)
            except StartFailed as error:
                errors = first + error.errors
            except (ConnectionLost, CallFailed) as error:
                errors = [*first, _text(error)]
        raise VisitFailed(errors)

    async def _resume(self, script: Script, moved_from: str | None) -> None:
        async with self._crowd.door:
            started = time.monotonic()
            memory = await script.come_back(await self._connect(script))
            self._hold(script, memory, started, moved_from)

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

    async def _leave_page(self) -> None:
        script, self._script = self._script, None
        connection, self._connection = self._connection, None
        if script:
            await script.leave(self._browser, connection)

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
