"""All workspaces of this dashboard, and the one thread that listens to the engine for them."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from services.engines.base import ChangeStream, Engine
from services.errors import EngineUnavailable, LabError, NotFound
from services.events.log import Listener
from services.events.store import Store
from services.settings import BadSetting, Settings
from services.words import say
from services.workspaces.workspace import Lab, Workspace

_RETRY = 2.0
_logger = logging.getLogger(__name__)


class Workspaces:
    """The workspaces by name; today there is one, `demo`."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        reason: str,
        store: Store,
        secret: bytes,
        labs: Sequence[type[Lab]],
    ) -> None:
        """`reason` says why this engine was chosen; `secret` is what control keys are made from."""
        self._settings = settings
        self._engine = engine
        self._reason = reason
        self._store = store
        self._named = {"demo": Workspace("demo", engine, settings, store, secret, labs, self.engine_facts)}
        self._stream: ChangeStream | None = None
        self._closing = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="engine-watch", daemon=True)
        self._lock_file: IO[str] | None = None
        self._version = ""

    def get(self, name: str) -> Workspace:
        """The workspace of that name; raises NotFound."""
        if name not in self._named:
            raise NotFound(
                say("There is no workspace %(name)s.", name=repr(name)),
                hint=say("The workspace that always exists is demo."),
            )
        return self._named[name]

    def on_events(self, listener: Listener) -> None:
        """Hear the stored events of every workspace; see `EventLog.listen`."""
        for workspace in self._named.values():
            workspace.log.listen(listener)

    def engine_facts(self) -> dict[str, Any]:
        """What a person should know of the engine: name, version, limits, why it was chosen."""
        facts = {"name": self._engine.name, "version": self._version}
        return facts | {"limits": list(self._engine.limits), "reason": self._reason}

    def start(self) -> None:
        """Take over what runs and begin to watch; raises BadSetting when another dashboard has the folder."""
        if self._watcher.is_alive():
            return
        self._lock_file = hold(self._settings.state_dir)
        with contextlib.suppress(LabError):
            self._version = self._engine.version()
        for workspace in self._named.values():
            try:
                workspace.restore()
            except LabError as error:  # `check` tries again as soon as the engine answers
                _logger.warning("could not take over %s yet: %s", workspace.name, error.message)
        self._watcher.start()

    def close(self) -> None:
        """Let go of everything; services keep running and the next dashboard adopts them."""
        self._closing.set()
        if self._stream:
            self._stream.close()
        for workspace in self._named.values():
            workspace.close()
        self._engine.close()
        self._store.close()
        if self._lock_file:
            self._lock_file.close()

    def _watch(self) -> None:
        lost = False
        while not self._closing.is_set():
            try:
                self._version = self._engine.version()
                self._stream = self._engine.watch()
                if lost:
                    self._say("engine.recovered", f"{self._engine.name} answers again.", "info")
                for workspace in self._named.values():
                    workspace.check()
                lost = False
                self._listen(self._stream)
            except EngineUnavailable as error:
                if not lost and not self._closing.is_set():
                    self._say("engine.lost", f"{error.message} {error.hint}", "error")
                lost = True
            except Exception:
                _logger.exception("watching the engine failed; trying again")
            if self._stream:
                self._stream.close()
            self._closing.wait(_RETRY)

    def _listen(self, stream: ChangeStream) -> None:
        for change in stream:
            if workspace := self._named.get(change.workspace):
                workspace.changed(change)

    def _say(self, kind: str, text: str, level: Any) -> None:
        for workspace in self._named.values():
            workspace.log.record("dashboard", kind, text, level=level)


def hold(state_dir: Path) -> IO[str]:
    """Hold the state folder until the file is closed; raises BadSetting when another dashboard has it.

    Two dashboards on one folder would number the same events twice. The folder holds secrets: one that
    others may write to is refused.
    """
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = state_dir.stat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise BadSetting(
            f"LAB_STATE_DIR={state_dir} can be written by others; chmod 700 it or set another one"
        )
    file = (state_dir / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise BadSetting(
            f"another Labdeck uses LAB_STATE_DIR={state_dir}; stop it or set another folder"
        ) from error
    return file
