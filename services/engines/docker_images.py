"""Reads images: what they are made of, who they run as, and every file in them."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker

from services.engines.base import File, Image, Layer
from services.engines.docker_daemon import Daemon
from services.errors import NotFound
from services.words import say

PREFIX = "labdeck"
"""Only images under this name are ever started."""
STAND_IN = "labdeck.stand-in"
REMEMBERED = 100
"""Images whose layers are known without asking."""
READING = 120.0
"""Seconds that the daemon may say nothing while it packs an image."""

_MADE_FOR_EVERY_CONTAINER = {
    *(".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf"),
}
"""Docker lays them under a container's file system; they are not in the image when they are empty."""


def tag_of(name: str) -> str:
    """`hello-go` → `labdeck/hello-go:latest`; `hello-go:build` is the stage of that name."""
    return f"{PREFIX}/{name}" if ":" in name else f"{PREFIX}/{name}:latest"


class Images:
    """The images of one daemon. An id says what is in an image, so its layers are asked for once."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._layers: dict[str, tuple[Layer, ...]] = {}
        """By id; the oldest is forgotten when there are many."""

    def find(self, name: str) -> Image | None:
        """What was built under that name; None when nothing was."""
        return self.inspect(name, tag_of(name))

    def inspect(self, name: str, reference: str) -> Image | None:
        """Any image on this machine; None when it is not here."""
        try:
            with self._daemon.asked() as client:
                found = client.inspect_image(reference)
                layers = self._layers_of(client, found["Id"])
        except NotFound:
            return None
        config = found["Config"] or {}
        is_stand_in = (config.get("Labels") or {}).get(STAND_IN) == "true"
        user = config.get("User") or ""
        return Image(name, reference, found["Size"], layers, is_stand_in, id=found["Id"], user=user)

    def read_file(self, name: str, path: str) -> bytes:
        """One file, `path` counted from the root."""
        with self._daemon.asked() as client, _never_started(client, name) as container:
            pieces, _ = client.get_archive(container, path)
            packed = io.BytesIO(b"".join(pieces))
        with tarfile.open(fileobj=packed) as tar:
            content = tar.extractfile(tar.getmembers()[0])
            if content is None:
                raise NotFound(say("%(path)s of %(name)s is no file.", path=path, name=name))
            return content.read()

    def read_files(self, name: str) -> Iterator[File]:
        """All entries, off the stream that `docker export` would write; contents are passed over."""
        with self._daemon.connected(READING) as client, _never_started(client, name) as container:
            stream = _Stream(client.export(container))
            with tarfile.open(fileobj=stream, mode="r|") as tar:
                for entry in tar:
                    tar.members.clear()  # type: ignore[attr-defined]  # it would keep all of them
                    time.sleep(0)  # fifteen thousand entries are no reason to hold up everybody else
                    if entry.isdir() or (entry.size == 0 and entry.name in _MADE_FOR_EVERY_CONTAINER):
                        continue
                    yield File(entry.name, entry.mode, entry.size, entry.linkname if entry.issym() else None)

    def _layers_of(self, client: docker.APIClient, id: str) -> tuple[Layer, ...]:
        if id not in self._layers:
            history = client.history(id)
            layers = tuple(Layer(_instruction(layer), layer["Size"]) for layer in reversed(history))
            while len(self._layers) >= REMEMBERED:
                self._layers.pop(next(iter(self._layers)), None)
            self._layers[id] = layers
        return self._layers[id]


@contextmanager
def _never_started(client: docker.APIClient, name: str) -> Iterator[str]:
    """A container that is made for reading only, and goes again."""
    container = str(client.create_container(tag_of(name), ["/never-started"])["Id"])
    try:
        yield container
    finally:
        client.remove_container(container, v=True, force=True)


class _Stream(io.RawIOBase):
    """The daemon's pieces as a file that can be read from, and not sought."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        found = [self._rest]
        length = len(self._rest)
        while length < size and (piece := next(self._pieces, b"")):
            found.append(piece)
            length += len(piece)
        whole = b"".join(found)
        self._rest = whole[size:]
        return whole[:size]


def _instruction(layer: dict[str, Any]) -> str:
    """As it stands in the Dockerfile; the builder's record of it has a shell before it."""
    text = layer["CreatedBy"] or layer.get("Comment", "")
    if "#(nop)" in text:
        return text.partition("#(nop)")[2].strip()
    run = text.removeprefix("/bin/sh -c ")
    return f"RUN {run.strip()}" if run != text else text.strip()
