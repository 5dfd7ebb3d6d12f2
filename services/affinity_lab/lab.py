"""The affinity lab: launch, scale, toggle, break, watch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from services.affinity_lab.absent import Absent
from services.affinity_lab.apps import Apps
from services.affinity_lab.asker import ASKED, By
from services.affinity_lab.balancer import FIRST_AFFINITY, Balancer
from services.affinity_lab.crowd import BEHAVIOUR, NOBODY, Crowd
from services.affinity_lab.drain import Drain
from services.affinity_lab.fates import Fates
from services.affinity_lab.patches import patch_of
from services.affinity_lab.programs import Programs
from services.affinity_lab.replicas import Replicas, in_order, replica_names
from services.affinity_lab.runs.runs import IDLE, Runs
from services.affinity_lab.store import Store
from services.affinity_lab.story import story
from services.affinity_lab.switches import Switches
from services.blazor.app import FIRST_SETTINGS
from services.blazor.source import STORE
from services.engines.base import Change, Instance
from services.errors import LabError, NotFound, NotInThisApp, NotOnThisEngine, ServiceFailed, WrongPhase
from services.events.log import Patch
from services.words import say
from services.workspaces.tail import Line
from services.workspaces.workspace import Workspace

_FIRST_REPLICAS = 3


class AffinityLab:
    """The replicas, the balancer and the crowd of one workspace."""

    name: ClassVar[str] = "affinity_lab"
    speaks: ClassVar[bool] = True
    fresh: ClassVar[Mapping[str, Any]] = {
        "affinity_lab": {"phase": "stopped"},
        "app": "circuit",
        "replicas": {},
        "balancer": {"phase": "stopped", "affinity": FIRST_AFFINITY},
        "visitors": NOBODY | BEHAVIOUR | {"own_addresses": True},
        "page_keys": {"shared": False},
        "app_settings": FIRST_SETTINGS,
        "store": {"phase": "stopped"},
        "people": {},
        "circuits": {},
        "run": IDLE,
    }

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
        self.runs = Runs(workspace, self._replicas, self._balancer, self._crowd, self._submit_run, ending)

    # what people ask

    def launch(self, app: str = "circuit", by: By = "api") -> str:
        """Start three replicas behind the balancer, or whatever of it is missing; the job's id.

        Raises AppUnavailable for an app that this machine lacks, WrongPhase while the other one runs.
        """
        self._apps.get(app)
        self._must_run_no_other(app)
        return self._submit("launch", lambda: self._launch(app), f"Launch the affinity lab with {app}.", by)

    def stop(self, by: By = "api") -> str:
        """Stop visitors, balancer and replicas; the job's id."""
        return self._submit("stop", self._stop, "Stop the affinity lab.", by)

    def scale(self, count: int, by: By = "api") -> str:
        """Ask for `count` replicas; the job's id. Raises WrongPhase when the lab does not run."""
        return self._ask("scale", lambda: self._scale(count, by), f"Scale to {count} replicas.", by)

    def kill(self, name: str, by: By = "api") -> str:
        """SIGKILL a replica; the job's id. This and the next ones raise NotFound, WrongPhase."""
        work = lambda: self._replicas.kill(name, by)  # noqa: E731 - one line each, all alike
        return self._ask("kill", work, f"Kill {name}.", by, name, "running", "frozen")

    def stop_replica(self, name: str, by: By = "api") -> str:
        """Stop a replica in good order, the balancer told first; the job's id."""
        work = lambda: self._stop_replica(name, by)  # noqa: E731
        return self._ask("stop_replica", work, f"Stop {name}.", by, name, "running", "frozen")

    def start(self, name: str, by: By = "api") -> str:
        """Start a replica that was stopped, was killed or died; the job's id."""
        return self._ask(
            "start", lambda: self._start(name, by), f"Start {name}.", by, name, "stopped", "failed"
        )

    def restart(self, name: str, by: By = "api") -> str:
        """Stop a replica in good order and start it again; the job's id."""
        work = lambda: self._restart(name, by)  # noqa: E731
        return self._ask("restart", work, f"Restart {name}.", by, name, "running", "frozen")

    def freeze(self, name: str, by: By = "api") -> str:
        """Stop a replica in its place: it holds all and answers nothing; the job's id."""
        work = lambda: self._replicas.freeze(name, by)  # noqa: E731
        return self._ask("freeze", work, f"Freeze {name}.", by, name, "running")

    def thaw(self, name: str, by: By = "api") -> str:
        """Let a frozen replica go on; the job's id."""
        return self._ask("thaw", lambda: self._replicas.thaw(name, by), f"Thaw {name}.", by, name, "frozen")

    def drain(self, name: str, by: By = "api") -> str:
        """Give a replica no new visitors, have those it holds move elsewhere, stop it; the job's id."""
        work = lambda: self._drain_work.run(name, by)  # noqa: E731
        return self._ask("drain", work, f"Drain {name}.", by, name, "running")

    def restart_balancer(self, by: By = "api") -> str:
        """Stop Envoy and start it again, set as before; the job's id. Raises WrongPhase."""
        return self._ask(
            "restart_balancer",
            lambda: self._balancer.restart(self._replicas, by),
            "Restart the balancer.",
            by,
        )

    def set_page_keys(self, shared: bool, by: By = "api") -> str:
        """Sign pages with one key for all replicas, or each with its own; the job's id."""
        text = "Share the keys that sign pages." if shared else "Give each replica a page key of its own."
        return self._ask("page_keys", lambda: self._set_page_keys(shared, by), text, by)

    def set_app_settings(self, changes: Mapping[str, Any], by: By = "api") -> str:
        """Have the app behave otherwise; the replicas that run it restart in turn. The job's id.

        Raises AppUnavailable for a store that this machine lacks.
        """
        self.runs.must_rest()
        if changes.get("shared_store"):
            self._switches.must_have_store()
        work = lambda: self._switches.set(changes, by)  # noqa: E731
        return self._submit("app_settings", work, "Change the app's settings.", by)

    def set_visitors(self, settings: Mapping[str, Any], by: By = "api") -> str:
        """Ask for a crowd of `count` that behaves as the other fields say; the job's id."""
        self._must_run()
        if settings.get("one_address") is False and self._log.at("visitors", "own_addresses") is False:
            raise NotOnThisEngine(
                say("In a container all virtual visitors have the address of their container."),
                hint=say("Run with LAB_ENGINE=local to give each visitor an address of its own."),
            )
        text = f"Ask for {settings['count']} visitors." if "count" in settings else "Ask for other visitors."
        return self._ask("visitors", lambda: self._crowd.set(settings, by), text, by)

    def set_affinity(self, settings: Mapping[str, Any], by: By = "api") -> dict[str, Any]:
        """Toggle; returns `{"affinity", "ms"}` once the balancer obeys. Absent fields stay as they are."""
        self.runs.must_rest()
        self._must_run()
        return self._balancer.set_affinity(settings, by)

    def drop(
        self,
        visitor: str | None = None,
        replica: str | None = None,
        connection: str | None = None,
        by: By = "api",
    ) -> int:
        """Cut connections without a goodbye: one, one visitor's, one replica's, or all; how many.

        Raises WrongPhase, and NotFound for a replica or visitor that nobody knows.
        """
        self.runs.must_rest()
        self._must_run(*([replica, "running"] if replica else []))
        if (visitor or connection) and not self._apps.now.drops_one:
            raise NotInThisApp(
                say("A replica of %(name)s cannot cut one connection alone.", name=self._apps.now.name),
                hint=say("Drop all connections of a replica, or run the circuit app."),
            )
        if visitor and visitor not in (self._log.at("people") or {}):
            raise NotFound(
                say("There is no visitor %(visitor)s.", visitor=repr(visitor)),
                hint=say("Take a name from people in the snapshot."),
            )
        whose = f"the connections of {visitor or replica or 'everyone'}"
        if connection:
            whose = f"connection {connection[:6]}…"
        data = {"visitor": visitor, "replica": replica, "connection": connection, "by": by}
        text = f"Cutting {whose} without a goodbye, {ASKED[by]}."
        self._log.record("dashboard", "fault.drop_asked", text, data=data)
        return self._replicas.drop(visitor, replica, connection)

    def story(self, visitor: str, before: int | None = None) -> dict[str, Any]:
        """What happened to a visitor when it last tried to connect; raises NotFound."""
        return story(self._log, visitor, before)

    # what the workspace asks

    def owns(self, service: str) -> bool:
        return service in ("balancer", "visitors", STORE) or service in self._apps.services()

    def translate(self, line: Line) -> Patch | None:
        self._crowd.heard(line.kind)
        return patch_of(line) if line.text else None

    def explain(self, line: Line) -> Line:
        told = self._fates.explain(self._apps.now.told(line))
        self._absent.heard(told.data.get("visitor"))
        return told

    def died(self, instance: Instance | Change, last_words: str) -> None:
        code = f"Exit code {instance.exit_code}." if instance.exit_code is not None else ""
        if instance.service in self._apps.services():
            return self._replicas.died(instance.instance, f"{code} {last_words}".strip())
        name = instance.instance
        if name == STORE:
            return self._store.died(f"{code} {last_words}".strip())
        error = ServiceFailed(
            f"The {name} ended by itself. {code} {last_words}".strip(), hint=say("Launch the lab again.")
        )
        failed = {"phase": "failed", "error": error.as_dict()}
        patch: dict[str, Any] = {name: failed}
        if name == "visitors":
            patch["visitors"] = NOBODY | failed
        else:
            patch["affinity_lab"] = failed
        self._log.record(
            name, f"{name}.died", error.message, level="error", data={"error": error.as_dict()}, patch=patch
        )
        return None

    def restore(self, found: Mapping[str, Instance]) -> None:
        phase = self._log.at("affinity_lab", "phase")
        known = {*self._replicas.known(), "balancer", "visitors", STORE}
        for name, instance in found.items():
            if phase == "stopped" or name not in known:
                self._workspace.engine.stop(self._workspace.name, name)
            else:
                self._workspace.adopt(instance)
        self._note_losses({name: each for name, each in found.items() if each.running})
        for name, instance in found.items():
            if instance.running:
                self._replicas.found(name, frozen=instance.frozen)
        if phase == "running":
            self._ask("mend", self._mend, "Finish what was interrupted.")
        elif phase == "starting":
            self.launch(self._apps.now.name)
        elif phase == "stopping":
            self.stop()
        self._absent.restore()
        self.runs.restore(running=phase == "running")

    def snapshot(self, state: dict[str, Any]) -> dict[str, Any]:
        none: dict[str, Any] = {"url": None, "error": None}
        replicas = state.get("replicas", {})
        return {
            "affinity_lab": {"error": None} | state.get("affinity_lab", {}),
            "balancer": none | state.get("balancer", {}),
            "replicas": [
                {"name": name, "error": None, "healthy": None} | replicas[name] for name in in_order(replicas)
            ],
            "visitors": {"error": None, "own_addresses": True}
            | NOBODY
            | BEHAVIOUR
            | state.get("visitors", {}),
            "page_keys": state.get("page_keys", {"shared": False}),
            "apps": self._apps.facts(),
            "app_settings": self._switches.facts(),
            "store": {"error": None} | state.get("store", {"phase": "stopped"}),
            "run": dict(IDLE) | state.get("run", {}),
        }

    def clear(self) -> None:
        """Runs are kept outside the state."""
        self._absent.clear()
        self.runs.forget()

    # the work, one after the other

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
            raise WrongPhase(say("The affinity lab is %(phase)s.", phase=phase), hint=hint)
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
                    phase=known[replica].get("phase"),
                    names=" or ".join(phases),
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
        """After a restart: replicas that were on their way are brought there, and the balancer is told."""
        phases = {name: replica.get("phase") for name, replica in self._replicas.known().items()}
        self._replicas.stop([name for name, phase in phases.items() if phase == "stopping"])
        self._replicas.start([name for name, phase in phases.items() if phase == "starting"])
        self._balancer.tell(self._replicas)

    def _missing(self) -> list[str]:
        """What a launch has to start: the first three replicas or those that do not run, the balancer."""
        alive = self._workspace.alive()
        first = min(_FIRST_REPLICAS, self._workspace.settings.max_replicas)
        names = in_order(self._replicas.known()) or replica_names(first)
        phases = {name: replica.get("phase") for name, replica in self._replicas.known().items()}
        phases["balancer"] = self._log.at("balancer", "phase")
        up = ("running", "frozen")
        return [name for name in (*names, "balancer") if name not in alive or phases.get(name) not in up]

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
        names = [name for name in in_order(known) if known[name].get("phase") in ("running", "frozen")]
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

    def _note_losses(self, alive: Mapping[str, Instance]) -> None:
        """What the state says runs and the engine does not have, died while no dashboard looked."""
        for name, replica in self._replicas.known().items():
            if replica.get("phase") in ("running", "frozen") and name not in alive:
                self._replicas.died(name, "No dashboard looked when it did.")
        self._store.note_loss()
        for name in ("balancer", "visitors"):
            if self._log.at(name, "phase") == "running" and name not in alive:
                gone = Change(self._workspace.name, name, name, "", "died")
                self.died(gone, "No dashboard looked when it did.")


def _nobody(patch: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """The patch, and no visitors and circuits any more."""
    return lambda state: (
        dict(patch)
        | {
            "people": dict.fromkeys(state.get("people", {})),
            "circuits": dict.fromkeys(state.get("circuits", {})),
        }
    )
