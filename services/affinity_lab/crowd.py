"""The crowd of the lab: its process started when it is first asked for, told how many and how to behave."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from services.affinity_lab.asker import By
from services.affinity_lab.programs import Programs
from services.errors import LabError
from services.workspaces.workspace import Workspace

NOBODY: dict[str, Any] = {"phase": "stopped", "count": 0, "connected": 0, "failed": 0}
BEHAVIOUR: dict[str, Any] = {
    "transport": "auto",
    "protocol": "json",
    "skip_negotiation": False,
    "reconnect": True,
    "cookies": True,
    "one_address": False,
}
"""How visitors behave until they are told otherwise."""
_HEARD_WITHIN = 5.0
"""Seconds that the crowd's own word may be on its way."""


class Crowd:
    """The virtual visitors, as the dashboard sees them."""

    def __init__(self, workspace: Workspace, programs: Programs) -> None:
        self._workspace = workspace
        self._log = workspace.log
        self._programs = programs
        self._obeyed = threading.Event()

    def heard(self, kind: str) -> None:
        """A line of the crowd was read, and so was everything that it had written before."""
        if kind == "crowd.changed":
            self._obeyed.set()

    def set(self, settings: Mapping[str, Any], by: By) -> None:
        """Have it be so; what `settings` leaves out stays. When it cannot be, the state says so again.

        Returns when the state has heard of it: who asks afterwards how many are connected does not hear of
        those who were sent away.
        """
        remembered = {}
        if self._log.at("visitors", "phase") != "running":
            self._start()
            before = self._log.at("visitors") or {}
            remembered = {name: before.get(name, default) for name, default in BEHAVIOUR.items()}
        before = self._log.at("visitors") or {}
        told = {name: value for name, value in settings.items() if name != "anew"}
        # said before it is asked: a line of visitor-20 means something only where 20 were asked for
        text = f"The crowd is to have {settings.get('count', before.get('count'))} visitors."
        data = {"settings": dict(settings), "by": by}
        self._log.record("visitors", "crowd.changed", text, data=data, patch={"visitors": told})
        try:
            self._tell(remembered | dict(settings))
        except LabError as error:
            patch = {"visitors": {name: before.get(name) for name in told}}
            self._log.record("visitors", "visitors.failed", error.message, level="error", patch=patch)
            raise

    def _tell(self, wanted: dict[str, Any]) -> None:
        target = self._workspace.engine.peer_address(self._workspace.name, "balancer", "public").url
        app = self._log.at("app") or "circuit"
        body = wanted | {"target": target, "app": app}
        self._obeyed.clear()
        self._workspace.control("visitors").send("PUT", "/control/crowd", body, timeout=30.0)
        self._obeyed.wait(_HEARD_WITHIN)

    def _start(self) -> None:
        patch = {"visitors": {"phase": "starting", "error": None}}
        self._log.record("visitors", "visitors.starting", "Starting the crowd.", patch=patch)
        try:
            self._programs.stop("visitors", grace=0)
            self._programs.start_visitors()
            self._programs.wait_ready("visitors")
        except LabError as error:
            patch = {"visitors": NOBODY | {"phase": "failed", "error": error.as_dict()}}
            self._log.record("visitors", "visitors.failed", error.message, level="error", patch=patch)
            raise
        patch = {"visitors": {"phase": "running"}}
        self._log.record("visitors", "visitors.started", "The crowd takes orders.", patch=patch)
