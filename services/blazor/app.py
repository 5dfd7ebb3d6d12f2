"""Blazor as one of the apps of the affinity lab: how a replica is started, and how its lines are read."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, ClassVar

from services.blazor import dotnet_log
from services.blazor.source import NAME, STORE, AppUnavailable, Missing, find_app, find_store
from services.blazor.telling import Telling
from services.engines.base import Limits, Port, Recipe, Spec
from services.workspaces.tail import Line
from services.workspaces.workspace import Workspace

MIB = 1024 * 1024
FIRST_SETTINGS: dict[str, Any] = {
    "transports": "auto",
    "skip_negotiation": False,
    "prerender": True,
    "retention_seconds": 180,
    "shared_store": False,
}
"""What the switches of the app are at first: Blazor's own."""

_LIMITS = Limits(memory=384 * MIB, cpus=1.0, pids=192)
_STORE_LIMITS = Limits(memory=128 * MIB, cpus=0.5, pids=64)
_STORE_PORT = 6379
_HEAP = 192 * MIB
"""Else the collector takes its time while there is room, and a machine with three replicas is full."""


class BlazorApp:
    """The real Blazor Server app, in one workspace."""

    name: ClassVar[str] = NAME
    service: ClassVar[str] = NAME
    names_visitors: ClassVar[bool] = True
    """It does not know who visits: the balancer gives a browser its name, and notes it in each request."""
    drops_one: ClassVar[bool] = False
    takes_drain: ClassVar[bool] = False
    stays: ClassVar[str] = "its browser has reconnected before, and .NET 10 then does not pause any more"

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._telling = Telling(self._whose)

    def _whose(self, circuit: str) -> str | None:
        return (self._workspace.log.at("circuits", circuit) or {}).get("visitor")

    @property
    def _containers(self) -> bool:
        return self._workspace.engine.name != "local"

    def missing(self) -> Missing | None:
        """Why it cannot be launched here; None when it can."""
        found = find_app(self._workspace.settings, containers=self._containers)
        return found if isinstance(found, Missing) else None

    def missing_store(self) -> Missing | None:
        """Why there can be no shared store here; None when there can."""
        found = find_store(self._workspace.settings, containers=self._containers)
        return found if isinstance(found, Missing) else None

    def recipes(self, settings: Mapping[str, Any]) -> list[Recipe]:
        """What has to be there before a replica starts; raises AppUnavailable."""
        find = [find_app, find_store] if settings["shared_store"] else [find_app]
        found = [each(self._workspace.settings, containers=self._containers) for each in find]
        for each in found:
            if isinstance(each, Missing):
                raise AppUnavailable(each.why, hint=each.hint)
        return [each for each in found if isinstance(each, Recipe)]

    def spec(self, replica: str, settings: Mapping[str, Any], *, shared_keys: bool) -> Spec:
        """How a replica is started; the folder of shared keys, or the store, is given to it."""
        environment = {
            "REPLICA": replica,
            "CONTROL_KEY": self._workspace.control_key,
            "PRERENDER": _flag(settings["prerender"]),
            "TRANSPORTS": "" if settings["transports"] == "auto" else settings["transports"],
            "SKIP_NEGOTIATION": _flag(settings["skip_negotiation"]),
            "RETENTION_SECONDS": str(settings["retention_seconds"]),
            "DOTNET_EnableDiagnostics": "0",
            "DOTNET_GCHeapHardLimit": hex(_HEAP),
            **({"REDIS": self._store_address()} if settings["shared_store"] else {}),
            **dotnet_log.settings(),
        }
        return Spec(
            self._workspace.name,
            self.service,
            replica,
            NAME,
            environment=environment,
            ports={"public": Port(8000, variable="PORT"), "control": Port(9000, variable="CONTROL_PORT")},
            host_variable="HOST",
            folders={"blazor-keys": "KEYS"} if shared_keys else {},
            limits=_LIMITS,
        )

    def store_spec(self, port: int) -> Spec:
        """Redis without files; `port` is where it listens when it is a process of this machine."""
        number = _STORE_PORT if self._containers else port
        host = "0.0.0.0" if self._containers else "127.0.0.1"
        program = ("redis-server",) if self._containers else ()
        keeps_nothing = ("--save", "", "--appendonly", "no", "--requirepass", self._store_password())
        return Spec(
            self._workspace.name,
            STORE,
            STORE,
            STORE,
            command=(*program, "--bind", host, "--port", str(number), *keeps_nothing),
            ports={"store": Port(number, publish=port)},
            limits=_STORE_LIMITS,
        )

    def told(self, line: Line) -> Line:
        """What the circuit app would have said."""
        return self._telling.told(line)

    def _store_address(self) -> str:
        at = self._workspace.engine.peer_address(self._workspace.name, STORE, "store")
        return f"{at.host}:{at.port},password={self._store_password()}"

    def _store_password(self) -> str:
        return hmac.new(self._workspace.control_key.encode(), b"store", hashlib.sha256).hexdigest()[:32]


def _flag(value: bool) -> str:
    return "true" if value else "false"
