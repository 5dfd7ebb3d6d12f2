"""What a person would type for each button, on this engine: true, so that it can be copied and run."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from services.hello_go.choice import Choice

HOUSE = Path(__file__).parents[2]
"""The repository's top folder."""
LOAD_COUNT, LOAD_CALLERS = 200, 8


def commands(choice: Choice, folder: Path, url: str, *, docker: bool) -> dict[str, str]:
    """By button; `folder` holds the rendered sources, `url` is where the app answers or will."""
    both = {"call": f"curl -i {url}", "load": load_command(url, LOAD_COUNT, LOAD_CALLERS)}
    return (_docker if docker else _local)(choice, folder, url.removeprefix("http://")) | both


def load_command(url: str, count: int, callers: int) -> str:
    python = shlex.quote(_shortened(Path(sys.executable)))
    return (
        f"cd {shlex.quote(str(HOUSE))} && "
        f"{python} -m services.hello_go.load {url} --count {count} --callers {callers}"
    )


def _docker(choice: Choice, folder: Path, address: str) -> dict[str, str]:
    tag, name = f"labdeck/{choice.name}:latest", f"hello-go-{address.rpartition(':')[2]}"
    return {
        "build": f"docker build -t {tag} {shlex.quote(str(folder))}",
        "run": f"docker run -d --name {name} -p {address}:{choice.port} {tag}",
        "stop": f"docker rm -f {name}",
        "images": "docker images 'labdeck/hello-go*'",
        "layers": f"docker history {tag}",
    }


def _local(choice: Choice, folder: Path, address: str) -> dict[str, str]:
    go = shlex.quote(_shortened(_go()))
    there = f"cd {shlex.quote(str(folder))}"
    flags = f"-ldflags {shlex.quote(choice.flags)}"
    return {
        "build": f"{there} && CGO_ENABLED=0 {go} build -trimpath {flags} -o hello-go .",
        "run": f"{there} && LAB_LISTEN_PUBLIC={address} ./hello-go",
        "stop": "Ctrl-C",
        "images": f"ls -l {shlex.quote(str(folder / 'hello-go'))}",
    }


def _go() -> Path:
    """Beside this Python, where the wheel puts it, or whatever the PATH has."""
    beside = Path(sys.executable).with_name("go")
    return beside if beside.exists() else Path(shutil.which("go") or "go")


def _shortened(program: Path) -> str:
    """Its name alone where the PATH leads to it."""
    found = shutil.which(program.name)
    return program.name if found and program.exists() and program.samefile(found) else str(program)
