"""Runs a compiler of this machine: watched line by line, cancelled with all that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
from collections import deque
from pathlib import Path

from services.engines.base import Cancellation, Recipe, Report
from services.engines.build_failures import build_failed
from services.engines.local_files import Files
from services.errors import BuildCancelled
from services.words import say

SECONDS = 600.0
"""A cold build of Go on two cores takes 17 s."""
_GO_VARIABLES = ("GOOS", "GOARCH", "GOARM")


def compile_with(
    command: list[str],
    folder: Path,
    recipe: Recipe,
    files: Files,
    report: Report,
    cancellation: Cancellation,
) -> None:
    """Run `command` in `folder`, its words line by line to `report`; its work folder goes with it.

    Raises BuildFailed with the compiler's own words, BuildCancelled.
    """
    last_words: deque[str] = deque(maxlen=8)
    files.go_caches.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="work-", dir=files.go_caches, ignore_cleanup_errors=True) as work,
        subprocess.Popen(
            command,
            cwd=folder,
            env=_environment(files) | {"GOTMPDIR": work} | for_go(recipe),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as compiler,
        cancellation.wakes(lambda: _end(compiler)),
    ):
        deadline = threading.Timer(SECONDS, _end, (compiler,))
        deadline.start()
        try:
            assert compiler.stdout is not None
            for line in compiler.stdout:
                report(line.rstrip("\n"))
                last_words.append(line.rstrip("\n"))
        except BaseException:
            _end(compiler)
            raise
        finally:
            deadline.cancel()
    if cancellation.asked:
        raise BuildCancelled(say("The build of %(name)s was cancelled.", name=recipe.name))
    if compiler.returncode:
        raise build_failed(recipe.name, last_words or [f"the compiler ended with {compiler.returncode}"])


def _end(compiler: subprocess.Popen[str]) -> None:
    """SIGKILL to `go` and to the compilers and linkers that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(compiler.pid, signal.SIGKILL)


def for_go(recipe: Recipe) -> dict[str, str]:
    """Which processor to compile for, where that is not this machine's."""
    return {name: recipe.arguments[name] for name in _GO_VARIABLES if recipe.arguments.get(name)}


def _environment(files: Files) -> dict[str, str]:
    caches = str(files.go_caches)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": caches,
        "GOCACHE": f"{caches}/build",
        "GOPATH": f"{caches}/path",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-buildvcs=false",
        "CGO_ENABLED": "0",
    }
