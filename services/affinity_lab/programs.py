"""How each program of the lab is started: its ports, its limits, its readiness."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from pathlib import Path

from services.affinity_lab.apps import Apps
from services.blazor.source import STORE
from services.engines.base import Limits, Port, Recipe, Spec
from services.engines.sources import digest_of
from services.errors import PortTaken, ServiceFailed
from services.settings import Settings
from services.words import say
from services.workspaces.workspace import Workspace

MIB = 1024 * 1024
_CONTROL = Port(9000)
_PORTS_TRIED = 20
_SOURCES = (
    *("Dockerfile", "requirements-services.txt", "requirements-local.txt", "services/__init__.py"),
    *("services/wire", "services/circuit", "services/balancer", "services/visitors"),
)
"""What the image of these programs is made from: as its stages in the Dockerfile copy it."""
_LIMITS = {
    "balancer": Limits(memory=384 * MIB, cpus=2.0, pids=128),
    "visitors": Limits(memory=512 * MIB, cpus=1.0, pids=64),
}


def recipe(settings: Settings) -> Recipe:
    """The image that holds all three programs; on the local engine nothing has to be made."""
    top = Path(__file__).parents[2]
    arguments = {"PYTHON": settings.image_python}
    sources = digest_of(top, _SOURCES)
    return Recipe("services", top, "python", target="services", arguments=arguments, sources=sources)


class Programs:
    """Starts and stops the programs of one workspace."""

    def __init__(self, workspace: Workspace, apps: Apps) -> None:
        self._workspace = workspace
        self._apps = apps
        self._built: set[str] = set()

    def build(self) -> None:
        """Make each image once in the life of this dashboard, and again when somebody removed it."""
        own = recipe(self._workspace.settings)
        for each in (own, *self._apps.now.recipes(self._apps.settings)):
            if each.name not in self._built or self._workspace.engine.image(each.name) is None:
                self._workspace.build(each, self._report)
                self._built.add(each.name)

    def start_replica(self, name: str) -> None:
        """Start a copy of the app; it is not ready yet."""
        shared = self._shared_keys()
        self._workspace.start(self._apps.now.spec(name, self._apps.settings, shared_keys=shared))

    def settings_text(self) -> str:
        """What a replica is started with now, as one text: another one means that it has to restart."""
        settings = {"shared_keys": self._shared_keys()}
        if self._apps.now is self._apps.blazor:
            settings |= self._apps.settings
        return json.dumps(settings, sort_keys=True)

    def _shared_keys(self) -> bool:
        return bool(self._workspace.log.at("page_keys", "shared"))

    def start_store(self) -> None:
        """Start the store that the app's replicas share, and wait until it takes connections."""
        port = 0 if self._workspace.engine.name != "local" else _free_port()
        self._workspace.start(self._apps.blazor.store_spec(port))
        self._workspace.wait_ready(STORE, self._reach_store)

    def _reach_store(self) -> None:
        at = self._workspace.engine.address(self._workspace.name, STORE, "store")
        try:
            socket.create_connection((at.host, at.port), 1.0).close()
        except OSError as error:
            raise ServiceFailed(
                say("The store does not answer: %(strerror)s.", strerror=error.strerror)
            ) from error

    def start_visitors(self) -> None:
        """Start the crowd's process; it is not ready yet."""
        self._start("visitors", "visitors", {"control": _CONTROL})

    def start_balancer(self) -> int:
        """Start Envoy and its controller on the first free port from LAB_BALANCER_PORT on; that port."""
        first = self._workspace.settings.balancer_port
        names = {"LAB_NAMES_VISITORS": "1"} if self._apps.now.names_visitors else {}
        for port in range(first, min(first + _PORTS_TRIED, 65536)):
            try:
                ports = {"public": Port(8090, publish=port), "control": _CONTROL}
                self._start("balancer", "balancer", ports, names)
                return port
            except PortTaken:
                continue
        raise PortTaken(
            say(
                "Ports %(first)s to %(value)s of this machine are taken.",
                first=first,
                value=first + _PORTS_TRIED - 1,
            ),
            hint=say("Stop what uses them, or set LAB_BALANCER_PORT, then launch again."),
        )

    def wait_ready(self, name: str) -> None:
        """Wait for its control port; raises ServiceFailed, in its own words when it left some."""
        self._workspace.wait_ready(
            name, lambda: self._workspace.control(name).get("/control/state", timeout=1.0)
        )

    def stop(self, name: str, *, grace: float = 3.0) -> None:
        """End it; already gone is fine."""
        self._workspace.stop(name, grace=grace)

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


def _free_port() -> int:
    """For a program that cannot be told later where to listen."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])
