"""Processes that outlive the dashboard: told from strangers with the same number, limited, ended."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from services.engines.base import Limits
from services.errors import EngineTimeout, ServiceFailed
from services.words import say

MARK_VARIABLE = "LAB_PROCESS"
"""In the environment of everything that an instance starts: finds what left its session, too."""

MEMORY_HEADROOM = 256 * 1024 * 1024
"""RLIMIT_DATA counts what is reserved as well: an idle Hello-Go uses 7 MB and counts 111 MB."""

OPEN_FILES = 16_384
"""A thousand visitors through one Envoy need four thousand."""

WAIT_FOR_KILL = 5.0
"""Seconds that the kernel gets to end a process after SIGKILL."""


@dataclass(frozen=True)
class Mark:
    """Names one process for good: a pid alone is given to another process sooner or later."""

    id: str
    pid: int
    born: int
    """Start time in clock ticks since boot, field 22 of /proc/<pid>/stat."""
    boot: str
    """The kernel's id of this boot."""

    @classmethod
    def of_nothing_yet(cls) -> Mark:
        """For what is about to start: nothing lives under it, but `kill` finds what carries the id."""
        return cls(uuid.uuid4().hex, pid=0, born=0, boot=boot_id())


@cache
def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@dataclass(frozen=True)
class _Stat:
    """What /proc/<pid>/stat says (proc_pid_stat(5)); the name before these may hold spaces and brackets."""

    state: str
    threads: int
    born: int

    @property
    def dead(self) -> bool:
        """A zombie whose other threads are still on their way out cannot be waited for: it is dying yet."""
        return self.state == "X" or (self.state == "Z" and self.threads <= 1)


def _stat(pid: int) -> _Stat | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return _Stat(state=fields[0], threads=int(fields[17]), born=int(fields[19]))


def lives(mark: Mark) -> bool:
    """True while this very process runs. Once false, the exit code of a child can be had at once."""
    found = _stat(mark.pid)
    return found is not None and not found.dead and found.born == mark.born and mark.boot == boot_id()


class Children:
    """Starts processes and remembers those of this dashboard, whose exit code can be known."""

    def __init__(self) -> None:
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._reaping = threading.Lock()

    def start(
        self, id: str, arguments: Sequence[str], folder: str, environment: Mapping[str, str], output: Path
    ) -> Mark:
        """A session of its own, so that Ctrl-C at the dashboard does not reach it; raises ServiceFailed."""
        with output.open("ab") as log:
            try:
                child = subprocess.Popen(
                    arguments,
                    cwd=folder,
                    env={**environment, MARK_VARIABLE: id},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise ServiceFailed(
                    say(
                        "%(value)s cannot be started: %(strerror)s.",
                        value=arguments[0],
                        strerror=error.strerror,
                    )
                ) from error
        self._children[id] = child
        # Not reaped before somebody asks for its exit code, so the entry is there even if it died at once.
        found = _stat(child.pid)
        return Mark(id, child.pid, found.born if found else 0, boot_id())

    def reap(self, mark: Mark) -> int | None:
        """The exit code as a shell has it (128 + signal); None while it runs, or when not our child."""
        child = self._children.get(mark.id)
        with self._reaping:  # of two polls at once, the second would not learn the code
            code = child.poll() if child else None
        return 128 - code if code is not None and code < 0 else code

    def forget(self, mark: Mark) -> None:
        self._children.pop(mark.id, None)


def limit(pid: int, limits: Limits) -> None:
    """Set what rlimits can: memory of each process, open files, no core dumps. Children inherit it."""
    with contextlib.suppress(ProcessLookupError):
        memory = limits.memory + MEMORY_HEADROOM
        hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]
        files = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
        resource.prlimit(pid, resource.RLIMIT_DATA, (memory, memory))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (files, files))
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))


def end(mark: Mark, grace: float) -> None:
    """SIGTERM to the program, which ends its own; after `grace` seconds SIGKILL to all that is left."""
    if grace > 0 and lives(mark):
        _signal(mark.pid, signal.SIGTERM)
        _signal_all(mark, signal.SIGCONT)  # a frozen program does not hear SIGTERM
        _wait_for_death(mark, grace)
    kill(mark)


def kill(mark: Mark) -> None:
    """SIGKILL to the program and everything it started; returns when it is dead, or EngineTimeout."""
    _signal_all(mark, signal.SIGKILL)
    if not _wait_for_death(mark, WAIT_FOR_KILL):
        raise EngineTimeout(
            say(
                "Process %(pid)s did not end within %(wait_for_kill)s s of SIGKILL.",
                pid=mark.pid,
                wait_for_kill=format(WAIT_FOR_KILL, ".0f"),
            )
        )


def freeze(mark: Mark) -> None:
    """SIGSTOP to the program and everything it started; returns when it stands still, or EngineTimeout."""
    _signal_all(mark, signal.SIGSTOP)
    _wait(lambda: is_frozen(mark) or not lives(mark), f"Process {mark.pid} does not stand still.")


def thaw(mark: Mark) -> None:
    """SIGCONT to all of them; returns when the program goes on, or EngineTimeout."""
    _signal_all(mark, signal.SIGCONT)
    _wait(lambda: not is_frozen(mark), f"Process {mark.pid} does not go on.")


def is_frozen(mark: Mark) -> bool:
    """True while it is stopped by a signal (`T` in /proc/<pid>/stat)."""
    found = _stat(mark.pid)
    return found is not None and found.state == "T" and lives(mark)


def _wait(condition: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + WAIT_FOR_KILL
    while not condition():
        if time.monotonic() > deadline:
            raise EngineTimeout(complaint)
        time.sleep(0.005)


def _signal_all(mark: Mark, number: int) -> None:
    """To its process group, and to what left the group but carries the mark."""
    if lives(mark):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(mark.pid, number)
    for pid in _marked(mark.id):
        _signal(pid, number)


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _wait_for_death(mark: Mark, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while lives(mark):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _marked(id: str) -> list[int]:
    """Living processes that carry the mark: those that outlived the program that started them."""
    wanted = f"{MARK_VARIABLE}={id}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found
