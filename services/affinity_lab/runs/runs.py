"""The runs of a workspace: one measures at a time, in the lab's own worker, which then puts the lab back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from services.affinity_lab.asker import By
from services.affinity_lab.balancer import Balancer
from services.affinity_lab.crowd import Crowd
from services.affinity_lab.replicas import Replicas
from services.affinity_lab.runs.export import as_csv
from services.affinity_lab.runs.measure import measure
from services.affinity_lab.runs.plan import APPS, Cell, Plan, offer, rough_seconds
from services.affinity_lab.runs.stage import Stage
from services.affinity_lab.runs.store import RunStore
from services.errors import BadRequest, LabError, NotFound, WrongPhase
from services.workspaces.jobs import Unexpected
from services.workspaces.workspace import Workspace

IDLE: Mapping[str, Any] = {"phase": "idle"}
Submit = Callable[..., str]
"""`submit(name, work, text, by)` of the lab: queue work behind what it does already; the job's id."""


class _Ended(Exception):
    """The run is to end here; `phase` says as what, None when the next dashboard is to see to it."""

    def __init__(self, phase: str | None) -> None:
        self.phase = phase


class Runs:
    """Asked for, measured, cancelled, read; `must_rest` refuses clicks that would spoil a measurement."""

    def __init__(
        self,
        workspace: Workspace,
        replicas: Replicas,
        balancer: Balancer,
        crowd: Crowd,
        submit: Submit,
        ending: Callable[[], str | None],
    ) -> None:
        self._log = workspace.log
        self._settings = workspace.settings
        self._engine = workspace.engine.name
        self._store = RunStore(workspace.store.database, workspace.name)
        self._stage = Stage(workspace, replicas, balancer, crowd, self._check)
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
                f"Run {run} is {_spoken(found['phase'])} already.", hint="There is nothing to cancel."
            )
        self._cancelled.set()
        return {"run": run, "cancelling": True}

    def all(self) -> dict[str, Any]:
        """All runs, the newest first, without their cells; and what can be asked of the next one."""
        return {"runs": self._store.all(), "offer": offer(self._log.at("app") or "circuit")}

    def get(self, run: int) -> dict[str, Any]:
        """One run with its cells, and how its app's situations and columns are called."""
        found = self._store.get(run)
        if found is None:
            raise NotFound(
                f"There is no run {run}.", hint="GET /api/workspaces/demo/runs lists those there are."
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
            hint = f"{len(cells)} cells were measured, numbered from 0."
            raise NotFound(f"Run {run} has no cell {place}.", hint=hint)
        seqs = {name: cells[place][name] for name in ("first_seq", "last_seq")}
        return {"run": run, "cell": place, "state": state, **seqs}

    def must_rest(self) -> None:
        """Raises WrongPhase while a run measures: nobody may touch what it measures."""
        if self._active is None:
            return
        hint = "Cancel the run, or wait until it has ended."
        if self._log.at("run", "phase") == "putting_back":
            raise WrongPhase(
                f"Run {self._active} is over, but the lab is still being put back.", hint="Wait a moment."
            )
        raise WrongPhase(f"Run {self._active} is measuring this lab.", hint=hint)

    # what the lab asks

    def restore(self, running: bool) -> None:
        """After a restart: a run that was cut off is marked so, and a lab that runs is put back."""
        for found in self._store.all():
            if found["phase"] in ("waiting", "measuring"):
                self._cut_off(found["id"], found["measured"], running)

    def _cut_off(self, run: int, measured: int, running: bool) -> None:
        self._store.end(run, "cut_off", self._stage.mark())
        text = f"Run {run} was cut off: the dashboard ended while it measured. {_kept(measured)}"
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

    def _plan(self, asked: Mapping[str, Any], before: Mapping[str, Any]) -> Plan:
        given = {name: tuple(value) if isinstance(value, list) else value for name, value in asked.items()}
        now = {
            "replicas": before["replicas"],
            "algorithm": before["affinity"].get("algorithm", "round_robin"),
            "app": self._log.at("app") or "circuit",
            "shared_keys": bool(self._log.at("page_keys", "shared")),
            "engine": self._engine,
        }
        plan = Plan(**(now | given))
        if plan.n > self._settings.max_visitors:
            raise BadRequest(f"n: at most {self._settings.max_visitors} visitors may come.")
        return plan

    def _work(self, run: int, plan: Plan, by: By) -> None:
        error: LabError | None = None
        phase: str | None = "finished"
        try:
            self._measure(run, plan, by)
        except _Ended as ended:
            phase = ended.phase
        except LabError as failure:
            phase, error = "failed", failure
        except Exception:
            self._finish(run, "failed", Unexpected())
            raise
        if phase:
            self._finish(run, phase, error)
        if error:
            raise error

    def _measure(self, run: int, plan: Plan, by: By) -> None:
        cells = plan.cells
        self._store.begin(run, self._stage.facts(), self._stage.mark())
        text = f"Run {run} measures {len(cells)} cells with {plan.n} visitors each."
        rough = sum(rough_seconds(cell, plan) for cell in cells)
        state = {
            "id": run,
            "phase": "measuring",
            "done": 0,
            "total": len(cells),
            "seconds_left": round(rough),
        }
        self._say("run.started", text, {"run": run, "plan": plan.as_dict(), "by": by}, {"run": state})
        self._stage.set_up(plan.replicas, plan.algorithm)
        clock = _Clock(plan, cells)
        for place, cell in enumerate(cells):
            self._check()
            asked = {"affinity": cell.affinity, "transport": cell.transport, "situation": cell.situation}
            now = {"run": {"cell": asked}}
            self._say(
                "run.cell_started", f"Run {run}: {cell.words}.", {"run": run, "place": place} | asked, now
            )
            measured, began_with = measure(plan, cell, self._stage)
            self._store.add_cell(run, place, measured, began_with)
            left = clock.left(place + 1)
            done = {"run": {"done": place + 1, "seconds_left": left}}
            data = {"run": run, "place": place, "cell": measured}
            self._say("run.cell_measured", _cell_text(run, cell, measured["outcome"]), data, done)

    def _check(self) -> None:
        """Raises _Ended when the run was cancelled, or when nothing of it is wanted any more."""
        ending = self._ending()
        if ending == "closing":
            raise _Ended(None)
        if ending == "dropped" or self._cancelled.is_set():
            raise _Ended("cancelled")

    def _finish(self, run: int, phase: str, error: LabError | None = None) -> None:
        """Put the lab back, then say how the run ended."""
        last = self._stage.mark()
        self._cancelled.clear()
        if self._ending() is None:
            error = self._put_back(run, self._store.before(run)) or error
        phase = "failed" if error else phase
        self._store.end(run, phase, last, error.as_dict() if error else None)
        measured = (self._store.get(run) or {"measured": 0})["measured"]
        text = f"Run {run} {_ENDS[phase]}. {_kept(measured)}{f' {error.message}' if error else ''}"
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
        except LabError as error:
            text = f"The lab could not be put back as it was before run {run}. {error.message} {error.hint}"
            data = {"run": run, "error": error.as_dict()}
            self._say("run.lab_not_restored", text, data, then or {}, level="error")
            return error
        self._say("run.lab_restored", f"The lab is as it was before run {run}.", {"run": run}, then or {})
        return None

    def _put_back_later(self, run: int, before: dict[str, Any]) -> None:
        """The job after a restart."""
        try:
            self._put_back(run, before, {"run": _idle(run)})
        finally:
            self._active = None

    def _say(
        self, kind: str, text: str, data: Mapping[str, Any], patch: Mapping[str, Any], *, level: Any = "info"
    ) -> None:
        self._log.record("run", kind, text, level=level, data=data, patch=patch)


class _Clock:
    """Guesses what is left from what the cells took so far."""

    def __init__(self, plan: Plan, cells: list[Cell]) -> None:
        self._rough = [rough_seconds(cell, plan) for cell in cells]
        self._begun = time.monotonic()

    def left(self, done: int) -> int:
        """Seconds, once `done` cells are over: a busy machine makes each of them longer by as much."""
        late = (time.monotonic() - self._begun - sum(self._rough[:done])) / done
        return max(1, round(sum(max(0.1, rough + late) for rough in self._rough[done:])))


_PUTTING: Mapping[str, Any] = {"run": {"phase": "putting_back", "cell": None, "seconds_left": None}}
_ENDS = {
    "finished": "is finished",
    "cancelled": "was cancelled",
    "failed": "failed",
    "cut_off": "was cut off",
}


def _idle(last: int) -> dict[str, Any]:
    """The state's part `run` when nothing is measured; `last` is the newest run that ended."""
    gone = dict.fromkeys(("id", "done", "total", "seconds_left", "cell"))
    return {"phase": "idle", "last": last} | gone


def _spoken(phase: str) -> str:
    return phase.replace("_", " ")


def _kept(measured: int) -> str:
    if measured == 0:
        return "Nothing was measured."
    return f"{measured} cell{'s were' if measured > 1 else ' was'} measured and kept."


def _cell_text(run: int, cell: Cell, outcome: Mapping[str, Any]) -> str:
    kept = f", {outcome['kept']} with memory" if outcome["kept"] else ""
    return f"Run {run}: {cell.words}: {outcome['back']} of {outcome['n']} back{kept}."
