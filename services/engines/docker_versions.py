"""Dashboards of different code on one Docker: each starts the programs that it built itself."""

from __future__ import annotations

import contextlib
import re
import time
from datetime import datetime
from pathlib import Path

import docker
from docker.errors import APIError

from services.engines.docker_images import PREFIX, tag_of

UNUSED = 14 * 24 * 3600.0
"""Seconds after which a version goes that no dashboard built again, and no container has."""

_VERSION = re.compile(r"[0-9a-f]{12}")
_FRACTION = re.compile(r"\.\d+")


class Versions:
    """An image has a tag made of its own id beside `latest`, which the next one to build moves away.

    Which one is ours stands in a file of the folder, for the next dashboard that looks after the same things.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def tag_of(self, name: str) -> str:
        """The version that was built here last; `latest` of what has none."""
        with contextlib.suppress(OSError):
            return f"{PREFIX}/{name}:{(self._folder / name).read_text()}"
        return tag_of(name)

    def forget(self, name: str) -> None:
        """What is started now is somebody else's, under `latest`."""
        with contextlib.suppress(OSError):
            (self._folder / name).unlink()

    def keep(self, client: docker.APIClient, name: str, id: str) -> None:
        """This image is ours now. Those that nobody used for long go."""
        version = id.removeprefix("sha256:")[:12]
        client.tag(id, f"{PREFIX}/{name}", version)
        with contextlib.suppress(OSError):  # a full disk: `latest` is started then
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / name).write_text(version)
        for tag in _versions(client, name):
            if not tag.endswith(version) and _last_built(client, tag) < time.time() - UNUSED:
                with contextlib.suppress(APIError):  # a container has it
                    client.remove_image(tag)


def _versions(client: docker.APIClient, name: str) -> list[str]:
    tags = [tag for one in client.images(name=f"{PREFIX}/{name}") for tag in one["RepoTags"] or ()]
    return [tag for tag in tags if _VERSION.fullmatch(tag.rpartition(":")[2])]


def _last_built(client: docker.APIClient, tag: str) -> float:
    """Seconds since 1970: Docker notes when an image got a tag last, also when it had it already."""
    try:
        at = client.inspect_image(tag)["Metadata"]["LastTagTime"]
        return datetime.fromisoformat(_FRACTION.sub("", at).replace("Z", "+00:00")).timestamp()
    except (APIError, KeyError, ValueError):
        return time.time()
