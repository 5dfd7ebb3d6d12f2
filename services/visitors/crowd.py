"""All virtual visitors of a workspace: how many there are, and how they stand."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Any

from services.visitors.settings import CrowdSettings
from services.visitors.visitor import Status, Visitor
from services.wire.lines import Level, emit

CONNECTING_AT_ONCE = 50
LEAVING_SECONDS = 2.0
_log = logging.getLogger(__name__)


class Crowd:
    """Grows and shrinks live; `visitor-1` to `visitor-<count>` exist."""

    def __init__(self) -> None:
        self.settings = CrowdSettings()
        self.door = asyncio.Semaphore(CONNECTING_AT_ONCE)
        """Who connects must hold it: a thousand at the same moment would only time each other out."""
        self._visitors: dict[int, tuple[Visitor, asyncio.Task[None]]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._standing: Counter[Status] = Counter()

    def counts(self) -> dict[str, int]:
        """Absolute, on every line of the crowd; `count` is what was asked for, whoever is just changing."""
        standing = self._standing
        return {
            "count": self.settings.count,
            "connected": standing["connected"],
            "failed": standing["failed"],
        }

    def visitors(self) -> list[dict[str, Any]]:
        return [visitor.facts() for visitor, _ in self._visitors.values()]

    def set(self, settings: CrowdSettings, *, anew: bool = False) -> None:
        """Obey; visitors come, go and start anew (without any cookie) in their own time."""
        before, self.settings = self.settings, settings
        if anew or not settings.connects_like(before):
            self._shrink(0)
        self._shrink(settings.count)
        for number in range(len(self._visitors) + 1, settings.count + 1):
            self._admit(number)
        self.tell("crowd.changed", _crowd_text(settings), settings=settings.as_dict())

    def reload(self) -> int:
        """Everybody loads the page again, with the cookies of its browser; how many that are."""
        for visitor, task in self._visitors.values():
            visitor.reload(task)
        return len(self._visitors)

    def go_offline(self, offline: bool) -> int:
        """All who are there lose the network, or have it back; how many that are.

        A connection that is open stays so, as in a browser that is set offline.
        """
        for visitor, _ in self._visitors.values():
            visitor.go_offline(offline)
        return len(self._visitors)

    def _admit(self, number: int) -> None:
        visitor = Visitor(f"visitor-{number}", self)
        self._standing[visitor.status] += 1
        task = asyncio.create_task(self._live(number, visitor))
        self._visitors[number] = (visitor, task)

    async def _live(self, number: int, visitor: Visitor) -> None:
        """An error of our own ends one visitor, never the others."""
        try:
            await visitor.live()
        except Exception as error:
            _log.exception("%s ended", visitor.name)
            if number in self._visitors and self._visitors[number][0] is visitor:
                visitor.fail([f"The crowd itself failed: {error!r}"])

    def _shrink(self, count: int) -> None:
        """The newest leave first."""
        while len(self._visitors) > count:
            visitor, task = self._visitors.pop(len(self._visitors))
            self._standing[visitor.status] -= 1
            task.cancel()
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)
            self.tell("visitor.left", f"{visitor.name} left.", visitor=visitor.name)

    def changed(self, before: Status, after: Status) -> None:
        """A visitor stands otherwise now."""
        self._standing[before] -= 1
        self._standing[after] += 1

    def tell(self, kind: str, text: str, *, level: Level = "info", **data: Any) -> None:
        """One line, with the counts as they are now."""
        emit(kind, text, level=level, **data, crowd=self.counts())

    async def close(self) -> None:
        """Everybody leaves, politely as long as that takes no more than two seconds."""
        self._shrink(0)
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=LEAVING_SECONDS)


def _crowd_text(settings: CrowdSettings) -> str:
    if not settings.count:
        return "Nobody visits."
    how = "WebSockets without a negotiate" if settings.skip_negotiation else settings.transport
    transport = "the first transport that works" if how == "auto" else how
    who = "One visitor comes" if settings.count == 1 else f"{settings.count} visitors come"
    return f"{who} to {settings.target} by {transport}, speaking {settings.ways.protocol}."
