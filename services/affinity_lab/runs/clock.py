"""How long a run still takes: a guess that what its cells took corrects."""

from __future__ import annotations

import time

from services.affinity_lab.runs.plan import Plan, rough_seconds


class Clock:
    """Counts from `start`."""

    def __init__(self, plan: Plan) -> None:
        self._rough = rough_seconds(plan)
        self._begun = time.monotonic()

    @property
    def whole(self) -> int:
        """Seconds for all cells, before anything is known."""
        return round(sum(self._rough))

    def start(self) -> None:
        """The first cell begins."""
        self._begun = time.monotonic()

    def left(self, done: int) -> int:
        """Seconds, once `done` cells are over: a busy machine makes each of them longer by as much."""
        late = (time.monotonic() - self._begun - sum(self._rough[:done])) / done
        return max(1, round(sum(max(0.1, rough + late) for rough in self._rough[done:])))
