"""The app's own switches: each is a setting of the replicas, so they restart one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.affinity_lab.apps import Apps
from services.affinity_lab.asker import ASKED, By
from services.affinity_lab.replicas import in_order
from services.affinity_lab.store import Store
from services.blazor.source import AppUnavailable
from services.errors import LabError
from services.workspaces.workspace import Workspace

_WORDS = {
    "transports": "transports {}",
    "skip_negotiation": "negotiate skipped: {}",
    "prerender": "prerendered: {}",
    "retention_seconds": "memory kept for {} s",
    "shared_store": "shared store: {}",
}


class Switches:
    """What the app is set to; a lab that does not run takes it at the next launch."""

    def __init__(
        self, workspace: Workspace, apps: Apps, store: Store, restart: Callable[[str, By], None]
    ) -> None:
        self._log = workspace.log
        self._apps = apps
        self._store = store
        self._restart = restart

    def facts(self) -> dict[str, Any]:
        """The settings, and why there can be no shared store where there can be none."""
        missing = self._apps.blazor.missing_store()
        return self._apps.settings | {"store_reason": missing.sentence if missing else None}

    def must_have_store(self) -> None:
        """Raises AppUnavailable where there can be none."""
        if missing := self._apps.blazor.missing_store():
            raise AppUnavailable(missing.why, hint=missing.hint)

    def set(self, changes: Mapping[str, Any], by: By) -> None:
        """Have it so, replica after replica; when it cannot be begun, all stays as it was."""
        before = self._apps.settings
        wanted = {name: value for name, value in changes.items() if before[name] != value}
        if not wanted:
            return
        names = self._running()
        words = ", ".join(_WORDS[name].format(_plain(value)) for name, value in wanted.items())
        restarts = " One replica after the other restarts." if names else " The next launch takes it."
        data = {"settings": wanted, "by": by}
        text = f"The app is to have {words}, {ASKED[by]}.{restarts}"
        self._log.record(
            "dashboard", "app_settings.changing", text, data=data, patch={"app_settings": wanted}
        )
        try:
            if names and self._apps.settings["shared_store"]:
                self._store.keep(True)  # before the first replica looks for it
            for name in names:
                self._restart(name, by)
        except LabError:
            undone = {"app_settings": {name: before[name] for name in wanted}}
            text = "The app's settings are as they were: a replica could not be started with the new ones."
            self._log.record("dashboard", "app_settings.undone", text, level="warning", patch=undone)
            raise
        if names:
            self._store.keep(self._apps.settings["shared_store"])
        self._log.record("dashboard", "app_settings.changed", f"The app has {words} now.", data=data)

    def _running(self) -> list[str]:
        """The replicas that have to restart: only Blazor has these switches."""
        if self._apps.now is not self._apps.blazor or self._log.at("affinity_lab", "phase") != "running":
            return []
        known = self._log.at("replicas") or {}
        return [name for name in in_order(known) if known[name].get("phase") in ("running", "frozen")]


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "of its own choice" if value == "auto" else str(value)
