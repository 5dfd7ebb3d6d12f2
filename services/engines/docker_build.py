"""Builds images with the classic builder, whose lines name each step, and cleans up after it."""

from __future__ import annotations

import io
import re
import tarfile
import time
from collections import deque
from collections.abc import Iterator

import docker
from docker.errors import APIError

from services.engines.base import Image, Layer, Recipe, Report
from services.engines.docker_daemon import Daemon
from services.errors import BuildFailed, EngineTimeout, NotFound

PREFIX = "labdeck"
"""Only images under this name are ever started."""
STAND_IN = "labdeck.stand-in"
OF_RECIPE = "labdeck.image"
"""Label that our Dockerfiles put on their last stages, so that replaced images are found again."""
SILENCE = 600.0
"""Seconds that one step may say nothing."""
LONGEST = 1800.0
"""Seconds for all of it."""

_STEP = re.compile(r"Step \d+/\d+ : (.*)")
_STAGE = re.compile(r"FROM\s+\S+(?:\s+AS\s+(\S+))?", re.IGNORECASE)
_IMAGE_ID = re.compile(r" ---> ([0-9a-f]{12})$")


def tag_of(name: str) -> str:
    """`hello-go` → `labdeck/hello-go:latest`; `hello-go:build` is the stage of that name."""
    return f"{PREFIX}/{name}" if ":" in name else f"{PREFIX}/{name}:latest"


def find_image(daemon: Daemon, name: str) -> Image | None:
    """None when it was not built."""
    tag = tag_of(name)
    try:
        with daemon.asked() as client:
            found, history = client.inspect_image(tag), client.history(tag)
    except NotFound:
        return None
    layers = tuple(Layer(_instruction(layer), layer["Size"]) for layer in reversed(history))
    labels = found["Config"].get("Labels") or {}
    return Image(name, tag, found["Size"], layers, stand_in=labels.get(STAND_IN) == "true")


def read_file(daemon: Daemon, name: str, path: str) -> bytes:
    """Out of a container that is made for this and never started."""
    with daemon.asked() as client:
        container = client.create_container(tag_of(name), ["/never-started"])["Id"]
        try:
            pieces, _ = client.get_archive(container, path)
            packed = io.BytesIO(b"".join(pieces))
        finally:
            client.remove_container(container, v=True, force=True)
    with tarfile.open(fileobj=packed) as tar:
        content = tar.extractfile(tar.getmembers()[0])
        if content is None:
            raise NotFound(f"{path} of {name} is no file.")
        return content.read()


def _instruction(layer: dict[str, str]) -> str:
    """As it stands in the Dockerfile; the builder's record of it has a shell before it."""
    text = layer["CreatedBy"] or layer.get("Comment", "")
    if "#(nop)" in text:
        return text.partition("#(nop)")[2].strip()
    run = text.removeprefix("/bin/sh -c ")
    return f"RUN {run.strip()}" if run != text else text.strip()


def build(daemon: Daemon, recipe: Recipe, report: Report) -> Image:
    """Each named stage on the way keeps a tag of its own: it is the cache, and its size can be looked at."""
    if recipe.ready:
        _take_ready(daemon, recipe, report)
        return _built(daemon, recipe)
    with daemon.connected(SILENCE) as client:
        progress = _Progress()
        try:
            _run(client, recipe, report, progress)
        except BaseException:
            _remove_new(client, progress)
            raise
        _tag_stages(client, recipe, progress)
        client.prune_images(filters={"dangling": True, "label": [f"{OF_RECIPE}={recipe.name}"]})
    return _built(daemon, recipe)


def _built(daemon: Daemon, recipe: Recipe) -> Image:
    image = find_image(daemon, recipe.name)
    if image is None:
        raise BuildFailed(f"{recipe.name} was built, but somebody removed it at once.")
    return image


def _take_ready(daemon: Daemon, recipe: Recipe, report: Report) -> None:
    """Somebody else's image gets a name of ours beside its own; it is pulled when it is not there."""
    with daemon.connected(SILENCE) as client:
        try:
            client.inspect_image(recipe.ready)
        except docker.errors.NotFound:
            _pull(client, recipe.ready, report)
        client.tag(recipe.ready, f"{PREFIX}/{recipe.name}", "latest")
    report(f"{recipe.name} is {recipe.ready}")


