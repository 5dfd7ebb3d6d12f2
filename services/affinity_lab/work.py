"""What the affinity lab's worker does, one thing after the other, and what becomes of what fails."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from services.affinity_lab.absent import Absent
from services.affinity_lab.apps import Apps
from services.affinity_lab.asker import ASKED, By
from services.affinity_lab.balancer import Balancer
from services.affinity_lab.crowd import NOBODY, Crowd
from services.affinity_lab.drain import Drain
from services.affinity_lab.fates import Fates
from services.affinity_lab.programs import Programs
from services.affinity_lab.replicas import THERE, Replicas, in_order, replica_names
from services.affinity_lab.runs.runs import Runs
from services.affinity_lab.runs.stage import Means
from services.affinity_lab.store import Store
from services.affinity_lab.switches import Switches
from services.errors import LabError, NotFound, WrongPhase
from services.words import say
from services.words.phases import phase_name
from services.workspaces.workspace import Lab, Workspace

_FIRST_REPLICAS = 3


class Work(Lab):
    """The parts of one workspace's affinity lab, and the jobs that change them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._log = workspace.log
        self._apps = Apps(workspace)
        self._programs = Programs(workspace, self._apps)
        self._store = Store(workspace, self._programs)
        self._replicas = Replicas(workspace, self._programs)
        self._balancer = Balancer(workspace, self._programs)
        self._crowd = Crowd(workspace, self._programs)
        self._fates = Fates(workspace.log)
        self._absent = Absent(workspace.log)
        self._drain_work = Drain(workspace, self._replicas, self._balancer, self._apps)
        self._switches = Switches(workspace, self._apps, self._store, self._restart)
        ending = lambda: workspace.ending(self)  # noqa: E731
        means = Means(
            self._replicas,
            self._balancer,
            self._crowd,
            self._drain_work,
            self._switches,
            self._set_page_keys,
        )
        self.runs = Runs(workspace, means, self._submit_run, ending)

    def _ask(self, name: str, work: Callable[[], None], text: str, by: By | None = None, *needs: str) -> str:
        """Queue `work` for a lab that runs, and for a replica and its phases where `needs` names them.

        All of that is looked at now and again when its turn comes, for much may have changed by then.
        """

        def turn() -> None:
            self._must_run(*needs)
            work()

        self._must_run(*needs)
        return self._submit(name, turn, text, by)

    def _submit(self, name: str, work: Callable[[], None], text: str, by: By | None) -> str:
        self.runs.must_rest()
        failures = {"launch": self._launch_failed, "stop": self._stop_failed}
        failed = failures.get(name, self._failed)
        return self._workspace.submit(self, name, work, text=text, failed=failed, by=by)

    def _submit_run(self, name: str, work: Callable[[], None], text: str, by: By | None) -> str:
        """What runs ask for; they tell themselves what became of it."""
        return self._workspace.submit(self, name, work, text=text, failed=lambda error: None, by=by)

    def _must_run(self, replica: str | None = None, *phases: str) -> None:
        phase = self._log.at("affinity_lab", "phase")
        if phase != "running":
            hint = say("Wait until it is up.") if phase == "starting" else say("Launch it first.")
            raise WrongPhase(say("The affinity lab is %(phase)s.", phase=phase_name(phase)), hint=hint)
        if replica is None:
            return
        known = self._replicas.known()
        if replica not in known:
            raise NotFound(
                say("There is no %(replica)s.", replica=repr(replica)),
                hint=say("There are: %(names)s.", names=", ".join(in_order(known)) or "none"),
            )
        if known[replica].get("phase") not in phases:
            raise WrongPhase(
                say(
                    "%(replica)s is %(phase)s, not %(names)s.",
                    replica=replica,
                    phase=phase_name(known[replica].get("phase")),
                    names=reduce(_or, map(phase_name, phases)),
                )
            )

    def _must_run_no_other(self, app: str) -> None:
        phase, now = self._log.at("affinity_lab", "phase"), self._apps.now.name
        if app != now and phase not in ("stopped", "failed"):
            raise WrongPhase(
                say("The replicas run %(now)s.", now=now),
                hint=say("Stop the lab, then launch it with %(app)s.", app=app),
            )

    def _launch(self, app: str) -> None:
        self._must_run_no_other(app)
        if app != self._apps.now.name and self._log.at("affinity_lab", "phase") == "failed":
            self._stop()
        missing, known = self._missing(), set(self._replicas.known())
        if self._log.at("affinity_lab", "phase") == "running" and not missing:
            return
        patch = {"affinity_lab": {"phase": "starting", "error": None}, "app": app}
        text = f"Launching the affinity lab with {app}."
        self._log.record("dashboard", "affinity_lab.starting", text, data={"app": app}, patch=patch)
        try:
            self._programs.build()
            self._store.keep(self._apps.settings["shared_store"] and app == self._apps.blazor.name)
            self._replicas.start([name for name in missing if name != "balancer"])
            if "balancer" in missing:
                self._balancer.start()
            self._balancer.tell(self._replicas)
        except LabError as error:
            self._failed(error, self._undo(missing, known) | self._after_failure(error))
            raise
        text = f"{len(self._replicas.known())} replicas stand behind {self._log.at('balancer', 'url')}."
        patch = {"affinity_lab": {"phase": "running"}}
        self._log.record("dashboard", "affinity_lab.launched", text, patch=patch)

    def _mend(self) -> None:
        """After a restart: what was on its way is brought there, also a drain and a change of settings."""
        phases = {name: replica.get("phase") for name, replica in self._replicas.known().items()}
        self._replicas.stop([name for name, phase in phases.items() if phase == "stopping"])
        self._replicas.start([name for name, phase in phases.items() if phase == "starting"])
        self._balancer.tell(self._replicas)
        for name, replica in self._replicas.known().items():
            if replica.get("draining") and replica.get("phase") in THERE:
                self._stop_replica(name, "restart")
        for name in self._replicas.stale():
            self._restart(name, "restart")

    def _missing(self) -> list[str]:
        """What a launch has to start: the first three replicas or those that do not run, the balancer."""
        alive = self._workspace.alive()
        first = min(_FIRST_REPLICAS, self._workspace.settings.max_replicas)
        names = in_order(self._replicas.known()) or replica_names(first)
        phases = {name: replica.get("phase") for name, replica in self._replicas.known().items()}
        phases["balancer"] = self._log.at("balancer", "phase")
        return [name for name in (*names, "balancer") if name not in alive or phases.get(name) not in THERE]

    def _stop(self) -> None:
        patch = {"affinity_lab": {"phase": "stopping"}}
        self._log.record("dashboard", "affinity_lab.stopping", "Stopping the affinity lab.", patch=patch)
        self._programs.stop("visitors")
        self._log.record(
            "visitors", "visitors.stopped", "The crowd is gone.", patch={"visitors": dict(NOBODY)}
        )
        self._programs.stop("balancer")
        self._balancer.record(
            "balancer.stopped", "The balancer is gone.", phase="stopped", url=None, error=None
        )
        self._replicas.stop(in_order(self._replicas.known()))
        self._store.keep(False)
        end = {"affinity_lab": {"phase": "stopped", "error": None}}
        self._log.record(
            "dashboard", "affinity_lab.stopped", "The affinity lab is stopped.", patch=_nobody(end)
        )

    def _scale(self, count: int, by: By) -> None:
        wanted, known = replica_names(count), self._replicas.known()
        extra = [name for name in in_order(known) if name not in wanted]
        try:
            phases = {name: replica.get("phase") for name, replica in known.items()}
            on_their_way = (None, "starting", "stopping")
            self._replicas.start([name for name in wanted if phases.get(name) in on_their_way], by)
        finally:
            self._replicas.retire(extra, by)
            self._balancer.tell(self._replicas)
        self._replicas.stop(extra, by)

    def _start(self, name: str, by: By) -> None:
        self._replicas.start([name], by)
        self._balancer.tell(self._replicas)

    def _stop_replica(self, name: str, by: By, kind: str = "replica.stopping") -> None:
        self._replicas.leave(name, by, kind)
        self._balancer.tell(self._replicas)
        self._replicas.end(name, by)

    def _restart(self, name: str, by: By) -> None:
        self._stop_replica(name, by, "replica.restarting")
        self._start(name, by)

    def _set_page_keys(self, shared: bool, by: By) -> None:
        if self._log.at("page_keys", "shared") == shared:
            return
        what = "one key for all replicas" if shared else "a key of each replica's own"
        known = self._replicas.known()
        names = [name for name in in_order(known) if known[name].get("phase") in THERE]
        text = f"Pages are to be signed with {what}, {ASKED[by]}. One after the other restarts."
        data = {"shared": shared, "by": by}
        patch = {"page_keys": {"shared": shared}}
        self._log.record("dashboard", "page_keys.changing", text, data=data, patch=patch)
        for name in names:
            self._restart(name, by)
        self._log.record("dashboard", "page_keys.changed", f"Pages are signed with {what} now.", data=data)

    # failures

    def _undo(self, started: list[str], known: set[str]) -> dict[str, Any]:
        """Nothing half-done: stop what a failed launch started, as far as the engine answers; the patch."""
        for name in started:
            with contextlib.suppress(LabError):
                self._programs.stop(name, grace=0.5)
        if "balancer" in started:
            with contextlib.suppress(LabError):
                self._store.keep(False)
        phases = {name: replica.get("phase") for name, replica in self._replicas.known().items()}
        stopped = {"phase": "stopped", "connections": 0, "circuits": 0}
        replicas: dict[str, Any] = {name: None for name in started if name in phases and name not in known}
        replicas |= {name: stopped for name in started if name in known and phases.get(name) != "failed"}
        patch: dict[str, Any] = {"replicas": replicas}
        if "balancer" in started:
            patch["balancer"] = {"phase": "stopped", "url": None}
        return patch

    def _after_failure(self, error: LabError) -> dict[str, Any]:
        """A lab whose balancer still runs goes on; any other has failed."""
        if self._log.at("balancer", "phase") == "running" and "balancer" in self._workspace.alive():
            return {"affinity_lab": {"phase": "running"}}
        return {"affinity_lab": {"phase": "failed", "error": error.as_dict()}}

    def _launch_failed(self, error: LabError) -> None:
        """Said by the launch itself, but for what nobody foresaw."""
        if self._log.at("affinity_lab", "phase") == "starting":
            self._failed(error, {"affinity_lab": {"phase": "failed", "error": error.as_dict()}})

    def _stop_failed(self, error: LabError) -> None:
        self._failed(error, {"affinity_lab": {"phase": "failed", "error": error.as_dict()}})

    def _failed(self, error: LabError, patch: Mapping[str, Any] | None = None) -> None:
        text = f"{error.message} {error.hint}"
        data = {"error": error.as_dict()}
        self._log.record("dashboard", "affinity_lab.failed", text, level="error", data=data, patch=patch)


def _nobody(patch: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """The patch, and no visitors and circuits any more."""
    return lambda state: (
        dict(patch)
        | {
            "people": dict.fromkeys(state.get("people", {})),
            "circuits": dict.fromkeys(state.get("circuits", {})),
        }
    )


def _or(some: str, one: str) -> str:
    return say("%(some)s or %(one)s", some=some, one=one)
