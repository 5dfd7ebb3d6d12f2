"""Building Hello-Go: one choice, or all of them to compare; watched step by step, and cancelled at once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.engines.base import Cancellation, Image
from services.errors import BuildCancelled, BuildFailed, LabError, NotOnThisEngine
from services.events.event import now
from services.hello_go.choice import BASES, Choice
from services.hello_go.complaints import Complaints
from services.hello_go.images import BUILD_STAGE, bases, facts
from services.hello_go.notebook import Notebook
from services.hello_go.platforms import Platform
from services.hello_go.sources import Sources, recipe, reference, render
from services.hello_go.steps import Step, Steps
from services.hello_go.surface import survey
from services.words import say
from services.workspaces.workspace import Workspace

_LAST_WORDS = 12


class Builds:
    """All builds of one workspace; they run in its lane, one after the other."""

    def __init__(self, workspace: Workspace, notebook: Notebook) -> None:
        self._workspace, self._notebook = workspace, notebook
        self._cancellations: set[Cancellation] = set()
        self._lock = threading.Lock()

    @property
    def has_images(self) -> bool:
        return self._workspace.engine.name != "local"

    # what is asked

    def perform(self, work: Callable[[], None], cancellation: Cancellation) -> None:
        """Do the work, unless it was cancelled meanwhile; a cancellation is recorded and is no failure."""
        try:
            if cancellation.asked:
                raise BuildCancelled(say("The build was cancelled before it began."))
            work()
        except BuildCancelled as error:
            text = f"{error.message} Nothing of it is left."
            self._notebook.record("hello_go.build_cancelled", text, self._after_cancelling())
        finally:
            self.forget(cancellation)

    def expect(self) -> Cancellation:
        """For a build that was asked for: `cancel` ends it even before its turn."""
        cancellation = Cancellation()
        with self._lock:
            self._cancellations.add(cancellation)
        return cancellation

    def forget(self, cancellation: Cancellation) -> None:
        with self._lock:
            self._cancellations.discard(cancellation)

    def cancel(self) -> bool:
        """End what is building and what waits to; False when there is nothing."""
        with self._lock:
            found, self._cancellations = self._cancellations, set()
        for one in found:
            one.ask()
        return bool(found)

    def refuse_what_cannot_be(self, choice: Choice) -> None:
        """Raises NotOnThisEngine for a base that is not here, and without Docker for all that needs it."""
        if not self.has_images:
            if choice.stages != "multi" or choice.base != "alpine":
                raise NotOnThisEngine(
                    say(
                        "Without Docker there are no base images and no stages: the program is only compiled."
                    ),
                    hint=say(
                        "Start Docker and run again for images; greeting, port and flags work here too."
                    ),
                )
        elif choice.stages == "multi" and choice.base not in ("alpine", "scratch"):
            name = reference(choice.base, self._workspace.settings)
            if self._workspace.engine.base(name) is None:
                raise NotOnThisEngine(
                    say("%(name)s is not on this machine, so nothing can be built on it.", name=name),
                    hint=say(
                        "`docker pull %(name)s` where there is a network, or choose another base.", name=name
                    ),
                )

    # the work

    def folder(self, name: str) -> Path:
        """Where the sources of that image are put."""
        return self._workspace.settings.state_dir / "hello_go" / name

    def is_fresh(self, choice: Choice) -> bool:
        """The image is there, and it is the one that was built here from just these sources."""
        image = self._workspace.engine.image(choice.name)
        known = self._notebook.at("images", choice.name) or {}
        launched = self._notebook.at("image") or {}
        if launched.get("name") == choice.name:
            known = launched
        digest = render(choice, self._workspace.settings).digest
        return image is not None and (known.get("sources"), known.get("id")) == (digest, image.id)

    def build(self, choice: Choice, cancellation: Cancellation) -> None:
        """Build that choice; it is the image that is launched."""
        made = self._build(choice, cancellation)
        text = f"{made['tag']} is built: {made['size'] / 1e6:.1f} MB."
        patch = {"image": made, "build": {"phase": "done"}, "images": self._listed(choice, made)}
        self._notebook.record("hello_go.built", text, patch, data=made)

    def add_single_stage(self, choice: Choice, cancellation: Cancellation) -> None:
        """What the same sources become without a second stage: its one slow step is in the cache by now."""
        single = _also(choice, stages="single")
        if (self._notebook.at("image") or {}).get("layers") and not self.is_fresh(single):
            self._add(single, cancellation)

    def compare(self, choice: Choice, cancellation: Cancellation) -> None:
        """Build what is missing of each base and the single stage, and count the files in all of them."""
        there = [
            one["base"] for one in bases(self._workspace.engine, self._workspace.settings) if one["here"]
        ]
        wanted = [
            _also(choice, stages="multi", base=base) for base in BASES if base in there or base == "alpine"
        ]
        for one in [*wanted, _also(choice, stages="single")]:
            self._say_comparing(say("building %(name)s", name=one.name))
            if not self.is_fresh(one):
                self._add(one, cancellation)
        for name, image in (self._notebook.at("images") or {}).items():
            if cancellation.asked:
                raise BuildCancelled(say("The comparison was cancelled."))
            if "surface" not in image:
                self._say_comparing(say("reading %(name)s", name=image["tag"]))
                self._survey(name, image)
        self._notebook.record("hello_go.compared", "All images are built and read.", {"comparing": None})

    def for_processor(
        self, choice: Choice, platform: Platform | None, cancellation: Cancellation
    ) -> dict[str, Any]:
        """Compile the choice for that processor, None being this machine's, with nothing around it."""
        return self._build(_also(choice, stages="multi", base="scratch"), cancellation, platform, aside=True)

    def note_cut(self) -> None:
        """A build ends with the dashboard that watched it."""
        build = self._notebook.at("build") or {}
        patch: dict[str, Any] = {"comparing": None} if self._notebook.at("comparing") else {}
        if build.get("phase") == "running":
            steps = build.get("steps") or {}
            cut = {number: {"state": "failed"} for number, one in steps.items() if one["state"] == "running"}
            patch |= {"build": {"phase": "failed", "steps": cut}}
        rows = self._notebook.at("processors") or {}
        if cut_rows := {name: None for name, row in rows.items() if row["state"] == "building"}:
            patch |= {"processors": cut_rows}
        if patch:
            text = "The build was cut off with the dashboard that watched it."
            self._notebook.record("hello_go.failed", text, patch)

    def _add(self, choice: Choice, cancellation: Cancellation) -> None:
        made = self._build(choice, cancellation, aside=True)
        patch = {"images": self._listed(choice, made)}
        text = f"{made['tag']} is built to compare: {made['size'] / 1e6:.1f} MB."
        self._notebook.record("hello_go.image_added", text, patch, data=made)

    def _build(
        self,
        choice: Choice,
        cancellation: Cancellation,
        platform: Platform | None = None,
        *,
        aside: bool = False,
    ) -> dict[str, Any]:
        """The facts of what was made; the steps of what is built aside are only lines of output."""
        sources = render(choice, self._workspace.settings, platform)
        watched = _Watched(self._notebook, sources, cancellation, aside)
        folder = self.folder(sources.name)
        try:
            sources.write(folder)
            wanted = recipe(sources, choice, folder, platform, images=self.has_images)
            image = self._workspace.build(wanted, watched.line, cancellation)
        except OSError as error:
            watched.ended(failed=True)
            raise BuildFailed(
                say(
                    "The sources cannot be written to %(folder)s: %(strerror)s.",
                    folder=folder,
                    strerror=error.strerror,
                ),
                hint=say("Make room, or give LAB_STATE_DIR a folder that you may write to."),
            ) from error
        except LabError:
            watched.ended(failed=True)
            raise
        watched.ended(failed=False)
        role = "single" if choice.stages == "single" else "runtime"
        base = choice.base if role == "runtime" and image.layers else None
        return facts(image, role, base) | {"sources": sources.digest}

    def _listed(self, choice: Choice, made: dict[str, Any]) -> dict[str, Any]:
        """What `state.hello_go.images` gets; an image that became another one has not been read."""
        if not made["layers"]:
            return {}
        found = {choice.name: self._as_listed(choice.name, made)}
        stage = self._workspace.engine.image(f"{choice.name}:build") if choice.stages == "multi" else None
        if stage:
            found[BUILD_STAGE] = self._as_listed(BUILD_STAGE, self._stage(stage, made["sources"]))
        return found

    def _stage(self, image: Image, sources: str) -> dict[str, Any]:
        return facts(image, "build", None) | {"sources": sources}

    def _as_listed(self, name: str, made: dict[str, Any]) -> dict[str, Any]:
        before = self._notebook.at("images", name) or {}
        return made if before.get("id") == made["id"] else made | {"surface": None}

    def _survey(self, name: str, image: dict[str, Any]) -> None:
        found = survey(self._workspace.engine.files(image["name"]), image["user"]).as_patch()
        counted = f"{found['files']} files, {found['commands']} commands"
        text = f"{image['tag']} has {counted}, and runs as {found['user']}."
        self._notebook.record("hello_go.image_read", text, {"images": {name: {"surface": found}}}, data=found)

    def _say_comparing(self, what: str) -> None:
        self._notebook.record("hello_go.comparing", f"Comparing: {what}.", {"comparing": what})

    def _after_cancelling(self) -> dict[str, Any]:
        patch: dict[str, Any] = {"comparing": None}
        if self._notebook.at("phase") == "starting":
            patch["phase"] = "stopped"
        return patch


