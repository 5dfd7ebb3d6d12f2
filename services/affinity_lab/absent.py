"""Browsers that will not come: their page is closed, and nobody said goodbye."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from services.events.log import EventLog

UNHEARD_SECONDS = 120.0
"""A script tries again after half a minute at most; a tab in the background may be let run once a minute."""
_REMEMBERED = 2000
"""Anybody may come with a new name."""


class Absent:
    """Lets browsers leave the picture that are not connected, have no memory anywhere and ask for nothing.

    A page that never was connected has nothing to say goodbye with. What it did stays in the log; should it
    ask for something after all, it is there again. The crowd tells itself when one of its own leaves.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._heard: dict[str, float] = {}
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()

    def heard(self, visitor: Any) -> None:
        """A line tells of it. Names of the crowd, and no name, are let pass."""
        if not isinstance(visitor, str) or not visitor or visitor.startswith("visitor-"):
            return
        with self._lock:
            self._heard.pop(visitor, None)  # the last heard of comes last
            self._heard[visitor] = time.monotonic()
            if len(self._heard) > _REMEMBERED:
                del self._heard[next(iter(self._heard))]
            self._look_later()

    def restore(self) -> None:
        """After a restart of the dashboard: who is in the picture has been heard of just now."""
        for name in self._log.at("people") or {}:
            self.heard(name)

    def clear(self) -> None:
        """Nobody is there any more."""
        with self._lock:
            self._heard.clear()
            if self._timer:
                self._timer.cancel()
                self._timer = None

    def _look_later(self) -> None:
        """One look at a time, when the one that was heard of longest ago is due; with the lock held."""
        if self._timer or not self._heard:
            return
        due = next(iter(self._heard.values())) + UNHEARD_SECONDS - time.monotonic()
        self._timer = threading.Timer(max(0.05, due), self._look)
        self._timer.daemon = True
        self._timer.start()

    def _look(self) -> None:
        before = time.monotonic() - UNHEARD_SECONDS
        people = self._log.at("people") or {}
        with self._lock:
            self._timer = None
            due = [name for name, at in self._heard.items() if at <= before]
            for name in due:
                del self._heard[name]
            again = [name for name in due if name in people and not is_away(people[name])]
            self._heard |= dict.fromkeys(again, time.monotonic())
            self._look_later()
        for name in due:
            if is_away(people.get(name)):
                self._leave(name)

    def _leave(self, name: str) -> None:
        text = (
            f"{name} is not connected and has asked for nothing for {UNHEARD_SECONDS:.0f} seconds: "
            "its page is closed, as far as the lab can tell."
        )
        self._log.record("dashboard", "visitor.left", text, data={"visitor": name}, patch=_without(name))


def is_away(person: Mapping[str, Any] | None) -> bool:
    """In the picture, and nothing that lives: no connection, no memory that waits, none in its own hands."""
    if not person or person.get("kind") != "browser" or person.get("circuit"):
        return False
    trying = person.get("status") is None and person.get("transport") is not None
    return person.get("status") != "connected" and person.get("memory") != "carried" and not trying


def _without(name: str) -> Any:
    """The patch; nothing when it has come back in this very moment."""
    return lambda state: {"people": {name: None}} if is_away(state.get("people", {}).get(name)) else {}
