"""The balancer of the lab: started on a free port, told of replicas and affinity, asked to obey."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Mapping
from typing import Any

from services.affinity_lab.asker import ASKED, By
from services.affinity_lab.programs import Programs
from services.affinity_lab.replicas import Replicas
from services.errors import LabError
from services.workspaces.workspace import Workspace

FIRST_AFFINITY = {"mode": "none", "algorithm": "round_robin"}
_ONE_ADDRESS = "All virtual visitors have one address, that of their container."


class Balancer:
    """Envoy and its controller, as the dashboard sees them."""

    def __init__(self, workspace: Workspace, programs: Programs) -> None:
        self._workspace = workspace
        self._log = workspace.log
        self._programs = programs
        self._asking = threading.Lock()

    def start(self) -> None:
        """Start it and wait until it answers, on LAB_BALANCER_PORT or the next free port."""
        self.record("balancer.starting", "Starting Envoy and its controller.", phase="starting", error=None)
        self._programs.stop("balancer")
        port = self._programs.start_balancer()
        self._programs.wait_ready("balancer")
        url = self._workspace.engine.address(self._workspace.name, "balancer", "public").url
        asked = self._workspace.settings.balancer_port
        moved = "" if port == asked else f" Port {asked} is taken, so it got the next free one."
        self.record("balancer.started", f"The balancer answers at {url}.{moved}", phase="running", url=url)
        self._learn_addresses()

    def restart(self, replicas: Replicas, by: By) -> None:
        """Stop it and start it again; it gets the replicas and the affinity that it had."""
        text = f"Envoy is stopped and started again, {ASKED[by]}. What it was set to stays."
        self._log.record(
            "balancer",
            "balancer.restarting",
            text,
            data={"by": by},
            patch={"balancer": {"phase": "stopping"}},
        )
        try:
            self.start()
            self.tell(replicas)
        except LabError as error:
            failed = {"balancer": {"phase": "failed", "error": error.as_dict()}}
            data = {"error": error.as_dict()}
            self._log.record(
                "balancer", "balancer.failed", error.message, level="error", data=data, patch=failed
            )
            raise

    def tell(self, replicas: Replicas) -> None:
        """Give it the replicas that serve and, where it knows another one, the affinity that was last set."""
        with self._asking:
            control = self._workspace.control("balancer")
            endpoints = replicas.endpoints()
            control.send("PUT", "/control/endpoints", {"endpoints": endpoints})
            affinity = self._log.at("balancer", "affinity") or dict(FIRST_AFFINITY)
            actual = control.get("/control/state").get("affinity", {})
            if any(actual.get(field) != value for field, value in affinity.items()):
                affinity = control.send("PUT", "/control/affinity", affinity)["affinity"]
        names = [each["name"] for each in endpoints if not each["draining"]]
        text = f"The balancer chooses among {', '.join(names) or 'nobody'}."
        patch = {"balancer": {"affinity": affinity}}
        self._log.record("balancer", "endpoints.changed", text, data={"endpoints": names}, patch=patch)

    def set_affinity(self, settings: Mapping[str, Any], by: By) -> dict[str, Any]:
        """`{"affinity", "ms"}` once it obeys; what `settings` leaves out stays as it is."""
        with self._asking:
            wanted = {**(self._log.at("balancer", "affinity") or {}), **settings}
            answer = self._workspace.control("balancer").send("PUT", "/control/affinity", wanted)
            affinity = answer["affinity"]
            text = f"Affinity is {affinity['mode']} now, {affinity['algorithm'].replace('_', ' ')}."
            data, patch = answer | {"by": by}, {"balancer": {"affinity": affinity}}
            self._log.record("balancer", "affinity.changed", text, data=data, patch=patch)
        return answer

    def record(self, kind: str, text: str, **change: Any) -> None:
        """Record what became of it."""
        self._log.record("balancer", kind, text, patch={"balancer": change})

    def _learn_addresses(self) -> None:
        """Every address of 127.0.0.0/8 is a program's to use; in a network of containers it has just one."""
        host = self._workspace.engine.peer_address(self._workspace.name, "balancer", "public").host
        own = ipaddress.ip_address(host).is_loopback
        if own != self._log.at("visitors", "own_addresses"):
            text = "Virtual visitors can have addresses of their own." if own else _ONE_ADDRESS
            patch = {"visitors": {"own_addresses": own} | ({} if own else {"one_address": True})}
            self._log.record("visitors", "visitors.addresses_learned", text, patch=patch)
