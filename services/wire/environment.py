"""What a lab program is told by whoever starts it, and how it is told to stop."""

from __future__ import annotations

import asyncio
import resource
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field

FILES = 65_536


class BadEnvironment(ValueError):
    """A `LAB_*` variable is missing or cannot be; the message names it."""


@dataclass(frozen=True)
class Listen:
    """Where to listen; port 0 means any free one."""

    host: str
    port: int


@dataclass(frozen=True)
class LabEnvironment:
    """The names and the key of one instance."""

    workspace: str
    instance: str
    control_key: str = field(repr=False)


def read_environment(environment: Mapping[str, str]) -> LabEnvironment:
    """`LAB_WORKSPACE`, `LAB_INSTANCE`, `LAB_CONTROL_KEY`; raises BadEnvironment."""
    return LabEnvironment(
        workspace=_need(environment, "LAB_WORKSPACE"),
        instance=_need(environment, "LAB_INSTANCE"),
        control_key=_need(environment, "LAB_CONTROL_KEY"),
    )


def read_listen(environment: Mapping[str, str], name: str) -> Listen:
    """`LAB_LISTEN_<NAME>`, such as `127.0.0.1:8090` or `[::1]:0`; raises BadEnvironment."""
    variable = f"LAB_LISTEN_{name.upper()}"
    host, _, port = _need(environment, variable).rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise BadEnvironment(f"{variable} must be host:port, not {environment[variable]!r}")
    return Listen(host.removeprefix("[").removesuffix("]"), int(port))


def _need(environment: Mapping[str, str], name: str) -> str:
    if not environment.get(name):
        raise BadEnvironment(f"{name} is not set")
    return environment[name]


def allow_many_files() -> None:
    """Lift the soft limit of open files (often 1,024) as far as it goes: each connection is one or two."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def told_to_stop() -> None:
    """Wait for SIGTERM or Ctrl-C; call it in the main task before doing anything else takes long."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
