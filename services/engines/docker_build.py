"""Builds images with the classic builder, whose lines name each step, and cleans up after it."""

from __future__ import annotations

import contextlib
import re
import time
from collections import deque
from collections.abc import Iterator

import docker
import requests
from docker.errors import APIError
from docker.types import CancellableStream

from services.engines.base import Cancellation, Image, Recipe, Report
from services.engines.build_failures import build_failed
from services.engines.docker_daemon import Daemon
from services.engines.docker_images import PREFIX, find_image, tag_of
from services.engines.docker_leftovers import Leftovers, remove_untagged
from services.engines.docker_ready import SOURCES, take_ready, was_carried_here
from services.engines.escapes import plain
from services.errors import BuildCancelled, BuildFailed, EngineTimeout, EngineUnavailable

OF_RECIPE = "labdeck.image"
"""Label that our Dockerfiles put on their last stages, so that replaced images are found again."""
SILENCE = 600.0
"""Seconds that one step may say nothing."""
LONGEST = 1800.0
"""Seconds for all of it."""
SAID = 8
"""Lines of the builder that a failure is told with."""

_STEP = re.compile(r"Step \d+/\d+ : (.*)")
_STAGE = re.compile(r"FROM\s+\S+(?:\s+AS\s+(\S+))?", re.IGNORECASE)
_IMAGE_ID = re.compile(r" ---> ([0-9a-f]{12})$")
_RUNNING = re.compile(r" ---> Running in ([0-9a-f]{12})$")


class Builder:
    """Builds on one daemon; remembers what it could not clean up because the daemon was away."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._left: list[Leftovers] = []

    def build(self, recipe: Recipe, report: Report, cancellation: Cancellation | None = None) -> Image:
        """Each named stage keeps a tag of its own: it is the cache, and its size can be looked at."""
        self.tidy()
        if recipe.ready:
            take_ready(self._daemon, recipe, report)
        elif not was_carried_here(self._daemon, recipe, report):
            self._build(recipe, report, cancellation or Cancellation())
        image = find_image(self._daemon, recipe.name)
        if image is None:
            raise BuildFailed(f"{recipe.name} was built, but somebody removed it at once.")
        return image

    def _build(self, recipe: Recipe, report: Report, cancellation: Cancellation) -> None:
        progress = _Progress()
        try:
            with self._daemon.asked() as known:
                version, before = known.api_version, _id_of(known, tag_of(recipe.name))
            with self._daemon.connected(SILENCE, version) as client:
                _run(client, recipe, report, progress, cancellation)
                _tag_stages(client, recipe, progress)
                if before != _id_of(client, tag_of(recipe.name)):
                    client.prune_images(filters={"dangling": True, "label": [f"{OF_RECIPE}={recipe.name}"]})
        except BaseException as error:
            self._left.append(progress.leftovers)
            with contextlib.suppress(EngineUnavailable, EngineTimeout):
                self.tidy()
            if cancellation.asked and isinstance(error, Exception):
                raise BuildCancelled(f"The build of {recipe.name} was cancelled.") from error
            raise

    def tidy(self) -> None:
        """Remove what builds left that ended early; raises EngineUnavailable, and it is tried again later."""
        while self._left:
            with self._daemon.asked() as client:
                self._left[0].remove(client)
            self._left.pop(0)


class _Progress:
    """What the builder's lines tell of images: those it made, and how each stage ended."""

    def __init__(self) -> None:
        self.leftovers = Leftovers(began=time.time())
        self.stages: dict[str, str] = {}
        """Image of each named stage but the last."""
        self.done = False
        self._stage: str | None = None
        self._made_here = False

    def read(self, line: str) -> None:
        if step := _STEP.match(line):
            stage = _STAGE.match(step[1])
            if stage:
                if self._stage:
                    self.stages[self._stage] = self.leftovers.parent
                self._stage = stage[1]
            self._made_here = stage is None
        elif line.strip() == "---> Using cache":
            self._made_here = False
        elif found := _RUNNING.search(line):
            self.leftovers.container = found[1]
        elif found := _IMAGE_ID.search(line):
            self.leftovers.parent, self.leftovers.container = found[1], None
            if self._made_here:
                self.leftovers.images.append(found[1])


def _run(
    client: docker.APIClient,
    recipe: Recipe,
    report: Report,
    progress: _Progress,
    cancellation: Cancellation,
) -> None:
    deadline = time.monotonic() + LONGEST
    answers: list[requests.Response] = []
    client.hooks["response"].append(lambda answer, *_, **__: answers.append(answer))
    messages = client.build(
        path=str(recipe.context),
        tag=tag_of(recipe.name),
        target=recipe.target or "",
        buildargs=dict(recipe.arguments),
        labels={SOURCES: recipe.sources} if recipe.sources else None,
        rm=True,
        forcerm=True,
        decode=True,
        timeout=SILENCE,
    )
    with cancellation.wakes(lambda: _hang_up(answers)):
        for line in _lines(messages, recipe, progress):
            progress.read(plain(line))
            report(line)
            if cancellation.asked:
                raise BuildCancelled(f"The build of {recipe.name} was cancelled.")
            if time.monotonic() > deadline:
                raise EngineTimeout(f"Building {recipe.name} took longer than {LONGEST:.0f} s.")
    if not progress.done:
        raise EngineUnavailable("Docker went away in the middle of the build.")


def _hang_up(answers: list[requests.Response]) -> None:
    """End the build's connection; the daemon then kills the step's container by itself."""
    for answer in answers:
        try:
            CancellableStream(iter(()), answer).close()
        except Exception:  # the answer may have ended in this moment, in many ways
            answer.close()


def _lines(messages: Iterator[dict], recipe: Recipe, progress: _Progress) -> Iterator[str]:
    """Whole lines out of the builder's pieces; raises BuildFailed with its last words."""
    rest = ""
    said: deque[str] = deque(maxlen=SAID)
    for message in messages:
        if "error" in message:
            raise build_failed(recipe.name, [*said, str(message["error"]).strip()])
        if "status" in message and "progress" not in message:
            rest += " ".join(filter(None, (message.get("id"), message["status"]))) + "\n"
        rest += message.get("stream", "")
        progress.done = progress.done or "ID" in (message.get("aux") or {})
        *lines, rest = rest.split("\n")
        for line in lines:
            if plain(text := line.rstrip("\r").rpartition("\r")[2].rstrip()).strip():
                if _STEP.match(plain(text)):
                    said.clear()
                said.append(text)
                yield text
    if plain(rest).strip():
        yield rest.strip()


def _tag_stages(client: docker.APIClient, recipe: Recipe, progress: _Progress) -> None:
    """Move the stages' tags to what this build made; what lost its last tag goes."""
    for stage, image in progress.stages.items():
        tag = tag_of(f"{recipe.name}:{stage}")
        before = _id_of(client, tag)
        if before and before.startswith(f"sha256:{image}"):
            continue
        client.tag(image, f"{PREFIX}/{recipe.name}", stage)
        if before:
            remove_untagged(client, before)


def _id_of(client: docker.APIClient, tag: str) -> str | None:
    try:
        return str(client.inspect_image(tag)["Id"])
    except APIError:
        return None
