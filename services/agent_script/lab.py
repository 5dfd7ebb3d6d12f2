"""The agent-script lab: rehearse a registration script for real, with a package of the chosen processor."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from services.agent_script.inspection import inspect
from services.agent_script.lab_package import (
    REHEARSED,
    LabPackage,
    fill,
    listener_recipe,
    pack,
    sandbox_recipe,
)
from services.agent_script.machines import rid_of_this_machine, this_machine
from services.agent_script.packages import Package, Rid, find_package
from services.agent_script.registration import Registration
from services.agent_script.script import rehearsable
from services.engines.base import Change, Image, Instance, Limits, Recipe, Spec
from services.errors import BadRequest, LabError, ServiceFailed, WrongPhase
from services.events.log import Patch
from services.words import say
from services.workspaces.tail import Line
from services.workspaces.workspace import Workspace

SECONDS = 60
"""A script that has not ended by then is ended."""
PACKAGES = "http://packages.lab/agent"
"""What the rehearsed script has in place of Microsoft's address; curl is told where that is."""
_NAME = "rehearsal"
_LIMITS = Limits(memory=256 * 1024 * 1024, cpus=1.0, pids=64)
_LOOK_EVERY = 0.1
_LATEST = 4.0
"""Seconds after a restart in which a sandbox may still appear."""
_RESULTS = ("result", "binary", "confined", "error")


class Cancelled(Exception):
    """Somebody asked for the end."""


