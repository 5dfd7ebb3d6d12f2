"""The apps that replicas can run: what the lab asks of one, and the circuit app as the first of them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from services.blazor.app import FIRST_SETTINGS, BlazorApp
from services.blazor.source import AppUnavailable, Missing
from services.engines.base import Limits, Port, Recipe, Spec
from services.errors import BadRequest
from services.words import say
from services.workspaces.tail import Line
from services.workspaces.workspace import Workspace

MIB = 1024 * 1024


class App(Protocol):
    """What replicas, log, picture and story need not know more of than this."""

    name: ClassVar[str]
    service: ClassVar[str]
    """What the engine calls its replicas."""
    names_visitors: ClassVar[bool]
    """Whether the balancer has to give browsers a name, because the app gives them none."""
    drops_one: ClassVar[bool]
    """Whether a replica can cut one visitor alone."""
    takes_drain: ClassVar[bool]
    """Whether a replica can be told to take nobody new; the balancer sends nobody there anyway."""
    stays: ClassVar[str]
    """Why somebody who is connected cannot be asked to move."""

    def missing(self) -> Missing | None:
        """Why it cannot be launched here; None when it can."""

    def recipes(self, settings: Mapping[str, Any]) -> list[Recipe]:
        """What has to be built for it beside the lab's own programs."""

    def spec(self, replica: str, settings: Mapping[str, Any], *, shared_keys: bool) -> Spec:
        """How a replica is started."""

    def told(self, line: Line) -> Line:
        """A line of a replica or of the balancer, in the lab's words; one without text is no news."""


class CircuitApp:
    """The lab's own stateful app."""

    name: ClassVar[str] = "circuit"
    service: ClassVar[str] = "circuit"
    names_visitors: ClassVar[bool] = False
    drops_one: ClassVar[bool] = True
    takes_drain: ClassVar[bool] = True
    stays: ClassVar[str] = "its client cannot be asked"

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def missing(self) -> Missing | None:
        return None

    def recipes(self, settings: Mapping[str, Any]) -> list[Recipe]:
        return []

    def spec(self, replica: str, settings: Mapping[str, Any], *, shared_keys: bool) -> Spec:
        keys = {"LAB_PAGE_KEY": self._page_key()} if shared_keys else {}
        return Spec(
            self._workspace.name,
            self.service,
            replica,
            "services",
            command=("-m", "services.circuit"),
            environment={"LAB_CONTROL_KEY": self._workspace.control_key} | keys,
            ports={"public": Port(8000), "control": Port(9000)},
            limits=Limits(memory=192 * MIB, cpus=1.0, pids=64),
        )

    def told(self, line: Line) -> Line:
        return line

    def _page_key(self) -> str:
        """The one that all replicas of the workspace can share; nobody else can make it."""
        return hmac.new(self._workspace.control_key.encode(), b"page key", hashlib.sha256).hexdigest()


class Apps:
    """The apps of one workspace, and which of them its replicas run."""

    def __init__(self, workspace: Workspace) -> None:
        self._log = workspace.log
        self.blazor = BlazorApp(workspace)
        self._named: dict[str, App] = {app.name: app for app in (CircuitApp(workspace), self.blazor)}

    @property
    def now(self) -> App:
        """The one that was launched last."""
        return self._named.get(self._log.at("app") or "", self._named["circuit"])

    @property
    def settings(self) -> dict[str, Any]:
        """How the app's own switches stand."""
        return FIRST_SETTINGS | (self._log.at("app_settings") or {})

    def get(self, name: str) -> App:
        """Raises BadRequest for an app that there is not, AppUnavailable for one that this machine lacks."""
        if name not in self._named:
            raise BadRequest(
                say("There is no app %(name)s.", name=repr(name)),
                hint=say("There are: %(names)s.", names=", ".join(self._named)),
            )
        missing = self._named[name].missing()
        if missing:
            raise AppUnavailable(missing.why, hint=missing.hint)
        return self._named[name]

    def services(self) -> set[str]:
        return {app.service for app in self._named.values()}

    def facts(self) -> list[dict[str, Any]]:
        """`[{"name", "available", "reason"}]`; the reason says the next move too."""
        missing = {name: app.missing() for name, app in self._named.items()}
        return [
            {"name": name, "available": not why, "reason": why.sentence if why else None}
            for name, why in missing.items()
        ]
