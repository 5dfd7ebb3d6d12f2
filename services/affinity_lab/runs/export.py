"""A run as a table that a spreadsheet opens: one line a cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

FIELDS = (
    *("run", "app", "engine", "asked_at", "phase", "situation", "affinity", "algorithm", "transport"),
    *("keys", "replicas", "attempts", "n", "back", "kept", "lost", "failed", "away", "back_share"),
    *("theory_back_share", "theory_kept_share", "median_s", "p95_s", "slowest_s", "load", "requests"),
    "differs",
)
"""Shares are from 0 to 1 and stand beside their `n`; `load` and `requests` are `replica-1=7 replica-2=6`;
`differs` says where the cell is not as documented."""


def as_csv(run: Mapping[str, Any]) -> str:
    """All cells of the run that were measured, in RFC 4180's form."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(_line(run, cell) for cell in run["cells"])
    return text.getvalue()


def _line(run: Mapping[str, Any], cell: Mapping[str, Any]) -> dict[str, Any]:
    plan, outcome = run["plan"], cell["outcome"]
    theory, seconds = cell["theory"] or {}, outcome["seconds"] or {}
    line = {name: plan[name] for name in ("app", "engine", "algorithm", "replicas", "attempts")}
    line |= {name: cell[name] for name in ("situation", "affinity", "transport", "keys")}
    line |= {name: outcome[name] for name in ("n", "back", "kept", "lost", "failed", "away")}
    return line | {
        "run": run["id"],
        "asked_at": run["asked_at"],
        "phase": run["phase"],
        "back_share": round(outcome["back"] / outcome["n"], 4) if outcome["n"] else None,
        "theory_back_share": theory.get("back"),
        "theory_kept_share": theory.get("kept"),
        "median_s": seconds.get("median"),
        "p95_s": seconds.get("p95"),
        "slowest_s": seconds.get("slowest"),
        "load": _counts(outcome["load"]),
        "requests": _counts(outcome["requests"]),
        "differs": " ".join(cell.get("differs", [])),
    }


def _counts(counts: Mapping[str, int]) -> str:
    return " ".join(f"{name}={count}" for name, count in counts.items())
