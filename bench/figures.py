"""Medians, percentiles, ratios and moments of what was measured."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from datetime import datetime


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], percent: float) -> float:
    """By nearest rank: of fewer than a hundred values, the 99th is the largest."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def ratio(ours: float, peer: float) -> str:
    return f"{ours / peer:.2f}×"


def moment(at: str) -> float:
    """An event's `at` as seconds since 1970."""
    return datetime.fromisoformat(at).timestamp()
