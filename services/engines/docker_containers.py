"""What every container of ours is made with: its names, its one network, and what it may not do."""

from __future__ import annotations

from typing import Any

import docker
from docker.types import LogConfig

from services.engines.base import Instance, Spec

WORKSPACE, SERVICE, INSTANCE = "labdeck.workspace", "labdeck.service", "labdeck.instance"
SHARED = "/shared"
"""Where the folders that instances share are mounted, each under its name."""
OWNED = "kept"
"""The folder inside of it that belongs to the program: a new volume is root's."""
DECK = "labdeck.deck"
"""Which dashboard it belongs to: two on one Docker never touch each other's."""
PORT = "labdeck.port."

USER = "65532:65532"
"""Nobody on any host; also where an image forgot its USER."""
TMPFS = "rw,noexec,nosuid,nodev,size=64m,mode=1777"
TMPFS_OF_SANDBOX = "rw,exec,nosuid,nodev,size=64m,mode=1777"


def name_of(deck: str, workspace: str, instance: str) -> str:
    return f"labdeck-{deck}-{workspace}-{instance}"


def network_of(deck: str, workspace: str) -> str:
    return f"labdeck-{deck}-{workspace}"


def volume_of(deck: str, workspace: str, name: str) -> str:
    return f"labdeck-{deck}-{workspace}-{name}"


def creation(client: docker.APIClient, spec: Spec, deck: str, image: str, cpus: int) -> dict[str, Any]:
    """Arguments of `create_container`; `cpus` is what the machine has, since Docker refuses more."""
    network = network_of(deck, spec.workspace)
    ports = {port.number: ("127.0.0.1", port.publish or None) for port in spec.ports.values()}
    host_config = client.create_host_config(
        network_mode="none" if spec.sandbox else network,
        port_bindings=ports,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        read_only=True,
        binds=[f"{volume_of(deck, spec.workspace, name)}:{SHARED}/{name}:rw" for name in spec.folders],
        tmpfs={"/tmp": TMPFS_OF_SANDBOX if spec.sandbox else TMPFS},
        mem_limit=spec.limits.memory,
        memswap_limit=spec.limits.memory,
        nano_cpus=int(min(spec.limits.cpus, cpus) * 1e9),
        pids_limit=spec.limits.pids,
        restart_policy={"Name": "no"},
        log_config=LogConfig(type="json-file", config={"max-size": "10m", "max-file": "2"}),
    )
    endpoint = client.create_endpoint_config(aliases=[spec.instance])
    networking = None if spec.sandbox else client.create_networking_config({network: endpoint})
    return {
        "image": image,
        "command": list(spec.command) or None,
        "name": name_of(deck, spec.workspace, spec.instance),
        "hostname": spec.instance,
        "user": USER,
        "environment": _environment(spec),
        "labels": _labels(spec, deck),
        "ports": list(ports),
        "host_config": host_config,
        "networking_config": networking,
    }


def _environment(spec: Spec) -> dict[str, str]:
    return {
        "HOME": "/tmp",
        **spec.environment,
        **spec.told("0.0.0.0", {name: port.number for name, port in spec.ports.items()}),
        **{variable: f"{SHARED}/{name}/{OWNED}" for name, variable in spec.folders.items()},
    }


def _labels(spec: Spec, deck: str) -> dict[str, str]:
    return {
        DECK: deck,
        WORKSPACE: spec.workspace,
        SERVICE: spec.service,
        INSTANCE: spec.instance,
        **{f"{PORT}{name}": str(port.number) for name, port in spec.ports.items()},
    }


def as_instance(found: dict[str, Any]) -> Instance:
    """Out of `docker inspect`."""
    labels, state = found["Config"]["Labels"], found["State"]
    return Instance(
        labels[WORKSPACE],
        labels[SERVICE],
        labels[INSTANCE],
        found["Id"],
        running=state["Running"],
        started_at=state["StartedAt"],
        exit_code=None if state["Running"] else state["ExitCode"],
        frozen=state["Running"] and state["Paused"],
    )
