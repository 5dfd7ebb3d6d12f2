"""Images on their way between machines: out of the daemon as a file, and back into one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from services.engines.base import Image, Recipe, Report
from services.engines.docker_build import Builder
from services.engines.docker_daemon import ANSWER, Daemon
from services.engines.docker_images import Images
from services.engines.docker_ready import pull
from services.errors import ServiceFailed
from services.words import say

_SILENCE = 600.0
"""Seconds that the daemon may say nothing while it packs or unpacks."""
_PIECE = 1024 * 1024


class Carrier:
    """What saving and loading asks of one daemon; raises errors of ours alone.

    `folder` is that of the DockerEngine for the same settings.
    """

    def __init__(self, folder: Path) -> None:
        self._daemon = Daemon()
        self._images = Images(self._daemon)
        self._builder = Builder(self._daemon, self._images, folder)

    def platform(self) -> str:
        """Such as `linux/amd64`; raises EngineUnavailable when no daemon answers."""
        with self._daemon.connected(ANSWER) as client:
            found = client.version()
            return f"{found['Os']}/{found['Arch']}"

    def find(self, reference: str) -> Image | None:
        """None when it is not on this machine."""
        return self._images.inspect(reference, reference)

    def pull(self, reference: str, report: Report) -> None:
        """Fetch it from its registry; raises BuildFailed."""
        with self._daemon.connected(_SILENCE) as client:
            pull(client, reference, report)

    def build(self, recipe: Recipe, report: Report) -> None:
        """Make one of ours; raises BuildFailed."""
        self._builder.build(recipe, report)

    def pieces(self, reference: str) -> Iterator[bytes]:
        """The image as `docker save` writes it, under its name; raises when the daemon ends too early."""
        with self._daemon.connected(_SILENCE) as client:
            yield from client.get_image(reference, chunk_size=_PIECE)

    def load(self, file: Path) -> None:
        """What the file holds is on this machine afterwards; raises ServiceFailed."""
        with self._daemon.connected(_SILENCE) as client, file.open("rb") as content:
            for message in client.load_image(content):
                if "error" in message:
                    raise ServiceFailed(
                        say("Docker cannot load %(file)s: %(error)s", file=file.name, error=message["error"])
                    )
