"""The images of this lab: what is there, how large each layer is, and which bases could be had."""

from __future__ import annotations

from typing import Any

from services.engines.base import Engine, Image
from services.hello_go.choice import BASES, Base, Choice
from services.hello_go.sources import reference
from services.settings import Settings
from services.words import say

BUILD_STAGE = "build"
"""The name of the first image in the state: the stage that compiles."""
_WHY = {
    "scratch": say("It is the empty image: every Docker has it."),
    "distroless": say("It comes from a registry; no Debian package has it, so there is no stand-in either."),
}


def facts(image: Image, role: str, base: str | None) -> dict[str, Any]:
    """One image as the state and the API have it; `role` is build, runtime or single."""
    return {
        "role": role,
        "base": base,
        "name": image.name,
        "tag": image.tag,
        "id": image.id,
        "size": image.size,
        "user": image.user,
        "layers": [{"made_by": layer.made_by, "size": layer.size} for layer in image.layers],
        "stand_in": image.stand_in,
    }


def places() -> list[tuple[str, str, str | None]]:
    """Where images of this lab may be: name for the engine, role, base. The default's come first."""
    multi = [Choice(base=base) for base in BASES]
    stages = [(f"{choice.name}:build", "build", None) for choice in multi]
    return [
        *((choice.name, "runtime", choice.base) for choice in multi),
        *stages,
        (Choice(stages="single").name, "single", None),
    ]


def present(engine: Engine) -> list[dict[str, Any]]:
    """All that were built; of equal build stages one."""
    found = [(engine.image(name), role, base) for name, role, base in places()]
    listed: list[dict[str, Any]] = []
    for image, role, base in found:
        if image and not (role == "build" and any(one["role"] == "build" for one in listed)):
            listed.append(facts(image, role, base if image.layers else None))
    return listed


def bases(engine: Engine, settings: Settings) -> list[dict[str, Any]]:
    """Each base: whether it can be built upon here, and if not, why and what would help."""
    return [_base(base, engine, settings) for base in BASES]


def _base(base: Base, engine: Engine, settings: Settings) -> dict[str, Any]:
    name = reference(base, settings)
    found = engine.base(name) if base != "scratch" else None
    here = base == "scratch" or found is not None
    return {
        "base": base,
        "image": name,
        "available": here or base == "alpine",  # the builder fetches it, as with any Dockerfile
        "here": here,
        "stand_in": bool(found and found.stand_in),
        "size": found.size if found else 0,
        "reason": None if here else f"{name} is not on this machine. {_WHY.get(base, '')}".strip(),
        "next": None if here else f"docker pull {name}",
    }
