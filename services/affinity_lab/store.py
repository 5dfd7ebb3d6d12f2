"""The store that replicas can share: started before them, gone after them."""

from __future__ import annotations

from typing import Any

from services.affinity_lab.programs import Programs
from services.blazor.source import STORE
from services.errors import LabError, ServiceFailed
from services.words import say, together
from services.workspaces.workspace import Workspace


class Store:
    """Redis, as the dashboard sees it; all changes are made by the lab's one job worker."""

    def __init__(self, workspace: Workspace, programs: Programs) -> None:
        self._workspace = workspace
        self._log = workspace.log
        self._programs = programs

    def keep(self, wanted: bool) -> None:
        """Have it run, or not; raises ServiceFailed and the like when it cannot be started."""
        if not wanted:
            if self._log.at("store", "phase") != "stopped":
                self._programs.stop(STORE)
                self._say("store.stopped", "The shared store is gone.", phase="stopped", error=None)
        elif STORE not in self._workspace.alive():
            self._start()

    def note_loss(self) -> None:
        """After a restart of the dashboard: what the state says runs may be gone."""
        if self._log.at("store", "phase") == "running" and STORE not in self._workspace.alive():
            self.died("No dashboard looked when it did.")

    def died(self, words: str) -> None:
        """Note that it ended by itself."""
        error = ServiceFailed(
            together(say("The shared store ended by itself."), words), hint=say("Switch it off and on again.")
        )
        self._fail("store.died", error)

    def _start(self) -> None:
        self._say("store.starting", "Starting the shared store.", phase="starting", error=None)
        try:
            self._programs.build()
            self._programs.stop(STORE, grace=0)
            self._programs.start_store()
        except LabError as error:
            self._programs.stop(STORE, grace=0)
            self._fail("store.failed", error)
            raise
        self._say("store.started", "The shared store takes what replicas put aside.", phase="running")

    def _fail(self, kind: str, error: LabError) -> None:
        patch = {"store": {"phase": "failed", "error": error.as_dict()}}
        data = {"error": error.as_dict()}
        self._log.record("redis", kind, error.message, level="error", data=data, patch=patch)

    def _say(self, kind: str, text: str, **change: Any) -> None:
        self._log.record("redis", kind, text, patch={"store": change})