def _pull(client: docker.APIClient, name: str, report: Report) -> None:
    report(f"$ docker pull {name}")
    repository, _, tag = name.rpartition(":") if ":" in name.rpartition("/")[2] else (name, "", "latest")
    hint = f"docker pull {name} by hand, or name an image that is there, then launch again."
    try:
        for message in client.pull(repository, tag, stream=True, decode=True):
            if "error" in message:
                raise BuildFailed(f"{name} cannot be pulled: {message['error']}", hint=hint)
    except APIError as error:
        raise BuildFailed(f"{name} cannot be pulled: {error.explanation}", hint=hint) from error


class _Progress:
    """What the builder's lines tell of images: those it made, and how each stage ended."""

    def __init__(self) -> None:
        self.new: list[str] = []
        self.stages: dict[str, str] = {}
        """Image of each named stage but the last."""
        self._stage: str | None = None
        self._last = ""
        self._made_here = False

    def read(self, line: str) -> None:
        if step := _STEP.match(line):
            stage = _STAGE.match(step[1])
            if stage:
                if self._stage:
                    self.stages[self._stage] = self._last
                self._stage = stage[1]
            self._made_here = stage is None
        elif line.strip() == "---> Using cache":
            self._made_here = False
        elif found := _IMAGE_ID.search(line):
            self._last = found[1]
            if self._made_here:
                self.new.append(found[1])


def _run(client: docker.APIClient, recipe: Recipe, report: Report, progress: _Progress) -> None:
    deadline = time.monotonic() + LONGEST
    last_words: deque[str] = deque(maxlen=5)
    messages = client.build(
        path=str(recipe.context),
        tag=tag_of(recipe.name),
        target=recipe.target or "",
        buildargs=dict(recipe.arguments),
        rm=True,
        forcerm=True,
        decode=True,
        timeout=SILENCE,
    )
    for line in _lines(messages, recipe):
        progress.read(line)
        report(line)
        last_words.append(line)
        if time.monotonic() > deadline:
            raise EngineTimeout(f"Building {recipe.name} took longer than {LONGEST:.0f} s.")


def _lines(messages: Iterator[dict], recipe: Recipe) -> Iterator[str]:
    """Whole lines out of the builder's pieces; raises BuildFailed with its last words."""
    rest = ""
    said: deque[str] = deque(maxlen=5)
    for message in messages:
        if "error" in message:
            words = "\n".join([*said, str(message["error"]).strip()])
            raise BuildFailed(f"{recipe.name} did not build: {words}")
        if "status" in message and "progress" not in message:
            rest += " ".join(filter(None, (message.get("id"), message["status"]))) + "\n"
        rest += message.get("stream", "")
        *lines, rest = rest.split("\n")
        for line in lines:
            if text := line.rstrip("\r").rpartition("\r")[2].rstrip():
                said.append(text)
                yield text
    if rest.strip():
        yield rest.strip()


def _tag_stages(client: docker.APIClient, recipe: Recipe, progress: _Progress) -> None:
    """Move the stages' tags to what this build made; what lost its last tag goes."""
    for stage, image in progress.stages.items():
        tag = tag_of(f"{recipe.name}:{stage}")
        before = _id_of(client, tag)
        client.tag(image, f"{PREFIX}/{recipe.name}", stage)
        if before and before != _id_of(client, tag):
            _remove_untagged(client, before)


def _remove_new(client: docker.APIClient, progress: _Progress) -> None:
    for image in reversed(progress.new):
        _remove_untagged(client, image)


def _remove_untagged(client: docker.APIClient, image: str) -> None:
    """Leaves alone what has a name, a child or a container."""
    try:
        if not client.inspect_image(image)["RepoTags"]:
            client.remove_image(image)
    except APIError:
        return


def _id_of(client: docker.APIClient, tag: str) -> str | None:
    try:
        return str(client.inspect_image(tag)["Id"])
    except APIError:
        return None
