"""How each program of the lab is started: its ports, its limits, its readiness."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from services.engines.base import Limits, Port, Recipe, Spec
from services.errors import PortTaken
from services.settings import Settings
from services.workspaces.workspace import Workspace

MIB = 1024 * 1024
_CONTROL = Port(9000)
_PORTS_TRIED = 20
_LIMITS = {
    "circuit": Limits(memory=192 * MIB, cpus=1.0, pids=64),
    "balancer": Limits(memory=384 * MIB, cpus=2.0, pids=128),
    "visitors": Limits(memory=512 * MIB, cpus=1.0, pids=64),
}


def recipe(settings: Settings) -> Recipe:
    """The image that holds all three programs; on the local engine nothing has to be made."""
    top = Path(__file__).parents[2]
    arguments = {"PYTHON": settings.image_python}
    return Recipe("services", top, "python", target="services", arguments=arguments)


class Programs:
    """Starts and stops the programs of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._built = False

    def build(self) -> None:
        """Make the image once in the life of this dashboard; unchanged sources come from the cache."""
        if not self._built:
            self._workspace.build(recipe(self._workspace.settings), self._report)
            self._built = True

    def start_replica(self, name: str) -> None:
        """Start a copy of the circuit app; it is not ready yet."""
        shared = self._workspace.log.at("page_keys", "shared")
        keys = {"LAB_PAGE_KEY": self._page_key()} if shared else {}
        self._start("circuit", name, {"public": Port(8000), "control": _CONTROL}, keys)

    def start_visitors(self) -> None:
        """Start the crowd's process; it is not ready yet."""
        self._start("visitors", "visitors", {"control": _CONTROL})

    def start_balancer(self) -> int:
        """Start Envoy and its controller on the first free port from LAB_BALANCER_PORT on; that port."""
        first = self._workspace.settings.balancer_port
        for port in range(first, min(first + _PORTS_TRIED, 65536)):
            try:
                self._start("balancer", "balancer", {"public": Port(8090, publish=port), "control": _CONTROL})
                return port
            except PortTaken:
                continue
        raise PortTaken(
            f"Ports {first} to {first + _PORTS_TRIED - 1} of this machine are taken.",
            hint="Stop what uses them, or set LAB_BALANCER_PORT, then launch again.",
        )

    def wait_ready(self, name: str) -> None:
        """Wait for its control port; raises ServiceFailed, in its own words when it left some."""
        self._workspace.wait_ready(
            name, lambda: self._workspace.control(name).get("/control/state", timeout=1.0)
        )

    def stop(self, name: str, *, grace: float = 3.0) -> None:
        """End it; already gone is fine."""
        self._workspace.stop(name, grace=grace)

    def _page_key(self) -> str:
        """The one that all replicas of the workspace can share; nobody else can make it."""
        return hmac.new(self._workspace.control_key.encode(), b"page key", hashlib.sha256).hexdigest()

    def _start(
        self, service: str, name: str, ports: dict[str, Port], more: dict[str, str] | None = None
    ) -> None:
        self._workspace.start(
            Spec(
                self._workspace.name,
                service,
                name,
                "services",
                command=("-m", f"services.{service}"),
                environment={"LAB_CONTROL_KEY": self._workspace.control_key} | (more or {}),
                ports=ports,
                limits=_LIMITS[service],
            )
        )

    def _report(self, line: str) -> None:
        self._workspace.log.record("dashboard", "output.line", line[:4000], data={"stream": "build"})
