"""What a build leaves that ended early: the container of its step, and images that nobody has named."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field

import docker
from docker.errors import APIError

_PATIENCE = 10.0
"""Seconds that the daemon gets to end a step whose build nobody waits for any more."""


@dataclass
class Leftovers:
    """Of one build, as far as its lines told."""

    began: float
    """Seconds since 1970."""
    images: list[str] = field(default_factory=list)
    """Made by it, oldest first."""
    parent: str = ""
    """The image that the step under way builds upon."""
    container: str | None = None
    """Of the step under way."""

    def remove(self, client: docker.APIClient) -> None:
        """Remove them; gone already is success. Raises APIError for a container that cannot be removed."""
        if self.container:
            _remove_container(client, self.container)
        for image in [*self._untold(client), *reversed(self.images)]:
            remove_untagged(client, image)

    def _untold(self, client: docker.APIClient) -> list[str]:
        """What a step made in the moment when nobody listened any more."""
        parents = tuple(f"sha256:{id}" for id in (*self.images, self.parent) if id)
        return [
            one["Id"]
            for one in client.images(all=True)
            if parents and one["ParentId"].startswith(parents) and one["Created"] >= int(self.began)
        ]


def _remove_container(client: docker.APIClient, container: str) -> None:
    """The daemon removes it too, at the same time: what counts is that it is gone."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            client.remove_container(container, v=True, force=True)
            return
        except APIError as error:
            if error.status_code == 404:
                return
            if error.status_code != 409 or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def remove_untagged(client: docker.APIClient, image: str) -> None:
    """Leaves alone what has a name, a child or a container."""
    with contextlib.suppress(APIError):
        if not client.inspect_image(image)["RepoTags"]:
            client.remove_image(image)
