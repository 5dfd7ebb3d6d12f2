"""Which images the labs need, by the names that the settings give them."""

from __future__ import annotations

from dataclasses import dataclass

from services.affinity_lab import programs
from services.blazor import source as blazor
from services.engines.base import Recipe
from services.engines.docker_images import tag_of
from services.settings import Settings


@dataclass(frozen=True)
class Wanted:
    """One image, and what it is for."""

    part: str
    """What WITHOUT=… calls it."""
    image: str
    why: str
    recipe: Recipe | None = None
    """How it is made, where it is one of ours; None for one that a registry has."""


def all_wanted(settings: Settings) -> tuple[Wanted, ...]:
    """Bases that something is built on in class, and those of our own images that are built with internet."""
    services = programs.recipe(settings)
    return (
        Wanted(
            "golang", settings.image_golang, "Hello-Go is compiled in it, and so are the agent's packages"
        ),
        Wanted("runtime", settings.image_runtime, "Hello-Go's small image is made on it"),
        Wanted("debian", settings.image_debian, "the other base that Hello-Go may have"),
        Wanted("distroless", settings.image_distroless, "the third base that Hello-Go may have"),
        Wanted("python", settings.image_python, "the agent script is rehearsed on it"),
        Wanted("services", tag_of(services.name), "the affinity lab's programs", services),
        _blazor(settings),
        Wanted("redis", settings.image_redis, "the store that Blazor's replicas may share"),
    )


def _blazor(settings: Settings) -> Wanted:
    why = "the affinity lab's other app"
    if settings.image_blazor:
        return Wanted("blazor", settings.image_blazor, why)
    recipe = blazor.find_app(settings, containers=True)
    assert isinstance(recipe, Recipe)  # with containers it is always one
    return Wanted("blazor", tag_of(recipe.name), why, recipe)
