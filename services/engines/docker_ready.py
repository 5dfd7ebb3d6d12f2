"""Takes an image that somebody made already instead of a build: a named one, or one that was carried here."""

from __future__ import annotations

import docker
from docker.errors import APIError, NotFound

from services.engines.base import Recipe, Report
from services.engines.docker_daemon import Daemon
from services.engines.docker_images import PREFIX, tag_of
from services.errors import BuildFailed
from services.words import say

SOURCES = "labdeck.sources"
"""Label with the hash of what an image was made from."""

_SILENCE = 600.0
"""Seconds that a pull may say nothing."""


def take_ready(daemon: Daemon, recipe: Recipe, report: Report) -> None:
    """Somebody else's image gets a name of ours beside its own; it is pulled when it is not there.

    Raises BuildFailed, EngineUnavailable.
    """
    with daemon.connected(_SILENCE) as client:
        try:
            client.inspect_image(recipe.ready)
        except NotFound:
            pull(client, recipe.ready, report)
        client.tag(recipe.ready, f"{PREFIX}/{recipe.name}", "latest")
    report(f"{recipe.name} is {recipe.ready}")


def carried_here(daemon: Daemon, recipe: Recipe, report: Report) -> str | None:
    """The id of the recipe's image if it was loaded, not built here, and is made from the same sources.

    The builder's images know the image below them, loaded ones do not.
    """
    if not recipe.sources:
        return None
    with daemon.asked() as client:
        try:
            found = client.inspect_image(tag_of(recipe.name))
        except NotFound:
            return None
    labels = found["Config"].get("Labels") or {}
    if found.get("Parent") or labels.get(SOURCES) != recipe.sources:
        return None
    report(f"{recipe.name} was loaded, and is made from these sources: nothing has to be built")
    return str(found["Id"])


def pull(client: docker.APIClient, name: str, report: Report) -> None:
    """Raises BuildFailed."""
    report(f"$ docker pull {name}")
    repository, _, tag = name.rpartition(":") if ":" in name.rpartition("/")[2] else (name, "", "latest")
    hint = say("docker pull %(name)s by hand, or name an image that is there, then launch again.", name=name)
    try:
        for message in client.pull(repository, tag, stream=True, decode=True):
            if "error" in message:
                raise BuildFailed(
                    say("%(name)s cannot be pulled: %(error)s", name=name, error=message["error"]), hint=hint
                )
    except APIError as error:
        raise BuildFailed(
            say("%(name)s cannot be pulled: %(explanation)s", name=name, explanation=error.explanation),
            hint=hint,
        ) from error
