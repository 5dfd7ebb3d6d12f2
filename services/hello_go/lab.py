"""The Hello-Go lab: choose, build, launch, call, compare, stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from services.engines.base import Address, Cancellation, Change, Instance, Limits, Port, Spec
from services.errors import LabError, NotOnThisEngine, PortTaken, ServiceFailed, WrongPhase
from services.events.log import Patch
from services.hello_go import images
from services.hello_go.builds import Builds
from services.hello_go.calling import Caller
from services.hello_go.choice import Choice, check_greeting, kept
from services.hello_go.commands import commands
from services.hello_go.highlighting import coloured
from services.hello_go.notebook import Notebook
from services.hello_go.notes import note
from services.hello_go.platforms import PLATFORMS, this_platform
from services.hello_go.processors import Processors
from services.hello_go.sources import render
from services.hello_go.surface import whole
from services.words import say, together
from services.workspaces.tail import Line
from services.workspaces.workspace import Workspace

_NAME = "hello-go"
_PORTS_TRIED = 20
_SHOWN = ("Dockerfile", "hello-go.go")
_NOTHING_YET = (
    "url",
    "error",
    "image",
    "images",
    "build",
    "calls",
    "load",
    "processors",
    "comparing",
    "sources",
)


class HelloGo:
    """One Hello-Go app in a workspace."""

    name: ClassVar[str] = "hello_go"
    fresh: ClassVar[Mapping[str, Any]] = {"hello_go": {"phase": "stopped"}}
    speaks: ClassVar[bool] = False

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._notebook = Notebook(workspace.log)
        self._builds = Builds(workspace, self._notebook)
        self._caller = Caller(self._notebook)
        self._processors = Processors(workspace, self._notebook, self._builds)

    # what people ask

    @property
    def choice(self) -> Choice:
        """What was chosen last; what was chosen on an engine with images is not for one without."""
        choice = kept(self._notebook.at("choice"))
        return choice if self._builds.has_images else replace(choice, base="alpine", stages="multi")

    def choose(self, given: Mapping[str, Any], *, by: str | None = None) -> dict[str, Any]:
        """Change the choice; what is left out stays. The sources that come of it, as `sources` gives them.

        Raises BadRequest for a greeting that cannot be, NotOnThisEngine for what this machine has not.
        """
        self._choose(given, by)
        return self.sources()

    def sources(self) -> dict[str, Any]:
        """The files that would be built now, line by line in coloured pieces with notes, and the commands."""
        choice = self.choice
        rendered = render(choice, self._workspace.settings)
        return {
            "choice": choice.as_dict(),
            "digest": rendered.digest,
            "files": [{"name": name, "lines": _lines(name, rendered.files[name])} for name in _SHOWN],
            "commands": self._commands(),
        }

    def build(self, given: Mapping[str, Any] | None = None, *, by: str | None = None) -> str:
        """Build the image, of another choice if one is given; the job's id."""
        self._choose(given or {}, by)
        choice, cancellation = self.choice, self._builds.expect()
        return self._submit_build(
            "build", lambda: self._build(choice, cancellation), "Build Hello-Go.", cancellation, by
        )

    def launch(self, given: Mapping[str, Any] | None = None, *, by: str | None = None) -> str:
        """Start the app, building it first when its image is missing or of other sources; the job's id."""
        self._choose(given or {}, by)
        choice, cancellation = self.choice, self._builds.expect()
        return self._submit_build(
            "launch", lambda: self._launch(choice, cancellation), "Launch Hello-Go.", cancellation, by
        )

    def cancel(self, *, by: str | None = None) -> bool:
        """End the build that runs, and those that wait; False when there is none."""
        return self._builds.cancel()

    def stop(self, *, by: str | None = None) -> str:
        """Stop and remove the app; the job's id."""
        return self._submit("stop", self._stop, "Stop Hello-Go.", by)

    def call(self) -> dict[str, Any]:
        """GET the app's page once; see Caller.call."""
        return self._caller.call()

    def load(self, count: int, callers: int, *, by: str | None = None) -> str:
        """Call it `count` times, `callers` at a time; the job's id. Raises WrongPhase unless it runs."""
        self._caller.url()
        return self._submit(
            "load", lambda: self._caller.load(count, callers), f"Call Hello-Go {count} times.", by
        )

    def compare(self, *, by: str | None = None) -> str:
        """Build each base and the single stage, read them all; the job's id. Raises NotOnThisEngine."""
        if not self._builds.has_images:
            raise NotOnThisEngine(
                say("Without Docker there are no images to compare: only the binary's size can be seen."),
                hint=say("Start Docker and run again."),
            )
        choice, cancellation = self.choice, self._builds.expect()

        return self._submit_build(
            "compare",
            lambda: self._builds.compare(choice, cancellation),
            "Build and read all images of Hello-Go.",
            cancellation,
            by,
        )

    def try_processors(self, names: list[str], *, by: str | None = None) -> str:
        """Compile for those processors (all when none is named) and try each here; the job's id."""
        choice, cancellation = self.choice, self._builds.expect()

        return self._submit_build(
            "processors",
            lambda: self._processors.compile_and_try(choice, names or list(PLATFORMS), cancellation),
            "Compile Hello-Go for other processors.",
            cancellation,
            by,
        )

    def images(self) -> dict[str, Any]:
        """What was built, with what was read of it, and the bases that there are."""
        engine = self._workspace.engine
        read = {one["id"]: one.get("surface") for one in (self._notebook.at("images") or {}).values()}
        found = [one | {"surface": whole(read.get(one["id"]))} for one in images.present(engine)]
        return {"images": found, "bases": images.bases(engine, self._workspace.settings)}

    # what the workspace asks

    def owns(self, service: str) -> bool:
        return service == _NAME

    def translate(self, line: Line) -> Patch | None:
        return {}

    def explain(self, line: Line) -> Line:
        return line

    def died(self, instance: Instance | Change, last_words: str) -> None:
        code = instance.exit_code
        ended = (
            say("Hello-Go ended.")
            if code is None
            else say("Hello-Go ended with exit code %(code)s.", code=code)
        )
        error = ServiceFailed(together(ended, last_words), hint=say("Launch it again."))
        self._fail(error, "hello_go.died")

    def restore(self, found: Mapping[str, Instance]) -> None:
        phase, instance = self._notebook.at("phase"), found.get(_NAME)
        self._builds.note_cut()
        if (self._notebook.at("load") or {}).get("state") == "running":
            self._notebook.record(
                "hello_go.failed", "The load was cut off with its dashboard.", {"load": None}
            )
        if instance and phase in ("running", "starting"):
            self._workspace.adopt(instance)
        if phase == "running" and not (instance and instance.running):
            self._fail(
                ServiceFailed(say("Hello-Go ended while no dashboard looked."), hint=say("Launch it again.")),
                "hello_go.died",
            )
        elif phase == "starting":
            self._launch_again()
        elif phase == "stopping" or (instance and phase in ("stopped", "failed")):
            self.stop()

    def _launch_again(self) -> None:
        try:
            self.launch()
        except NotOnThisEngine as error:
            self._fail(error)

    def snapshot(self, state: dict[str, Any]) -> dict[str, Any]:
        now = {"phase": "stopped"} | dict.fromkeys(_NOTHING_YET) | state.get("hello_go", {})
        now["choice"] = self.choice.as_dict()
        more = {"commands": self._commands(), "platform": this_platform(), "platforms": list(PLATFORMS)}
        return {"hello_go": now | more}

    def clear(self) -> None:
        self._builds.cancel()
        self._caller.clear()

    # the work

    def _submit(self, name: str, work: Callable[[], None], text: str, by: str | None) -> str:
        return self._workspace.submit(self, name, work, text=text, failed=self._fail, by=by)

    def _submit_build(
        self, name: str, work: Callable[[], None], text: str, cancellation: Cancellation, by: str | None
    ) -> str:
        try:
            return self._submit(name, lambda: self._builds.perform(work, cancellation), text, by)
        except BaseException:
            self._builds.forget(cancellation)
            raise

    def _choose(self, given: Mapping[str, Any], by: str | None) -> None:
        before = self.choice
        choice = Choice(**before.as_dict() | dict(given))
        check_greeting(choice.greeting)
        self._builds.refuse_what_cannot_be(choice)
        if choice != before or self._notebook.at("sources") is None:
            self._remember(choice, by)

    def _remember(self, choice: Choice, by: str | None) -> None:
        digest = render(choice, self._workspace.settings).digest
        patch = {"choice": choice.as_dict(), "sources": digest}
        what = "one stage" if choice.stages == "single" else f"on {choice.base}"
        text = f"Chosen: {choice.greeting!r} on port {choice.port}, {what}."
        data = choice.as_dict() | ({"by": by} if by else {})
        self._notebook.record("hello_go.chosen", text, patch, data=data)

    def _build(self, choice: Choice, cancellation: Cancellation) -> None:
        self._builds.build(choice, cancellation)
        self._builds.add_single_stage(choice, cancellation)

    def _launch(self, choice: Choice, cancellation: Cancellation) -> None:
        alive = self._workspace.alive().get(_NAME)
        fresh = self._builds.is_fresh(choice)
        digest = render(choice, self._workspace.settings).digest
        running = alive and self._notebook.at("phase") == "running"
        if running and fresh and self._notebook.at("runs") == digest:
            return
        if running and not fresh:  # what runs goes on until the new one is there
            self._builds.build(choice, cancellation)
            fresh = True
        begun = {"phase": "starting", **dict.fromkeys(("error", "calls", "load"))}
        self._notebook.record("hello_go.starting", "Launching Hello-Go.", begun)
        if alive:
            self._workspace.stop(_NAME)
        if not fresh:
            self._builds.build(choice, cancellation)
        asked, port = self._workspace.settings.hello_go_port, self._start_on_free_port(choice)
        url = Address("127.0.0.1", port).url  # where every engine publishes: no need to ask
        try:
            self._workspace.wait_ready(_NAME, lambda: self._caller.probe(url))
        except LabError:
            self._workspace.stop(_NAME, grace=0)
            raise
        moved = "" if port == asked else f" Port {asked} is taken, so it got the next free one."
        patch = {"phase": "running", "url": url, "runs": digest}
        self._notebook.record(
            "hello_go.started", f"Hello-Go answers at {url}.{moved}", patch, data={"url": url}
        )

    def _start_on_free_port(self, choice: Choice) -> int:
        first = self._workspace.settings.hello_go_port
        limits = Limits(memory=128 * 1024 * 1024)
        for port in range(first, min(first + _PORTS_TRIED, 65536)):
            ports = {"public": Port(choice.port, publish=port)}
            try:
                self._workspace.start(
                    Spec(self._workspace.name, _NAME, _NAME, choice.name, ports=ports, limits=limits)
                )
                return port
            except PortTaken:
                continue
        raise PortTaken(
            say(
                "Ports %(first)s to %(value)s of this machine are taken.",
                first=first,
                value=first + _PORTS_TRIED - 1,
            ),
            hint=say("Stop what uses them, or set LAB_HELLO_GO_PORT, then launch again."),
        )

    def _stop(self) -> None:
        self._notebook.record("hello_go.stopping", "Stopping Hello-Go.", {"phase": "stopping"})
        self._workspace.stop(_NAME, grace=2.0)
        patch = {"phase": "stopped", **dict.fromkeys(("url", "error", "calls", "load", "runs"))}
        self._notebook.record("hello_go.stopped", "Hello-Go is stopped.", patch)

    def _fail(self, error: LabError, kind: str = "hello_go.failed") -> None:
        """What fails beside an app that runs, such as a build, does not make that app failed."""
        running = self._notebook.at("phase") == "running"
        keeps = (running and kind == "hello_go.failed") or isinstance(error, WrongPhase)
        patch: dict[str, Any] = {} if keeps else {"phase": "failed", "url": None, "error": error.as_dict()}
        patch |= {"comparing": None} if self._notebook.at("comparing") else {}
        text = f"{error.message} {error.hint}"
        self._notebook.record(kind, text, patch, level="error", data={"error": error.as_dict()})

    def _commands(self) -> dict[str, str]:
        choice = self.choice
        port = self._workspace.settings.hello_go_port
        url = self._notebook.at("url") or f"http://127.0.0.1:{port}"
        folder = self._builds.folder(choice.name)
        return commands(choice, folder, url, docker=self._workspace.engine.name != "local")


def _lines(file: str, text: str) -> list[dict[str, Any]]:
    plain = text.split("\n")
    return [
        {"pieces": pieces, "note": note(file, plain[number])}
        for number, pieces in enumerate(coloured(file, text))
    ]
