"""The replicas behind the balancer: as asked for, as Envoy's file, and back from address to name."""

from __future__ import annotations

import ipaddress
import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from services.wire.control import ControlError, flag_field, number_field

MOST_ENDPOINTS = 64
REMEMBERED = 512
"""Addresses whose name is still known after their replica went: its last requests end later than it."""
_ASSIGNMENT = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
SERVICE = "app"


@dataclass(frozen=True)
class Endpoint:
    """One replica; `host` is a numeric address."""

    name: str
    host: str
    port: int
    draining: bool = False
    """It gets nobody new; whose connection it holds still reaches it, where a cookie leads there."""

    @property
    def address(self) -> str:
        """As Envoy writes it into its log."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Names:
    """Address → replica, for the access log; the newest replica at an address has it."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, str] = OrderedDict()

    def learn(self, endpoints: Iterable[Endpoint]) -> None:
        """Take these in, forgetting the oldest beyond `REMEMBERED`."""
        for endpoint in endpoints:
            self._names[endpoint.address] = endpoint.name
            self._names.move_to_end(endpoint.address)
        while len(self._names) > REMEMBERED:
            self._names.popitem(last=False)

    def of(self, address: str | None) -> str | None:
        """The replica at the address; None for one never heard of."""
        return self._names.get(address or "")


def read_endpoints(items: Any) -> tuple[Endpoint, ...]:
    """The list in the body of a PUT; raises ControlError for a name or an address that is there twice."""
    if not isinstance(items, list) or len(items) > MOST_ENDPOINTS:
        raise ControlError(f"endpoints must be a list of at most {MOST_ENDPOINTS}.")
    endpoints = tuple(_read_endpoint(item) for item in items)
    for field in ("name", "address"):
        if len({getattr(endpoint, field) for endpoint in endpoints}) < len(endpoints):
            raise ControlError(f"Two endpoints have the same {field}.")
    return endpoints


def _read_endpoint(item: Any) -> Endpoint:
    if not isinstance(item, dict) or set(item) - {"draining"} != {"name", "host", "port"}:
        raise ControlError("An endpoint is an object of name, host, port and, if it goes, draining.")
    name, host = item["name"], item["host"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ControlError("An endpoint's name is up to 63 small letters, digits and dashes.")
    port, draining = number_field(item, "port", 1, 65535, 0), flag_field(item, "draining", False)
    return Endpoint(name, _numeric(host), port, draining)


def _numeric(host: Any) -> str:
    try:
        return str(ipaddress.ip_address(host if isinstance(host, str) else ""))
    except ValueError as error:
        raise ControlError("An endpoint's host must be a numeric address, such as 127.0.0.1.") from error


def draining(endpoints: Iterable[Endpoint]) -> list[str]:
    """The addresses of those that get nobody new."""
    return [endpoint.address for endpoint in endpoints if endpoint.draining]


def endpoints_file(endpoints: Iterable[Endpoint], version: int) -> dict[str, Any]:
    """Envoy's EDS file: one assignment that every cluster shares."""
    members = [_member(endpoint) for endpoint in endpoints]
    assignment = {"@type": _ASSIGNMENT, "cluster_name": SERVICE, "endpoints": [{"lb_endpoints": members}]}
    return {"version_info": str(version), "resources": [assignment]}


def _member(endpoint: Endpoint) -> dict[str, Any]:
    address = {"socket_address": {"address": endpoint.host, "port_value": endpoint.port}}
    health = {"health_status": "DRAINING"} if endpoint.draining else {}
    return {"endpoint": {"address": address}, **health}
