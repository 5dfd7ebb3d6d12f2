"""The affinity lab: launch, scale, toggle, break, watch. Here is what the workspace asks of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from services.affinity_lab.asks import Asks
from services.affinity_lab.balancer import FIRST_AFFINITY
from services.affinity_lab.crowd import BEHAVIOUR, NOBODY
from services.affinity_lab.patches import patch_of
from services.affinity_lab.replicas import in_order
from services.affinity_lab.runs.runs import IDLE
from services.blazor.app import FIRST_SETTINGS
from services.blazor.source import STORE
from services.engines.base import Change, Instance
from services.errors import ServiceFailed
from services.events.log import Patch
from services.words import say, together
from services.workspaces.tail import Line


class AffinityLab(Asks):
    """The replicas, the balancer and the crowd of one workspace."""

    name: ClassVar[str] = "affinity_lab"
    speaks: ClassVar[bool] = True
    fresh: ClassVar[Mapping[str, Any]] = {
        "affinity_lab": {"phase": "stopped"},
        "app": "circuit",
        "replicas": {},
        "balancer": {"phase": "stopped", "affinity": FIRST_AFFINITY},
        "visitors": NOBODY | BEHAVIOUR | {"own_addresses": True},
        "page_keys": {"shared": False},
        "app_settings": FIRST_SETTINGS,
        "store": {"phase": "stopped"},
        "people": {},
        "circuits": {},
        "run": IDLE,
    }

    def owns(self, service: str) -> bool:
        return service in ("balancer", "visitors", STORE) or service in self._apps.services()

    def translate(self, line: Line) -> Patch | None:
        self._crowd.heard(line.kind)
        return patch_of(line) if line.text else None

    def explain(self, line: Line) -> Line:
        told = self._fates.explain(self._apps.now.told(line))
        self._absent.heard(told.data.get("visitor"))
        return told

    def died(self, instance: Instance | Change, last_words: str) -> None:
        code = f"Exit code {instance.exit_code}." if instance.exit_code is not None else ""
        if instance.service in self._apps.services():
            return self._replicas.died(instance.instance, f"{code} {last_words}".strip())
        name = instance.instance
        if name == STORE:
            return self._store.died(f"{code} {last_words}".strip())
        error = ServiceFailed(
            together(say("The %(name)s ended by itself.", name=name), code, last_words),
            hint=say("Launch the lab again."),
        )
        failed = {"phase": "failed", "error": error.as_dict()}
        patch: dict[str, Any] = {name: failed}
        if name == "visitors":
            patch["visitors"] = NOBODY | failed
        else:
            patch["affinity_lab"] = failed
        self._log.record(
            name, f"{name}.died", error.message, level="error", data={"error": error.as_dict()}, patch=patch
        )
        return None

    def restore(self, found: Mapping[str, Instance]) -> None:
        phase = self._log.at("affinity_lab", "phase")
        known = {*self._replicas.known(), "balancer", "visitors", STORE}
        for name, instance in found.items():
            if phase == "stopped" or name not in known:
                self._workspace.engine.stop(self._workspace.name, name)
            else:
                self._workspace.adopt(instance)
        self._note_losses({name: each for name, each in found.items() if each.running})
        for name, instance in found.items():
            if instance.running:
                self._replicas.found(name, frozen=instance.frozen)
        if phase == "running":
            self._ask("mend", self._mend, "Finish what was interrupted.")
        elif phase == "starting":
            self.launch(self._apps.now.name)
        elif phase == "stopping":
            self.stop()
        self._absent.restore()
        self.runs.restore(running=phase == "running")

    def snapshot(self, state: dict[str, Any]) -> dict[str, Any]:
        none: dict[str, Any] = {"url": None, "error": None}
        replicas = state.get("replicas", {})
        return {
            "affinity_lab": {"error": None} | state.get("affinity_lab", {}),
            "balancer": none | state.get("balancer", {}),
            "replicas": [
                {"name": name, "error": None, "healthy": None} | replicas[name] for name in in_order(replicas)
            ],
            "visitors": {"error": None, "own_addresses": True}
            | NOBODY
            | BEHAVIOUR
            | state.get("visitors", {}),
            "page_keys": state.get("page_keys", {"shared": False}),
            "apps": self._apps.facts(),
            "app_settings": self._switches.facts(),
            "store": {"error": None} | state.get("store", {"phase": "stopped"}),
            "run": dict(IDLE) | state.get("run", {}),
        }

    def clear(self) -> None:
        """Runs are kept outside the state."""
        self._absent.clear()
        self.runs.forget()

    def _note_losses(self, alive: Mapping[str, Instance]) -> None:
        """What the state says runs and the engine does not have, died while no dashboard looked."""
        for name, replica in self._replicas.known().items():
            if replica.get("phase") in ("running", "frozen") and name not in alive:
                self._replicas.died(name, "No dashboard looked when it did.")
        self._store.note_loss()
        for name in ("balancer", "visitors"):
            if self._log.at(name, "phase") == "running" and name not in alive:
                gone = Change(self._workspace.name, name, name, "", "died")
                self.died(gone, "No dashboard looked when it did.")
