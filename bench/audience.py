"""Watchers as the benchmarks use them: a process of their own, so that reading costs the server nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.dashboard import TOP


class Audience:
    """`count` sockets that watch the workspace `demo` at `url`."""

    def __init__(self, url: str, token: str, count: int) -> None:
        """Returns when all of them watch; raises RuntimeError when one cannot."""
        command = [sys.executable, "-m", "bench.watchers", url, token, str(count)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=TOP, stdin=pipe, stdout=pipe, text=True)
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != "ready":
            self.close()
            raise RuntimeError(f"{count} watchers could not connect to {url}")

    def leave(self) -> dict[str, Any]:
        """Everybody goes; what they saw: `delays` in ms, `events`, `missed`, `gone`, `compressed`."""
        said, _ = self._process.communicate(timeout=30)
        return dict(json.loads(said))

    def close(self) -> None:
        """Also when something went wrong."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
