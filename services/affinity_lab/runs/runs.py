"""The runs of a workspace: one measures at a time, in the lab's own worker, which then puts the lab back."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from services.affinity_lab.asker import By
from services.affinity_lab.runs.clock import Clock
from services.affinity_lab.runs.export import as_csv
from services.affinity_lab.runs.measure import measure
from services.affinity_lab.runs.plan import APPS, Plan, offer, transports_of
from services.affinity_lab.runs.stage import Means, Stage
from services.affinity_lab.runs.store import RunStore
from services.affinity_lab.runs.words import ENDS, cell_text, kept, spoken
from services.errors import BadRequest, LabError, NotFound, WrongPhase
from services.words import say
from services.workspaces.jobs import Unexpected
from services.workspaces.workspace import Workspace

IDLE: Mapping[str, Any] = {"phase": "idle"}
_logger = logging.getLogger(__name__)
Submit = Callable[..., str]
"""`submit(name, work, text, by)` of the lab: queue work behind what it does already; the job's id."""


class _Cancelled(Exception):
    """Somebody ended the run."""


class _Closing(Exception):
    """The dashboard goes; nothing more is to be done here."""


class Runs:
    """Asked for, measured, cancelled, read; `must_rest` refuses clicks that would spoil a measurement."""

    def __init__(
        self,
        workspace: Workspace,
        means: Means,
        submit: Submit,
        ending: Callable[[], str | None],
    ) -> None:
        self._log = workspace.log
        self._settings = workspace.settings
        self._engine = workspace.engine.name
        self._store = RunStore(workspace.store.database, workspace.name)
        self._stage = Stage(workspace, means, self._check)
        self._submit = submit
        self._ending = ending
        self._asking = threading.Lock()
        self._active: int | None = None
        self._cancelled = threading.Event()

    # what people ask

    def start(self, asked: Mapping[str, Any], by: By) -> dict[str, Any]:
        """`{"job", "run"}`. Raises WrongPhase while another run measures or a replica is down."""
        with self._asking:
            self.must_rest()
            plan = self._plan(asked, self._stage.facts())
            run = self._active = self._store.add(plan)
            self._cancelled.clear()
            try:
                text = f"Measure {len(plan.cells)} cells with {plan.n} visitors each, as run {run}."
                job = self._submit("run", lambda: self._work(run, plan, by), text, by)
            except LabError as error:
                self._store.end(run, "failed", self._stage.mark(), error.as_dict())
                self._active = None
                raise
        return {"job": job, "run": run}

    def cancel(self, run: int) -> dict[str, Any]:
        """End it after what it is at; what it has measured is kept. Raises NotFound, WrongPhase."""
        found = self.get(run)
        if self._active != run:
            raise WrongPhase(
                say("Run %(run)s is %(spoken)s already.", run=run, spoken=spoken(found["phase"])),
                hint=say("There is nothing to cancel."),
            )
        self._cancelled.set()
        return {"run": run, "cancelling": True}

    def all(self) -> dict[str, Any]:
        """All runs, the newest first, without their cells; and what can be asked of the next one."""
        return {"runs": self._store.all(), "offer": offer(self._app, self._stage.keys_missing())}

    def get(self, run: int) -> dict[str, Any]:
        """One run with its cells, and how its app's situations and columns are called."""
        found = self._store.get(run)
        if found is None:
            raise NotFound(
                say("There is no run %(run)s.", run=run),
                hint=say("GET /api/workspaces/demo/runs lists those there are."),
            )
        app = APPS[found["plan"]["app"]]
        labels = {
            "situations": {each.name: {"label": each.label, "title": each.title} for each in app.situations},
            "transports": {each.name: {"label": each.label} for each in app.columns},
        }
        return found | {"labels": labels}

    def csv(self, run: int) -> str:
        """One run as a table, a line a cell."""
        return as_csv(self.get(run))

    def replay(self, run: int, place: int) -> dict[str, Any]:
        """The state that a replay of that cell begins with, and which part of the log comes after it."""
        cells, state = self.get(run)["cells"], self._store.state(run, place)
        if state is None:
            hint = say("%(number)s cells were measured, numbered from 0.", number=len(cells))
            raise NotFound(say("Run %(run)s has no cell %(place)s.", run=run, place=place), hint=hint)
        seqs = {name: cells[place][name] for name in ("first_seq", "last_seq")}
        return {"run": run, "cell": place, "state": state, **seqs}

    def must_rest(self) -> None:
        """Raises WrongPhase while a run measures: nobody may touch what it measures."""
        if self._active is None:
            return
        hint = say("Cancel the run, or wait until it has ended.")
        if self._log.at("run", "phase") == "putting_back":
            raise WrongPhase(
                say("Run %(active)s is over, but the lab is still being put back.", active=self._active),
                hint=say("Wait a moment."),
            )
        raise WrongPhase(say("Run %(active)s is measuring this lab.", active=self._active), hint=hint)

    # what the lab asks

    def restore(self, running: bool) -> None:
        """After a restart: a run that was cut off is marked so, and a lab that runs is put back."""
        for found in self._store.all():
            if found["phase"] in ("waiting", "measuring"):
                self._cut_off(found["id"], found["measured"], running)

    def _cut_off(self, run: int, measured: int, running: bool) -> None:
        self._store.end(run, "cut_off", self._stage.mark())
        text = f"Run {run} was cut off: the dashboard ended while it measured. {kept(measured)}"
        self._say("run.cut_off", text, {"run": run}, {"run": _idle(run)}, level="warning")
        before = self._store.before(run)
        if before and running:
            self._active = run
            work = lambda: self._put_back_later(run, before)  # noqa: E731
            self._submit("put_back", work, f"Put the lab back as it was before run {run}.", None)

    def forget(self) -> None:
        """Everything of the workspace is removed."""
        self._active = None
        self._store.clear()

    # the work

    @property
    def _app(self) -> str:
        """What the replicas run."""
        return self._log.at("app") or "circuit"

    def _plan(self, asked: Mapping[str, Any], before: Mapping[str, Any]) -> Plan:
        given = {name: tuple(value) if isinstance(value, list) else value for name, value in asked.items()}
        now = {
            "transports": transports_of(self._app),
            "attempts": APPS[self._app].attempts,
            "replicas": before["replicas"],
            "algorithm": before["affinity"].get("algorithm", "round_robin"),
            "app": self._app,
            "keys": (self._stage.keys(),),
            "engine": self._engine,
        }
        plan = Plan(**(now | given))
        self._must_fit(plan)
        if plan.n > self._settings.max_visitors:
            raise BadRequest(
                say(
                    "n: at most %(max_visitors)s visitors may come.", max_visitors=self._settings.max_visitors
                )
            )
        return plan

    def _must_fit(self, plan: Plan) -> None:
        """Raises BadRequest for what the app does not do, WrongPhase where its page decides otherwise,
        AppUnavailable where its store is missing."""
        for name in plan.transports:
            if name not in transports_of(plan.app):
                raise BadRequest(
                    say("%(app)s does not speak %(name)s.", app=plan.app, name=name),
                    hint=say("Leave it out."),
                )
        for name in plan.situations:
            if name not in (each.name for each in APPS[plan.app].situations):
                raise BadRequest(
                    say("%(name)s is not measured with %(app)s.", app=plan.app, name=name),
                    hint=say("Leave it out, or launch the lab with Blazor."),
                )
        if "store" in plan.keys:
            if "store" not in APPS[plan.app].keys:
                raise BadRequest(
                    say("%(app)s has no shared store.", app=plan.app),
                    hint=say("Leave it out, or launch the lab with Blazor."),
                )
            self._stage.must_have_store()
        page = self._log.at("app_settings") or {}
        if plan.app == "blazor" and (
            page.get("transports", "auto") != "auto" or page.get("skip_negotiation")
        ):
            raise WrongPhase(
                say("Blazor's page names the transport itself, so a run could not compare them."),
                hint=say("Set Blazor's transports to its own choice, with negotiate, then measure."),
            )

    def _work(self, run: int, plan: Plan, by: By) -> None:
        """The job. When the dashboard goes meanwhile, all is left to the next one."""
        with contextlib.suppress(_Closing):
            error = self._measured(run, plan, by)
            self._finish(run, error)
            if isinstance(error, LabError):
                raise error

    def _measured(self, run: int, plan: Plan, by: By) -> LabError | _Cancelled | None:
        """Why it ended early; None when all cells are measured."""
        try:
            self._measure(run, plan, by)
        except _Closing:
            raise
        except _Cancelled as why:
            return why
        except Exception as why:
            return _told(run, why)
        return None

    def _measure(self, run: int, plan: Plan, by: By) -> None:
        cells = plan.cells
        before = self._stage.facts()
        self._store.begin(run, before, self._stage.mark())
        text = f"Run {run} measures {len(cells)} cells with {plan.n} visitors each."
        clock = Clock(plan)
        state = {
            "id": run,
            "phase": "measuring",
            "done": 0,
            "total": len(cells),
            "seconds_left": clock.whole,
        }
        self._say("run.started", text, {"run": run, "plan": plan.as_dict(), "by": by}, {"run": state})
        self._stage.set_up(plan.replicas, plan.algorithm)
        clock.start()
        for place, cell in enumerate(cells):
            self._check()
            asked = asdict(cell)
            now = {"run": {"cell": asked}}
            self._say(
                "run.cell_started", f"Run {run}: {cell.words}.", {"run": run, "place": place} | asked, now
            )
            self._stage.start_with(*cell.stage, before)
            measured, began_with = measure(plan, cell, self._stage)
            self._store.add_cell(run, place, measured, began_with)
            left = clock.left(place + 1)
            done = {"run": {"done": place + 1, "seconds_left": left}}
            data = {"run": run, "place": place, "cell": measured}
            self._say("run.cell_measured", cell_text(run, cell, measured["outcome"]), data, done)

    def _check(self) -> None:
        """Raises what ends the run: somebody cancelled it, or nothing of it is wanted any more."""
        ending = self._ending()
        if ending == "closing":
            raise _Closing
        if ending == "dropped" or self._cancelled.is_set():
            raise _Cancelled

    def _finish(self, run: int, why: LabError | _Cancelled | None) -> None:
        """Put the lab back, then say how the run ended."""
        last = self._stage.mark()
        self._cancelled.clear()
        error = why if isinstance(why, LabError) else None
        if self._ending() is None:
            not_restored = self._put_back(run, self._store.before(run))
            error = error or not_restored
        phase = "failed" if error else "cancelled" if why else "finished"
        self._store.end(run, phase, last, error.as_dict() if error else None)
        measured = (self._store.get(run) or {"measured": 0})["measured"]
        text = f"Run {run} {ENDS[phase]}. {kept(measured)}{f' {error.message}' if error else ''}"
        level = {"failed": "error", "cancelled": "warning"}.get(phase, "info")
        data = {"run": run, "measured": measured} | ({"error": error.as_dict()} if error else {})
        self._active = None
        self._say(f"run.{phase}", text, data, {"run": _idle(run)}, level=level)

    def _put_back(
        self, run: int, before: dict[str, Any] | None, then: Mapping[str, Any] | None = None
    ) -> LabError | None:
        """The error, when the lab could not be put back as it was; `then` changes the state at the end."""
        if before is None:
            return None
        self._say(
            "run.lab_restoring", f"Putting the lab back as it was before run {run}.", {"run": run}, _PUTTING
        )
        try:
            self._stage.put_back(before)
        except _Closing:
            raise
        except _Cancelled:
            return None  # everything is to be removed
        except Exception as why:
            error = _told(run, why)
            text = f"The lab could not be put back as it was before run {run}. {error.message} {error.hint}"
            data = {"run": run, "error": error.as_dict()}
            self._say("run.lab_not_restored", text, data, then or {}, level="error")
            return error
        self._say("run.lab_restored", f"The lab is as it was before run {run}.", {"run": run}, then or {})
        return None

    def _put_back_later(self, run: int, before: dict[str, Any]) -> None:
        """The job after a restart."""
        try:
            with contextlib.suppress(_Closing):
                self._put_back(run, before, {"run": _idle(run)})
        finally:
            self._active = None

    def _say(
        self, kind: str, text: str, data: Mapping[str, Any], patch: Mapping[str, Any], *, level: Any = "info"
    ) -> None:
        self._log.record("run", kind, text, level=level, data=data, patch=patch)


def _told(run: int, why: Exception) -> LabError:
    """What nobody foresaw ends a run like anything else, and stands in the dashboard's own output."""
    if isinstance(why, LabError):
        return why
    _logger.error("run %d failed unexpectedly", run, exc_info=why)
    return Unexpected()


_PUTTING: Mapping[str, Any] = {"run": {"phase": "putting_back", "cell": None, "seconds_left": None}}


def _idle(last: int) -> dict[str, Any]:
    """The state's part `run` when nothing is measured; `last` is the newest run that ended."""
    gone = dict.fromkeys(("id", "done", "total", "seconds_left", "cell"))
    return {"phase": "idle", "last": last} | gone