class AgentScript:
    """One rehearsal at a time in a workspace."""

    name: ClassVar[str] = "agent_script"
    speaks: ClassVar[bool] = True
    fresh: ClassVar[Mapping[str, Any]] = {"agent_script": {"phase": "stopped"}}

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._log = workspace.log
        self._busy = threading.Lock()
        """Held from the request until the rehearsal has left nothing."""
        self._cancelled = threading.Event()
        self._over = threading.Event()

    # what people ask

    def rehearse(self, wanted: Registration) -> str:
        """Run the script in a sandbox; the job's id. Raises WrongPhase while another one runs."""
        package = _package_for(wanted)
        if not self._busy.acquire(blocking=False):
            raise WrongPhase(
                say("A rehearsal is running."), hint=say("Cancel it, or wait: it ends within a minute.")
            )
        self._cancelled.clear()
        try:
            text = f"Rehearse the script with {package.file}."
            return self._workspace.submit(
                self, "rehearse", lambda: self._rehearse(wanted, package), text=text, failed=self._end_failed
            )
        except BaseException:
            self._busy.release()
            raise

    def cancel(self) -> bool:
        """End the rehearsal soon; False when there is none."""
        running = self._busy.locked()
        if running:
            self._cancelled.set()
        return running

    def _end_failed(self, error: LabError) -> None:
        """Another one may begin; a job that was dropped before its turn comes here as well."""
        self._busy.release()
        self._fail(error)

    # what the workspace asks

    def owns(self, service: str) -> bool:
        return service == _NAME

    def translate(self, line: Line) -> Patch | None:
        if line.kind == "agent_script.confined":
            return {"agent_script": {"confined": line.data}}
        if line.kind == "agent_script.rehearsed":
            return {"agent_script": {"result": line.data}}
        return {}

    def explain(self, line: Line) -> Line:
        return line

    def died(self, instance: Instance | Change, last_words: str) -> None:
        """Its end is what the job waits for."""
        self._over.set()

    def restore(self, found: Mapping[str, Instance]) -> None:
        """What an earlier dashboard was rehearsing is ended: nobody would see its outcome."""
        interrupted = self._log.at("agent_script", "phase") not in (None, "stopped", "failed")
        if _NAME in found:
            self._workspace.stop(_NAME, grace=0)
        if interrupted:
            self._fail(
                ServiceFailed(say("The dashboard was restarted meanwhile."), hint=say("Rehearse again."))
            )
            text = "Remove what the rehearsal may leave yet."
            self._workspace.submit(self, "sweep", self._sweep, text=text, failed=lambda error: None)

    def _sweep(self) -> None:
        """An engine may finish making what a killed dashboard had asked for a moment before."""
        deadline = time.monotonic() + _LATEST
        while time.monotonic() < deadline and self._workspace.ending(self) is None:
            self._workspace.stop(_NAME, grace=0)
            time.sleep(0.5)

    def snapshot(self, state: dict[str, Any]) -> dict[str, Any]:
        here = this_machine()
        machine = {"uname": here.uname, "words": here.words, "rid": rid_of_this_machine()}
        empty: dict[str, Any] = dict.fromkeys(_RESULTS)
        now = {"phase": "stopped", "rid": None, "package": None} | empty | state.get("agent_script", {})
        return {"agent_script": now | {"machine": machine, "rehearsed": list(REHEARSED)}}

    def clear(self) -> None:
        self._cancelled.set()

    # the work

    def _rehearse(self, wanted: Registration, package: Package) -> None:
        try:
            self._run(wanted, package)
        except Cancelled:
            self._workspace.stop(_NAME, grace=0)
            result = {"outcome": "cancelled", "exit_code": None, "seconds": None, "line": ""}
            self._record("agent_script.cancelled", "The rehearsal was cancelled.", {"result": result})
        except BaseException:
            self._workspace.stop(_NAME, grace=0)
            raise  # to _end_failed
        else:
            self._workspace.stop(_NAME, grace=1.0)
        self._record("agent_script.stopped", "Nothing of the rehearsal is left.", {"phase": "stopped"})
        self._busy.release()

    def _run(self, wanted: Registration, package: Package) -> None:
        begun = {"phase": "starting", "rid": package.rid.name, "package": package.file}
        text = f"Making the lab's own {package.file}."
        self._record("agent_script.build_started", text, begun | dict.fromkeys(_RESULTS))
        made = self._make(package)
        script = rehearsable(wanted, package, PACKAGES, made.checksum)
        self._check_cancelled()
        self._over.clear()
        environment = {"LAB_SCRIPT": script, "LAB_PACKAGE": package.file, "LAB_SECONDS": str(SECONDS)}
        self._record("agent_script.started", "The script runs in its sandbox.", {"phase": "running"})
        self._workspace.start(self._spec(package.rid, environment))
        self._wait()

    def _make(self, package: Package) -> LabPackage:
        """Compile, read, pack, and put it where the sandbox is made."""
        settings, rid = self._workspace.settings, package.rid
        recipe = listener_recipe(rid, settings)
        self._build(recipe)
        made = pack(self._workspace.engine.file(recipe.name, "/Agent.Listener"))
        facts = inspect(package.file, made.content) | {"size": len(made.listener)}
        text = f"{package.file} is made: {len(made.content)} bytes, Agent.Listener for {facts['machine']}."
        self._record("agent_script.package_made", text, {"binary": facts}, sha256=made.checksum)
        folder = settings.state_dir / "agent_script" / rid.name
        fill(folder, made)
        self._build(sandbox_recipe(rid, settings, folder))
        return made

    def _build(self, recipe: Recipe) -> Image:
        self._check_cancelled()
        return self._workspace.build(recipe, self._built_line)

    def _built_line(self, line: str) -> None:
        self._check_cancelled()  # a compiler that is cut off keeps in its cache what it has done
        self._log.record("agent-script", "output.line", line[:4000], data={"stream": "build"})

    def _spec(self, rid: Rid, environment: Mapping[str, str]) -> Spec:
        return Spec(
            self._workspace.name,
            _NAME,
            _NAME,
            f"rehearsal-{rid.name}",
            command=("rehearse.py",),
            environment=environment,
            limits=_LIMITS,
            sandbox=True,
        )

    def _wait(self) -> None:
        """Until it ended by itself; raises Cancelled, and ServiceFailed when it ends without an outcome."""
        deadline = time.monotonic() + SECONDS + 15
        look_again = time.monotonic() + 1
        while not self._over.wait(_LOOK_EVERY):
            self._check_cancelled()
            if time.monotonic() > look_again:
                look_again = time.monotonic() + 1
                if _NAME not in self._workspace.alive() or time.monotonic() > deadline:
                    break
        self._workspace.forget(_NAME)
        if self._log.at("agent_script", "result") is None:
            self._check_cancelled()
            raise ServiceFailed(
                say("The rehearsal ended without an outcome."), hint=say("Read its last lines in the log.")
            )

    def _check_cancelled(self) -> None:
        """Raises Cancelled when somebody asked for the end, or all of the workspace is to be removed."""
        if self._cancelled.is_set() or self._workspace.ending(self) == "dropped":
            raise Cancelled

    def _fail(self, error: LabError) -> None:
        patch = {"phase": "failed", "error": error.as_dict()}
        text = f"{error.message} {error.hint}"
        self._record("agent_script.failed", text, patch, level="error", error=error.as_dict())

    def _record(
        self, kind: str, text: str, patch: Mapping[str, Any], level: Any = "info", **data: Any
    ) -> None:
        self._log.record("agent-script", kind, text, level=level, data=data, patch={"agent_script": patch})


def _package_for(wanted: Registration) -> Package:
    """What the script will ask for; raises BadRequest where the lab cannot rehearse it."""
    if not wanted.detect:
        package = find_package(wanted.version, wanted.rid, wanted.flavour)
        if package.rid.name in REHEARSED:
            return package
        raise BadRequest(
            say("A Windows script cannot be rehearsed here."), hint=say("Rehearse one for Linux or macOS.")
        )
    here = rid_of_this_machine()
    if here is None:
        raise BadRequest(
            say("There is no agent package for this machine (%(uname)s).", uname=this_machine().uname)
        )
    return find_package(wanted.version, here, wanted.flavour)
