"""One cell measured: the stage is set, what is to happen happens, and everybody's outcome is waited for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from services.affinity_lab.runs.documented import differences
from services.affinity_lab.runs.outcome import Came, Watch, outcome
from services.affinity_lab.runs.plan import Cell, Plan
from services.affinity_lab.runs.stage import Stage
from services.affinity_lab.runs.theory import TRIES_ONLINE, expected
from services.errors import ServiceFailed
from services.words import say

_PATIENCE_SECONDS = 15.0
_EACH_SECONDS = 0.1
"""More patience for each visitor: a small machine may be busy with two hundred."""


def measure(plan: Plan, cell: Cell, stage: Stage) -> tuple[dict[str, Any], dict[str, Any]]:
    """The cell with its outcome, what theory expects, what differs, its part of the log; and its first state.

    Nobody is there before and after it. Only when all have left, the balancer has told of all their requests.
    """
    begun, state = stage.look()
    watch = _MEASURES[cell.situation](plan, cell, stage)
    ended = stage.mark()
    stage.empty()
    for events in stage.read_on(watch.read, 0):
        watch.take(events)
    theory, came = expected(plan, cell), outcome(watch, stage.names()).as_dict()
    measured = {
        "affinity": cell.affinity,
        "transport": cell.transport,
        "situation": cell.situation,
        "keys": cell.keys,
        "outcome": came,
        "theory": theory.as_dict() if theory else None,
        "differs": differences(plan, cell, came),
        "first_seq": begun + 1,
        "last_seq": ended,
    }
    return measured, state


def _first_connect(plan: Plan, cell: Cell, stage: Stage) -> Watch:
    stage.set_affinity(cell.affinity)
    mark = stage.mark()
    stage.send(plan.n, plan.column(cell.transport).crowd)
    return _watched(plan, stage, mark, _all(plan))


def _drop(plan: Plan, cell: Cell, stage: Stage) -> Watch:
    return _happens(plan, cell, stage, stage.drop)


def _page_reload(plan: Plan, cell: Cell, stage: Stage) -> Watch:
    return _happens(plan, cell, stage, stage.reload)


def _replica_death(plan: Plan, cell: Cell, stage: Stage) -> Watch:
    return _ends(plan, cell, stage, stage.kill)


def _replica_stop(plan: Plan, cell: Cell, stage: Stage) -> Watch:
    return _ends(plan, cell, stage, stage.stop)


def _drain(plan: Plan, cell: Cell, stage: Stage) -> Watch:
    return _ends(plan, cell, stage, stage.drain)


def _ends(plan: Plan, cell: Cell, stage: Stage, end: Callable[[str], None]) -> Watch:
    """The replica that holds most ends; only its own visitors are counted."""
    homes = _peopled(plan, cell, stage)
    counts = Counter(came.replica for came in homes.values())
    victim = max(stage.names(), key=lambda name: counts[name])
    mark = stage.mark()
    end(victim)
    theirs = [visitor for visitor, came in homes.items() if came.replica == victim]
    watch = _watched(plan, stage, mark, theirs)
    stage.revive(victim)
    return watch


def _away(plan: Plan, cell: Cell, stage: Stage) -> Watch:
    """Of the tries only those count that are made once there is a network again."""
    everybody = list(_peopled(plan, cell, stage))
    mark = stage.mark()
    stage.go_away(everybody)
    told = (event for events in stage.read_on(mark, 0) for event in events)
    tries = [event.data["attempt"] for event in told if event.kind == "visitor.reconnecting"]
    return _watched(plan, stage, mark, everybody, max(tries, default=1) + TRIES_ONLINE)


def _happens(plan: Plan, cell: Cell, stage: Stage, happen: Callable[[], object]) -> Watch:
    everybody = list(_peopled(plan, cell, stage))
    mark = stage.mark()
    happen()
    return _watched(plan, stage, mark, everybody)


def _peopled(plan: Plan, cell: Cell, stage: Stage) -> dict[str, Came]:
    """All connected, with memory, and the cell's affinity on; who could not connect is not measured.

    Without affinity hardly anybody would get in. So they come with a cookie, and then affinity is turned off:
    what keeps nobody from then on is measured on people who had a memory to lose.
    """
    stage.set_affinity("cookie" if cell.affinity == "none" else cell.affinity)
    mark = stage.mark()
    stage.send(plan.n, plan.column(cell.transport).crowd)
    came = _watched(plan, stage, mark, _all(plan)).came
    connected = {visitor: each for visitor, each in came.items() if each.replica}
    if not connected:
        raise ServiceFailed(
            say("Nobody could connect before %(words)s was to be measured.", words=cell.words)
        )
    if cell.affinity == "none":
        stage.set_affinity("none")
    return connected


def _watched(
    plan: Plan, stage: Stage, mark: int, visitors: Sequence[str], attempts: int | None = None
) -> Watch:
    watch = Watch(frozenset(visitors), attempts or plan.attempts)
    patience = _PATIENCE_SECONDS + plan.n * _EACH_SECONDS + plan.waits
    for events in stage.read_on(mark, patience):
        watch.take(events)
        if watch.done:
            break
    watch.close()
    return watch


def _all(plan: Plan) -> list[str]:
    return [f"visitor-{number}" for number in range(1, plan.n + 1)]


_MEASURES: dict[str, Callable[[Plan, Cell, Stage], Watch]] = {
    "first_connect": _first_connect,
    "drop": _drop,
    "replica_death": _replica_death,
    "replica_stop": _replica_stop,
    "drain": _drain,
    "page_reload": _page_reload,
    "away": _away,
}
