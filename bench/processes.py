"""Memory and processor time of processes, as Linux counts them in /proc."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.table import Skipped

_PROC = Path("/proc")


@dataclass(frozen=True)
class Memory:
    """Bytes. `resident` counts a page that two of them share twice, `share` (PSS) once."""

    resident: int
    share: int


def tree(pid: int) -> list[int]:
    """The process and everything that it started and that still runs."""
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):
            for task in (_PROC / str(parent) / "task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def server(pid: int) -> list[int]:
    """A server and its workers; what a dashboard launches has a session of its own and is left out."""
    return [each for each in tree(pid) if os.getsid(each) == os.getsid(pid)]


def carrying(**environment: str) -> list[int]:
    """Those that were started with these variables, in a container or not, then what they started.

    Raises Skipped where the environment of a container's processes cannot be read.
    """
    wanted = {f"{name}={value}".encode() for name, value in environment.items()}
    numbers = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
    first = [pid for pid in numbers if wanted <= _environment(pid)]
    if not first:
        raise Skipped(f"no process with {environment} can be seen; as root those in containers can")
    return list(dict.fromkeys(each for pid in first for each in tree(pid)))


def memory(pids: Iterable[int]) -> Memory:
    """Of all of them together."""
    sums = {"Rss": 0, "Pss": 0}
    for pid in pids:
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]:
            name, _, rest = line.partition(":")
            if name in sums:
                sums[name] += int(rest.split()[0]) * 1024
    return Memory(sums["Rss"], sums["Pss"])


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of all of them together, since each began."""
    ticks = 0
    for pid in pids:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _environment(pid: int) -> set[bytes]:
    try:
        return set((_PROC / str(pid) / "environ").read_bytes().split(b"\0"))
    except OSError:
        return set()
