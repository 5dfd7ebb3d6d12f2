"""Hello-Go compiled for other processors, and really tried: the kernel itself says what runs here."""

from __future__ import annotations

import time
from typing import Any

import urllib3

from services.engines.base import Cancellation, Limits, Port, Spec
from services.engines.escapes import plain
from services.errors import BuildCancelled, LabError, NotFound, ServiceFailed
from services.hello_go.builds import Builds
from services.hello_go.choice import Choice
from services.hello_go.notebook import Notebook
from services.hello_go.platforms import PLATFORMS, Platform, this_platform
from services.workspaces.workspace import Workspace

_TRIED = "hello-go-try"
_SECONDS = 20.0
_LINES = 5
_FRESH = {"state": "building", **dict.fromkeys(("tag", "size", "runs", "says", "exit_code"))}


class Processors:
    """One table of the page: a row a processor."""

    def __init__(self, workspace: Workspace, notebook: Notebook, builds: Builds) -> None:
        self._workspace, self._notebook, self._builds = workspace, notebook, builds

    def compile_and_try(self, choice: Choice, names: list[str], cancellation: Cancellation) -> None:
        """Each in turn; a row that fails says so, and the next one goes on."""
        for name in names:
            self._one(choice, PLATFORMS[name], cancellation)

    def _one(self, choice: Choice, platform: Platform, cancellation: Cancellation) -> None:
        name, here = platform.name, platform.name == this_platform()
        self._say(platform, "hello_go.processor_building", f"Compiling for {name}.", _FRESH)
        try:
            made = self._builds.for_processor(choice, None if here else platform, cancellation)
            tried = self._try(made["name"], choice)
        except LabError as error:
            row = None if isinstance(error, BuildCancelled) else {"state": "failed", "says": error.message}
            self._say(platform, "hello_go.processor_tried", f"Not tried: {error.message}", row)
            raise
        found = {"state": "done", "tag": made["tag"], "size": made["size"], **tried}
        text = f"A program for {name} {'runs here' if tried['runs'] else 'was refused'}: {tried['says']}"
        self._say(platform, "hello_go.processor_tried", text, found)

    def _try(self, image: str, choice: Choice) -> dict[str, Any]:
        """Start it as any other program, and look what comes of it; nothing of it stays."""
        engine, workspace = self._workspace.engine, self._workspace.name
        ports = {"public": Port(choice.port)}
        engine.stop(workspace, _TRIED, grace=0)
        try:
            spec = Spec(
                workspace, _TRIED, _TRIED, image, ports=ports, limits=Limits(memory=128 * 1024 * 1024)
            )
            engine.start(spec)
            return self._watch()
        except ServiceFailed as error:
            return {"runs": False, "says": error.message, "exit_code": None}
        finally:
            engine.stop(workspace, _TRIED, grace=0)

    def _watch(self) -> dict[str, Any]:
        engine, workspace = self._workspace.engine, self._workspace.name
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            found = next((one for one in engine.instances(workspace) if one.instance == _TRIED), None)
            if found is None or not found.running:
                code = found.exit_code if found else None
                return {"runs": False, "says": self._last_words(), "exit_code": code}
            try:
                url = engine.address(workspace, _TRIED, "public").url
                answer = urllib3.request("GET", url, timeout=1.0, retries=False)
                return {"runs": True, "says": f"{answer.status} {answer.data[:80].decode(errors='replace')}"}
            except (urllib3.exceptions.HTTPError, NotFound):
                time.sleep(0.05)
        return {"runs": False, "says": f"It did not answer within {_SECONDS:.0f} s.", "exit_code": None}

    def _last_words(self) -> str:
        """What a dead one left in its output: of a program that cannot be started, the kernel's refusal."""
        stream = self._workspace.engine.logs(self._workspace.name, _TRIED)
        lines = [plain(line.text) for line in stream]
        return "\n".join(lines[-_LINES:]) or "It ended without a word."

    def _say(self, platform: Platform, kind: str, text: str, row: dict[str, Any] | None) -> None:
        here = {"here": platform.name == this_platform(), "people": platform.people}
        self._notebook.record(
            kind, text, {"processors": {platform.name: row and row | here}}, data={"platform": platform.name}
        )
