"""The Hello-Go lab: build its image, launch it, call it, stop it."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import urllib3

from services.engines.base import Change, Image, Instance, Limits, Port, Recipe, Spec
from services.errors import LabError, PortTaken, ServiceFailed, WrongPhase
from services.events.event import now
from services.events.log import Patch
from services.hello_go.steps import Step, Steps
from services.workspaces.tail import Line
from services.workspaces.workspace import Workspace

SOURCES = Path(__file__).parent / "image"
"""What is built: hello-go.go, go.mod, Dockerfile."""

_NAME = "hello-go"
_PORTS_TRIED = 20
_LONGEST_BODY = 64 * 1024


class HelloGo:
    """One Hello-Go app in a workspace."""

    name: ClassVar[str] = "hello_go"
    fresh: ClassVar[Mapping[str, Any]] = {"hello_go": {"phase": "stopped"}}
    speaks: ClassVar[bool] = False

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._log = workspace.log
        self._calling = threading.Lock()
        self._calls = urllib3.PoolManager(maxsize=2, retries=False)
        settings = workspace.settings
        bases = {"GOLANG": settings.image_golang, "RUNTIME": settings.image_runtime}
        self._recipe = Recipe(_NAME, SOURCES, "go", arguments=bases)

    # what people ask

    def build(self) -> str:
        """Build the image; the job's id."""
        return self._submit("build", self._build, "Build Hello-Go.")

    def launch(self) -> str:
        """Start the app, building it first when there is no image; the job's id."""
        return self._submit("launch", self._launch, "Launch Hello-Go.")

    def stop(self) -> str:
        """Stop and remove the app; the job's id."""
        return self._submit("stop", self._stop, "Stop Hello-Go.")

    def call(self) -> dict[str, Any]:
        """GET the app's page once: status, headers, body, milliseconds, and the same as a command.

        Raises WrongPhase when it does not run, ServiceFailed when it does not answer within 5 s.
        """
        found = self._log.at("hello_go")
        if found.get("phase") != "running":
            raise WrongPhase("Hello-Go is not running.", hint="Launch it first.")
        began = time.perf_counter()
        try:
            answer = self._calls.request("GET", found["url"], timeout=5.0, preload_content=False)
            body = answer.read(_LONGEST_BODY, decode_content=True).decode(errors="replace")
            answer.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise ServiceFailed(f"Hello-Go does not answer at {found['url']}: {error}") from error
        ms = round((time.perf_counter() - began) * 1000, 2)
        return self._called(found, answer.status, dict(answer.headers), body, ms)

    def images(self) -> dict[str, Any]:
        """What the last build made; the list is empty when nothing was built."""
        names = (("runtime", _NAME), ("build", f"{_NAME}:build"))
        found = [(role, self._workspace.engine.image(name)) for role, name in names]
        return {"images": [{"role": role} | _image_facts(image) for role, image in found if image]}

    # what the workspace asks

    def owns(self, service: str) -> bool:
        return service == _NAME

    def translate(self, line: Line) -> Patch | None:
        return {}

    def explain(self, line: Line) -> Line:
        return line

    def died(self, instance: Instance | Change, last_words: str) -> None:
        code = f" with exit code {instance.exit_code}" if instance.exit_code is not None else ""
        error = ServiceFailed(f"Hello-Go ended{code}. {last_words}".strip(), hint="Launch it again.")
        self._fail(error, "hello_go.died")

    def restore(self, found: Mapping[str, Instance]) -> None:
        phase, instance = self._log.at("hello_go", "phase"), found.get(_NAME)
        self._note_cut_build()
        if instance and phase in ("running", "starting"):
            self._workspace.adopt(instance)
        if phase == "running" and not (instance and instance.running):
            self._fail(
                ServiceFailed("Hello-Go ended while no dashboard looked.", hint="Launch it again."),
                "hello_go.died",
            )
        elif phase == "starting":
            self.launch()
        elif phase == "stopping" or (instance and phase in ("stopped", "failed")):
            self.stop()

    def _note_cut_build(self) -> None:
        """A build ends with the dashboard that watched it."""
        build = self._log.at("hello_go", "build") or {}
        if build.get("phase") == "running":
            steps = build.get("steps", {})
            cut = {
                number: {"state": "failed"} for number, step in steps.items() if step["state"] == "running"
            }
            text = "The build was cut off with the dashboard that watched it."
            self._record("hello_go.failed", text, patch={"build": {"phase": "failed", "steps": cut}})

    def snapshot(self, state: dict[str, Any]) -> dict[str, Any]:
        empty = {"phase": "stopped", "url": None, "error": None, "image": None, "build": None, "calls": None}
        return {"hello_go": empty | state.get("hello_go", {}) | {"commands": self._commands(state)}}

    def clear(self) -> None:
        self._calls.clear()

    # the work

    def _submit(self, name: str, work: Any, text: str) -> str:
        return self._workspace.submit(self, name, work, text=text, failed=self._fail)

    def _build(self) -> None:
        steps = Steps()
        began = {"phase": "running", "started_at": now(), "total": None, "steps": None}
        self._record("hello_go.build_started", "Building Hello-Go.", patch={"build": began})
        try:
            image = self._workspace.build(self._recipe, lambda line: self._built_line(steps, line))
        except LabError:
            self._steps_changed(steps.end(failed=True))
            self._log.record(
                "hello-go", "output.line", "The build ended here.", patch=_patch(build={"phase": "failed"})
            )
            raise
        self._steps_changed(steps.end())
        facts = _image_facts(image) | {"sources": sources_digest(self._recipe)}
        text = f"{image.tag} is built: {image.size / 1e6:.1f} MB."
        self._record("hello_go.built", text, data=facts, patch={"image": facts, "build": {"phase": "done"}})

    def _built_line(self, steps: Steps, line: str) -> None:
        self._steps_changed(steps.feed(line))
        self._log.record("hello-go", "output.line", line[:4000], data={"stream": "build"})

    def _steps_changed(self, steps: list[Step]) -> None:
        for step in steps:
            text = f"Step {step.number} of {step.total}, {step.state}: {step.instruction}"
            build = {"total": step.total, "steps": {str(step.number): step.as_patch()}}
            data = {"step": step.number, "total": step.total} | step.as_patch()
            self._record("hello_go.build_step", text, data=data, patch={"build": build})

    def _launch(self) -> None:
        alive = self._workspace.alive().get(_NAME)
        if alive and self._log.at("hello_go", "phase") == "running":
            return
        self._record("hello_go.starting", "Launching Hello-Go.", patch={"phase": "starting", "error": None})
        if alive:
            self._workspace.stop(_NAME)
        if self._workspace.engine.image(_NAME) is None or self._is_stale():
            self._build()
        asked, port = self._workspace.settings.hello_go_port, self._start_on_free_port()
        url = self._workspace.engine.address(self._workspace.name, _NAME, "public").url
        try:
            self._workspace.wait_ready(_NAME, lambda: self._probe(url))
        except LabError:
            self._workspace.stop(_NAME, grace=0)
            raise
        moved = "" if port == asked else f" Port {asked} is taken, so it got the next free one."
        patch = {"phase": "running", "url": url}
        self._record("hello_go.started", f"Hello-Go answers at {url}.{moved}", data={"url": url}, patch=patch)

    def _is_stale(self) -> bool:
        """The image was built by us, but from other sources or bases than these."""
        built_from = self._log.at("hello_go", "image", "sources")
        return built_from is not None and built_from != sources_digest(self._recipe)

    def _start_on_free_port(self) -> int:
        first = self._workspace.settings.hello_go_port
        for port in range(first, min(first + _PORTS_TRIED, 65536)):
            ports = {"public": Port(8080, publish=port)}
            limits = Limits(memory=128 * 1024 * 1024)
            try:
                self._workspace.start(
                    Spec(self._workspace.name, _NAME, _NAME, _NAME, ports=ports, limits=limits)
                )
                return port
            except PortTaken:
                continue
        raise PortTaken(
            f"Ports {first} to {first + _PORTS_TRIED - 1} of this machine are taken.",
            hint="Stop what uses them, or set LAB_HELLO_GO_PORT, then launch again.",
        )

    def _probe(self, url: str) -> None:
        try:
            self._calls.request("GET", url, timeout=1.0)
        except urllib3.exceptions.HTTPError as error:
            raise ServiceFailed(f"nothing answers at {url}") from error

    def _stop(self) -> None:
        self._record("hello_go.stopping", "Stopping Hello-Go.", patch={"phase": "stopping"})
        self._workspace.stop(_NAME, grace=2.0)
        patch = {"phase": "stopped", "url": None, "error": None, "calls": None}
        self._record("hello_go.stopped", "Hello-Go is stopped.", patch=patch)

    def _called(
        self, found: Mapping[str, Any], status: int, headers: dict[str, str], body: str, ms: float
    ) -> dict[str, Any]:
        with self._calling:
            count = (self._log.at("hello_go", "calls", "count") or 0) + 1
            last = {"status": status, "body": body[:200], "ms": ms}
            text = f"{found['url']} answered {status} in {ms} ms: {body[:80]}"
            self._record("hello_go.called", text, data=last, patch={"calls": {"count": count, "last": last}})
        return {
            "status": status,
            "headers": headers,
            "body": body,
            "ms": ms,
            "command": f"curl -i {found['url']}",
        }

    def _fail(self, error: LabError, kind: str = "hello_go.failed") -> None:
        """What fails beside an app that runs, such as a build, does not make that app failed."""
        failed = {"phase": "failed", "url": None, "error": error.as_dict()}
        running = self._log.at("hello_go", "phase") == "running"
        keeps = running and kind == "hello_go.failed"
        self._record(
            kind,
            f"{error.message} {error.hint}",
            level="error",
            data={"error": error.as_dict()},
            patch={} if keeps else failed,
        )

    def _record(self, kind: str, text: str, *, patch: Mapping[str, Any], **rest: Any) -> None:
        self._log.record("hello-go", kind, text, patch={"hello_go": patch}, **rest)

    def _commands(self, state: Mapping[str, Any]) -> dict[str, str]:
        """What a person would type for each button, on this engine."""
        url = (
            state.get("hello_go", {}).get("url")
            or f"http://127.0.0.1:{self._workspace.settings.hello_go_port}"
        )
        call = {"call": f"curl -i {url}"}
        folder = "services/hello_go/image"
        if self._workspace.engine.name != "docker":
            return {"build": f"cd {folder} && go build -trimpath -ldflags '-s -w' -o hello-go ."} | call
        arguments = " ".join(f"--build-arg {name}={value}" for name, value in self._recipe.arguments.items())
        return {"build": f"docker build {arguments} -t labdeck/hello-go:latest {folder}"} | call


def sources_digest(recipe: Recipe) -> str:
    """SHA-256 of the files and build arguments, in hex: the same sources build the same image."""
    digest = hashlib.sha256(repr(sorted(recipe.arguments.items())).encode())
    for path in sorted(recipe.context.iterdir()):
        digest.update(f"{path.name} {path.stat().st_size} ".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _patch(**values: Any) -> dict[str, Any]:
    return {"hello_go": values}


def _image_facts(image: Image) -> dict[str, Any]:
    layers = [{"made_by": layer.made_by, "size": layer.size} for layer in image.layers]
    return {"tag": image.tag, "size": image.size, "layers": layers, "stand_in": image.stand_in}
