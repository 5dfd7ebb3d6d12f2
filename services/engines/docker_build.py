"""Builds images with the classic builder, whose lines name each step, and cleans up after it."""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import docker
import requests
from docker.errors import APIError
from docker.types import CancellableStream

from services.engines.base import Cancellation, Image, Recipe, Report
from services.engines.build_failures import build_failed
from services.engines.docker_daemon import Daemon
from services.engines.docker_images import PREFIX, Images, tag_of
from services.engines.docker_leftovers import remove_untagged
from services.engines.docker_progress import STEP, Progress
from services.engines.docker_ready import SOURCES, carried_here, take_ready
from services.engines.docker_versions import Versions
from services.engines.escapes import plain
from services.errors import BuildCancelled, BuildFailed, EngineTimeout, EngineUnavailable, ServiceFailed
from services.words import say

OF_RECIPE = "labdeck.image"
"""Label that our Dockerfiles put on their last stages, so that replaced images are found again."""
SILENCE = 600.0
"""Seconds that one step may say nothing."""
LONGEST = 1800.0
"""Seconds for all of it."""
SAID = 8
"""Lines of the builder that a failure is told with."""

_BUILT = re.compile(r"Successfully built [0-9a-f]{12}$")
_logger = logging.getLogger(__name__)


class Builder:
    """Builds on one daemon. What it could not clean up because the daemon was away it does later, or the
    next dashboard does that is given the same folder.
    """

    def __init__(self, daemon: Daemon, images: Images, folder: Path) -> None:
        self._daemon, self._images, self._folder = daemon, images, folder / "builds"
        self._left = Progress.of_the_past(self._folder)
        self.versions = Versions(folder / "versions")
        self._named: dict[str, tuple[str | None, dict[str, str]]] = {}
        """The image and the stages that have their names; when they are made again, nothing is to do."""

    def build(self, recipe: Recipe, report: Report, cancellation: Cancellation | None = None) -> Image:
        """Each named stage keeps a tag of its own: it is the cache, and its size can be looked at."""
        self.tidy()
        if recipe.ready:
            take_ready(self._daemon, recipe, report)
            self.versions.forget(recipe.name)
        elif carried := carried_here(self._daemon, recipe, report):
            with self._daemon.asked() as client:
                self.versions.keep(client, recipe.name, carried)
        else:
            self._build(recipe, report, cancellation or Cancellation())
        image = self._images.find(recipe.name)
        if image is None:
            raise BuildFailed(say("%(name)s was built, but somebody removed it at once.", name=recipe.name))
        return image

    def _build(self, recipe: Recipe, report: Report, cancellation: Cancellation) -> None:
        progress = Progress.begun(self._folder)
        try:
            with self._daemon.asked() as known:
                version, before = known.api_version, _id_of(known, tag_of(recipe.name))
            with self._daemon.connected(SILENCE, version) as client:
                _run(client, recipe, report, progress, cancellation)
                named = self._named.get(recipe.name)
                if before != progress.made or named != (before, progress.stages):
                    self._name(client, recipe, progress)
        except BaseException as error:
            progress.close()
            self._left.append(progress)
            with contextlib.suppress(EngineUnavailable, EngineTimeout):
                self.tidy()
            if cancellation.asked and isinstance(error, Exception):
                raise BuildCancelled(say("The build of %(name)s was cancelled.", name=recipe.name)) from error
            raise
        progress.settled()

    def _name(self, client: docker.APIClient, recipe: Recipe, progress: Progress) -> None:
        """Give what was made its other names; what lost its last one goes."""
        _tag_stages(client, recipe, progress)
        if recipe.sources:
            self.versions.keep(client, recipe.name, progress.made)
        client.prune_images(filters={"dangling": True, "label": [f"{OF_RECIPE}={recipe.name}"]})
        self._named[recipe.name] = (progress.made, dict(progress.stages))

    def tidy(self) -> None:
        """Remove what builds left that ended early; raises EngineUnavailable, and it is tried again later."""
        while self._left:
            owed = self._left[0]
            try:
                with self._daemon.asked() as client:
                    owed.leftovers.remove(client)
                owed.settled()
            except ServiceFailed as error:  # its journal stays for the next dashboard
                _logger.warning("what a build left could not be removed: %s", error.message)
            if owed in self._left:  # another thread may tidy too
                self._left.remove(owed)


def _run(
    client: docker.APIClient,
    recipe: Recipe,
    report: Report,
    progress: Progress,
    cancellation: Cancellation,
) -> None:
    deadline = time.monotonic() + LONGEST
    answers: list[requests.Response] = []
    client.hooks["response"].append(lambda answer, *_, **__: answers.append(answer))
    if cancellation.asked:
        raise BuildCancelled(say("The build of %(name)s was cancelled.", name=recipe.name))
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
        for line in _lines(_told(recipe, messages), recipe, progress):
            progress.read(plain(line))
            report(line)
            if cancellation.asked:
                raise BuildCancelled(say("The build of %(name)s was cancelled.", name=recipe.name))
            if time.monotonic() > deadline:
                raise EngineTimeout(
                    say(
                        "Building %(name)s took longer than %(longest)s s.",
                        name=recipe.name,
                        longest=format(LONGEST, ".0f"),
                    )
                )
    if not progress.done:
        raise EngineUnavailable(say("Docker went away in the middle of the build."))


def _told(recipe: Recipe, messages: Iterator[dict]) -> Iterator[dict]:
    """The same messages. What the builder refuses before the first step (a context too large for the disk, a
    Dockerfile that cannot be read) is a failed build too.
    """
    try:
        yield from messages
    except APIError as error:
        raise build_failed(recipe.name, [str(error.explanation or error).strip()]) from error


def _hang_up(answers: list[requests.Response]) -> None:
    """End the build's connection; the daemon then kills the step's container by itself."""
    for answer in answers:
        try:
            CancellableStream(iter(()), answer).close()
        except Exception:  # the answer may have ended in this moment, in many ways
            answer.close()


def _lines(messages: Iterator[dict], recipe: Recipe, progress: Progress) -> Iterator[str]:
    """Whole lines out of the builder's pieces; raises BuildFailed with its last words."""
    rest = ""
    said: deque[str] = deque(maxlen=SAID)
    for message in messages:
        if "error" in message:
            raise build_failed(recipe.name, [*said, str(message["error"]).strip()])
        if "status" in message and "progress" not in message:
            rest += " ".join(filter(None, (message.get("id"), message["status"]))) + "\n"
        rest += message.get("stream", "")
        progress.made = (message.get("aux") or {}).get("ID", progress.made)  # one a stage, in order
        *lines, rest = rest.split("\n")
        for line in lines:
            if plain(text := line.rstrip("\r").rpartition("\r")[2].rstrip()).strip():
                if STEP.match(plain(text)):
                    said.clear()
                progress.done = progress.done or bool(_BUILT.match(plain(text)))
                said.append(text)
                yield text
    if plain(rest).strip():
        yield rest.strip()


def _tag_stages(client: docker.APIClient, recipe: Recipe, progress: Progress) -> None:
    """Move the stages' tags to what this build made; what lost its last tag goes."""
    for stage, image in progress.stages.items():
        before = _id_of(client, tag_of(f"{recipe.name}:{stage}"))
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
