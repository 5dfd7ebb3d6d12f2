"""Where the Blazor app comes from on this machine: a published copy, an image, an SDK, or nowhere."""

from __future__ import annotations

import functools
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from services.engines.base import Recipe
from services.engines.sources import digest_of
from services.errors import LabError
from services.settings import Settings
from services.words import say

IMAGE = Path(__file__).parent / "image"
"""The C# source and its Dockerfile."""
NAME = "blazor"
STORE = "redis"
_SDK = "10."


class AppUnavailable(LabError):
    """This machine has nothing that the app could be run from."""

    status = 409
    kind = "app_unavailable"
    hint = say("Choose the circuit app, or give the lab what this one needs.")


@dataclass(frozen=True)
class Missing:
    """Why it cannot be had, and the next move."""

    why: str
    hint: str

    @property
    def sentence(self) -> str:
        return f"{self.why} {self.hint}"


def find_app(settings: Settings, *, containers: bool) -> Recipe | Missing:
    """How the app is made here. A ready copy comes before anything that has to be built."""
    bases = {"DOTNET_SDK": settings.image_dotnet_sdk, "DOTNET_RUNTIME": settings.image_dotnet_runtime}
    if containers:
        ready = settings.image_blazor
        sources = "" if ready else digest_of(IMAGE, ["."])
        return Recipe(NAME, IMAGE, "dotnet", arguments=bases, ready=ready, sources=sources)
    if settings.blazor_dir:
        program = settings.blazor_dir / NAME
        if program.is_file():
            return Recipe(NAME, IMAGE, "dotnet", ready=str(program))
        return Missing(
            say(
                "LAB_BLAZOR_DIR=%(blazor_dir)s has no program `%(name)s`.",
                blazor_dir=settings.blazor_dir,
                name=NAME,
            ),
            say("Name the folder that `dotnet publish` made, and start Labdeck again."),
        )
    if _sdk_is_there():
        return Recipe(NAME, IMAGE, "dotnet")
    return Missing(
        say("There is no .NET 10 SDK on this machine, and no published copy."),
        say("Install the SDK, name a published folder in LAB_BLAZOR_DIR, or use Docker; then run again."),
    )


def find_store(settings: Settings, *, containers: bool) -> Recipe | Missing:
    """How the store of evicted circuits is made here; nothing of it is ever built."""
    if containers:
        return Recipe(STORE, IMAGE, "dotnet", ready=settings.image_redis)
    program = shutil.which("redis-server")
    if program:
        return Recipe(STORE, IMAGE, "dotnet", ready=program)
    return Missing(
        say("There is no redis-server on this machine."), say("Install Redis (Debian: redis-server).")
    )


@functools.cache
def _sdk_is_there() -> bool:
    """Asked once in the life of a dashboard."""
    dotnet = shutil.which("dotnet")
    if not dotnet:
        return False
    try:
        found = subprocess.run(
            [dotnet, "--list-sdks"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return any(line.startswith(_SDK) for line in found.stdout.splitlines())
