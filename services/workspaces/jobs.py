"""Ordered work: what was asked first is done first, and no request waits for it."""

from __future__ import annotations

import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from services.engines.base import Cancellation
from services.errors import LabError, WrongPhase
from services.events.log import EventLog
from services.words import say

Ending = Literal["dropped", "closing"]
_WAITING = 50
_logger = logging.getLogger(__name__)


class Unexpected(LabError):
    """A mistake of ours: the server's log has all of it, the browser only this."""

    kind = "internal"

    def __init__(self) -> None:
        super().__init__("Something went wrong inside the dashboard.")


@dataclass(frozen=True)
class _Job:
    id: str
    name: str
    work: Callable[[], None]
    failed: Callable[[LabError], None]


class Lane:
    """A queue with one worker. Each lab has one: a build of 30 s does not hold up the affinity lab."""

    def __init__(self, log: EventLog, name: str) -> None:
        self._log = log
        self._changed = threading.Condition()
        self._waiting: deque[_Job] = deque()
        self._busy = self._held = self._closed = False
        self._dropping = Cancellation()
        self._worker = threading.Thread(target=self._work, name=f"lane-{log.workspace}-{name}", daemon=True)
        self._worker.start()

    def submit(
        self,
        name: str,
        work: Callable[[], None],
        *,
        failed: Callable[[LabError], None],
        text: str,
        by: str | None = None,
    ) -> str:
        """Put `work` at the end of the queue and return the job's id; that it was asked for is on disk.

        `text` says what was asked for, `by` who asked (`page`, `api`); `failed` is called with the error
        before `job.failed` is recorded. Raises WrongPhase when 50 jobs wait already.
        """
        job = _Job(secrets.token_hex(6), name, work, failed)
        with self._changed:
            if len(self._waiting) >= _WAITING:
                raise WrongPhase(
                    say("%(waiting)s jobs are waiting already.", waiting=_WAITING),
                    hint=say("Wait until some are done."),
                )
            self._note(job, "job.accepted", text, "waiting", by=by)
            try:
                self._log.flush()
            except Exception:
                self._note(job, "job.failed", f"{job.name} could not be written down.", None, Unexpected())
                raise
            self._waiting.append(job)
            self._changed.notify_all()
        return job.id

    @property
    def ending(self) -> Ending | None:
        """Why a long job should end soon: all is to be removed, or the dashboard goes."""
        return "closing" if self._closed else "dropped" if self._dropping.asked else None

    @property
    def dropping(self) -> Cancellation | None:
        """Of the job that runs: asked when all is to be removed. None in any other thread than the worker."""
        return self._dropping if threading.current_thread() is self._worker else None

    def drop(self) -> None:
        """Forget the jobs that wait, and say so of each; the one that runs is told by `dropping`."""
        with self._changed:
            dropped = [*self._waiting]
            self._waiting.clear()
            running = self._dropping if self._busy else None
        if running:
            running.ask()
        for job in dropped:
            self._fail(
                job, WrongPhase(say("It was dropped before its turn came."), hint=say("Ask for it again."))
            )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let the running job end, and start no other one meanwhile."""
        with self._changed:
            self._held = True
            self._changed.wait_for(lambda: not self._busy)
        try:
            yield
        finally:
            with self._changed:
                self._held = False
                self._changed.notify_all()

    def close(self) -> None:
        """Let the running job end; those that wait stay asked for, and the next dashboard sees the phases."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()

    def _work(self) -> None:
        while job := self._next():
            self._note(job, "job.started", f"Working on {job.name}.", "running")
            try:
                job.work()
            except LabError as error:
                self._fail(job, error)
            except Exception:
                _logger.exception("job %s of %s failed unexpectedly", job.name, self._log.workspace)
                self._fail(job, Unexpected())
            else:
                self._note(job, "job.finished", f"Done: {job.name}.", None)

    def _next(self) -> _Job | None:
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or (self._waiting and not self._held))
            if self._closed:
                return None
            self._busy, self._dropping = True, Cancellation()
            return self._waiting.popleft()

    def _fail(self, job: _Job, error: LabError) -> None:
        try:
            job.failed(error)
        except Exception:
            _logger.exception("the failure of %s could not be recorded", job.name)
        self._note(job, "job.failed", f"{job.name} failed: {error.message} {error.hint}", None, error)

    def _note(
        self,
        job: _Job,
        kind: str,
        text: str,
        state: str | None,
        error: LabError | None = None,
        by: str | None = None,
    ) -> None:
        data: dict[str, Any] = {"job": job.id, "name": job.name}
        data |= ({"error": error.as_dict()} if error else {}) | ({"by": by} if by else {})
        patch = {"jobs": {job.id: {"name": job.name, "state": state} if state else None}}
        self._log.record("dashboard", kind, text, level="error" if error else "info", data=data, patch=patch)
