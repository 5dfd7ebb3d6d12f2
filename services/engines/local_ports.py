"""Free loopback ports for programs that are not in containers."""

from __future__ import annotations

import random
import socket
from collections.abc import Collection
from pathlib import Path

from services.errors import EngineUnavailable, PortTaken
from services.words import say

LOWEST = 20_000


def claim(publish: int, in_use: Collection[int], whose: str | None = None) -> int:
    """`publish` when it is free, a free port when it is 0; raises PortTaken.

    The same `whose` gets the same port again as long as it is free: an affinity cookie names the port.
    `in_use` are ports given to programs that may not listen yet. Ports of the kernel's own range are left
    out: a visitor's outgoing connection could take one before its program listens.
    """
    if publish:
        if publish in in_use or not _is_free(publish):
            raise PortTaken(say("Port %(publish)s of this machine is in use.", publish=publish))
        return publish
    chooser = random.Random(whose)
    for _ in range(1000):
        port = chooser.randrange(LOWEST, _first_of_the_kernel())
        if port not in in_use and _is_free(port):
            return port
    raise EngineUnavailable(
        say("No free port was found on the loopback."), hint=say("Stop programs that hold many ports.")
    )


def _first_of_the_kernel() -> int:
    try:
        first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError):
        first = 32_768
    return first if first > LOWEST + 1000 else 65_536


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
