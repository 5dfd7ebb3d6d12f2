"""Order and delivery: numbers events, folds them into the state, stores them, then tells the listeners."""

from __future__ import annotations

import copy
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from services.events.event import Event, Level, now
from services.events.kinds import KINDS
from services.events.outline import Outline
from services.events.patch import merge
from services.events.search import Search
from services.events.store import Store

Listener = Callable[[str, list[dict[str, Any]]], None]
Patch = Mapping[str, Any] | Callable[[Mapping[str, Any]], Mapping[str, Any]]

_PENDING = 10_000
_BATCH_GAP = 0.1
_CHECKPOINT_GAP = 2.0
_logger = logging.getLogger(__name__)


class EventLog:
    """The log of one workspace and its state, which is the fold of all patches.

    An event is on disk before any listener hears of it. A watcher that saw event 812 therefore
    finds the same 812 after the dashboard was killed and started again.
    """

    def __init__(self, workspace: str, store: Store, fresh: Mapping[str, Any]) -> None:
        """Continue where the store ends; `fresh` is the state of a workspace that has no past."""
        self.workspace = workspace
        self._store = store
        self._fresh = fresh
        self._recording = threading.Condition()
        self._writing = threading.Lock()
        self._pending: list[Event] = []
        self._cursors: dict[str, str] = {}
        self._unpublished: list[dict[str, Any]] = []
        self._listeners: list[Listener] = []
        self._checkpoint_at = 0.0
        self._closed = False
        self._last = store.last_seq(workspace)
        self._state = self._restore()
        self._publisher = threading.Thread(target=self._publish, name=f"log-{workspace}", daemon=True)
        self._publisher.start()

    def record(
        self,
        source: str,
        kind: str,
        text: str,
        *,
        level: Level = "info",
        data: Mapping[str, Any] | None = None,
        patch: Patch | None = None,
        at: str | None = None,
        cursor: tuple[str, str] | None = None,
    ) -> Event:
        """Number the event and fold its patch; it is stored and told within about 0.1 s.

        `patch` may be a function of the current state. `cursor` is (instance id, log cursor) and is
        stored together with the event, so that a line read once is recorded once. Waits when 10,000
        events are not yet on disk. Raises ValueError for a kind that `KINDS` does not list.
        """
        if kind not in KINDS:
            raise ValueError(f"unknown kind of event: {kind!r}")
        with self._recording:
            self._recording.wait_for(lambda: len(self._pending) < _PENDING or self._closed)
            change = patch(self._state) if callable(patch) else patch
            words = text.encode("utf-8", "replace").decode()  # a lone surrogate cannot be stored
            event = Event(self._last + 1, at or now(), source, kind, level, words, data or {}, change or {})
            merge(self._state, event.patch)
            self._last = event.seq
            self._pending.append(event)
            if cursor:
                self._cursors[cursor[0]] = cursor[1]
            self._recording.notify_all()
        return event

    def passed(self, cursor: tuple[str, str]) -> None:
        """Remember that a line was read which is no event."""
        with self._recording:
            self._cursors[cursor[0]] = cursor[1]

    def flush(self) -> None:
        """Return when everything recorded so far is on disk."""
        with self._writing:
            with self._recording:
                events, self._pending = self._pending, []
                cursors, self._cursors = self._cursors, {}
                state = self._checkpoint()
            if not events and not cursors:
                return
            try:
                self._store.append(self.workspace, events, cursors, state)
            except Exception:
                with self._recording:
                    self._pending[:0] = events
                    self._cursors = cursors | self._cursors
                raise
            with self._recording:
                self._unpublished += [event.as_dict() for event in events]
                self._recording.notify_all()

    def read(
        self, after: int = 0, limit: int = 1000, source: str | None = None, kind: str | None = None
    ) -> list[Event]:
        """Events after `after`, ascending, everything recorded before this call included."""
        self.flush()
        return self._store.read(self.workspace, after=after, limit=limit, source=source, kind=kind)

    def find(
        self,
        search: Search,
        *,
        after: int = 0,
        before: int | None = None,
        at: str | None = None,
        limit: int = 1000,
    ) -> list[Event]:
        """The events that are meant, ascending: the first after `after`, with `before` the last before it.

        `at` is a moment as events have it: nothing from before the first event at or after it.
        """
        self.flush()
        if at is not None:
            begin = self._store.since(self.workspace, at)
            if begin is None:
                return []
            after = max(after, begin - 1)
        return self._store.find(self.workspace, search, after=after, before=before, limit=limit)

    def outline(self, search: Search, every: int) -> Outline:
        """How many events are meant, and the number of each `every`-th of them."""
        self.flush()
        return self._store.outline(self.workspace, search, every)

    def tail(self, count: int) -> list[Event]:
        """The newest `count` events, ascending."""
        self.flush()
        return self._store.tail(self.workspace, count)

    def about(
        self, visitor: str, *, before: int | None = None, after: int = 0, limit: int = 200
    ) -> list[Event]:
        """The lines of one visitor, ascending: the newest `limit` before that seq, else the first after."""
        self.flush()
        return self._store.about(self.workspace, visitor, before=before, after=after, limit=limit)

    def cursor(self, instance_id: str) -> str | None:
        """Where to read on in the output of that instance."""
        return self._store.cursor(self.workspace, instance_id)

    @property
    def last(self) -> int:
        """The `seq` of the newest event."""
        return self._last

    def look(self) -> tuple[int, dict[str, Any]]:
        """The last `seq` and a copy of the state that includes it."""
        with self._recording:
            return self._last, copy.deepcopy(self._state)

    def at(self, *path: str) -> Any:
        """A copy of one part of the state; None where there is nothing."""
        with self._recording:
            part: Any = self._state
            for key in path:
                part = part.get(key) if isinstance(part, dict) else None
            return copy.deepcopy(part)

    def listen(self, listener: Listener) -> None:
        """Call `listener(workspace, events)` with stored events in order, at most ten times a second."""
        self._listeners.append(listener)

    def clear(self) -> None:
        """Forget everything; numbering goes on."""
        self.flush()
        with self._writing, self._recording:
            self._store.clear(self.workspace, self._last)
            self._state = copy.deepcopy(dict(self._fresh))

    def close(self) -> None:
        """Store and tell the rest, then end."""
        with self._recording:
            self._closed = True
            self._recording.notify_all()
        self._publisher.join(timeout=5)

    def _restore(self) -> dict[str, Any]:
        """The saved state, brought up to date with the patches that came after it."""
        seq, state = self._store.saved_state(self.workspace) or (0, {})
        state = state or copy.deepcopy(dict(self._fresh))
        while events := self._store.read(self.workspace, after=seq, limit=2000):
            for event in events:
                merge(state, event.patch)
            seq = events[-1].seq
        return state

    def _checkpoint(self) -> tuple[int, str] | None:
        """The state as JSON, now and then; called with the lock held, so it fits the pending events."""
        if time.monotonic() - self._checkpoint_at < _CHECKPOINT_GAP:
            return None
        self._checkpoint_at = time.monotonic()
        return self._last, json.dumps(self._state, separators=(",", ":"))

    def _publish(self) -> None:
        while True:
            with self._recording:
                self._recording.wait_for(
                    lambda: self._pending or self._unpublished or self._closed, timeout=1
                )
                closed = self._closed
            try:
                self.flush()
            except Exception:
                _logger.exception("events of %s could not be stored; trying again", self.workspace)
                time.sleep(0.5)
            with self._recording:
                batch, self._unpublished = self._unpublished, []
            if batch:
                self._tell(batch)
                time.sleep(_BATCH_GAP)
            if closed:
                return

    def _tell(self, batch: list[dict[str, Any]]) -> None:
        for listener in self._listeners:
            try:
                listener(self.workspace, batch)
            except Exception:
                _logger.exception("a listener of %s failed", self.workspace)
