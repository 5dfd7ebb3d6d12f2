"""What the events of a run say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.affinity_lab.runs.plan import Cell

ENDS = {
    "finished": "is finished",
    "cancelled": "was cancelled",
    "failed": "failed",
    "cut_off": "was cut off",
}


def spoken(phase: str) -> str:
    """`cut off`."""
    return phase.replace("_", " ")


def kept(measured: int) -> str:
    """What there is of it, in one sentence."""
    if measured == 0:
        return "Nothing was measured."
    return f"{measured} cell{'s were' if measured > 1 else ' was'} measured and kept."


def cell_text(run: int, cell: Cell, outcome: Mapping[str, Any]) -> str:
    """What came of a cell."""
    memory = f", {outcome['kept']} with memory" if outcome["kept"] else ""
    return f"Run {run}: {cell.words}: {outcome['back']} of {outcome['n']} back{memory}."