class _Watched:
    """One build as events: each step, each line, each complaint."""

    def __init__(self, notebook: Notebook, sources: Sources, cancellation: Cancellation, aside: bool) -> None:
        self._notebook, self._cancellation, self._aside = notebook, cancellation, aside
        self._steps, self._complaints = Steps(), Complaints()
        self._said: deque[str] = deque(maxlen=_LAST_WORDS)
        began = {"phase": "running", "name": sources.name, "sources": sources.digest, "started_at": now()}
        empty = dict.fromkeys(("total", "steps", "complaints", "said"))
        if not aside:
            notebook.record("hello_go.build_started", f"Building {sources.name}.", {"build": began | empty})

    def line(self, line: str) -> None:
        steps = self._steps.feed(line)
        if steps:
            self._said.clear()  # a failure is told with the lines of its own step
        self._changed(steps)
        self._complaints.feed(line)
        self._said.append(line[:500])
        self._notebook.output(line)

    def ended(self, *, failed: bool) -> None:
        self._changed(self._steps.end(failed=failed))
        if failed and not self._aside:
            patch: dict[str, Any] = {"phase": "cancelled" if self._cancellation.asked else "failed"}
            patch |= {"said": list(self._said), "complaints": self._complaints.as_patch()}
            self._notebook.record("output.line", "The build ended here.", {"build": patch})

    def _changed(self, steps: list[Step]) -> None:
        for step in [] if self._aside else steps:
            text = f"Step {step.number} of {step.total}, {step.state}: {step.instruction}"
            build = {"total": step.total, "steps": {str(step.number): step.as_patch()}}
            data = {"step": step.number, "total": step.total} | step.as_patch()
            self._notebook.record("hello_go.build_step", text, {"build": build}, data=data)


def _also(choice: Choice, **changed: Any) -> Choice:
    return Choice(**choice.as_dict() | changed)
