"""Envoy's health checks, told: who was found not to answer, and who is back."""

from __future__ import annotations

import json
from typing import Any

from services.balancer.endpoints import Names
from services.wire.lines import emit

MARK = b'"health_checker_type"'
"""Is in each line of this log; in the access log its quotes would be escaped."""


class HealthLog:
    """Reads what `event_log` of a cluster's health checks writes (HealthCheckEvent of Envoy's data)."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def read(self, line: bytes) -> None:
        """Take in one line; the first check of a new replica is no news."""
        try:
            event = json.loads(line)
            replica = self._names.of(_address(event["host"]["socket_address"]))
        except (ValueError, KeyError, TypeError):
            return
        if replica is None:
            return
        if "eject_unhealthy_event" in event:
            text = f"{replica} does not pass the balancer's health checks: it gets no requests."
            emit("endpoint.ejected", text, level="warning", source=replica, replica=replica)
        elif "add_healthy_event" in event and not event["add_healthy_event"].get("first_check"):
            text = f"{replica} passes the balancer's health checks again."
            emit("endpoint.readmitted", text, source=replica, replica=replica)


def _address(socket: dict[str, Any]) -> str:
    host = str(socket["address"])
    return f"[{host}]:{socket['port_value']}" if ":" in host else f"{host}:{socket['port_value']}"
