"""What is documented of a cell, and whether what was measured differs from it.

Of the circuit app theory says it. Of Blazor Server the two tables of docs/blazor.md do, which were seen in
Chromium with .NET 10.0.12 and three replicas; a test asserts each of their cells. Their words for what a run
measures are in `_BLAZOR`. Where the tables say "404" chance is theory's: a visitor may be lucky, at most as
often as one that sends the fewest messages which its transport needs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.affinity_lab.runs.plan import Cell, Plan
from services.affinity_lab.runs.theory import expected, polls_go_elsewhere
from services.words import say, together

_RARE = 0.0005
"""Of each side: one cell in a thousand is marked although only chance was at work."""


@dataclass(frozen=True)
class Documented:
    """Shares of the visitors as (least, most), the same where there is one number; and who says so."""

    back: tuple[float, float]
    kept: tuple[float, float]
    source: str
    words: str = ""


def documented(plan: Plan, cell: Cell) -> Documented | None:
    """None where nothing is: how least request deals depends on what is open where.

    Nor where those who were away negotiate without affinity: nobody counted the tries that are left.
    """
    if cell.situation == "away" and cell.affinity == "none" and cell.transport != "skip":
        return None
    low, high = _bounds(plan, cell)
    if low is None or high is None:
        return None
    shares = ((low.back, high.back), (low.kept, high.kept))
    if plan.app == "blazor" and (words := _BLAZOR.get(_row(plan, cell))):
        return Documented(*shares, "docs/blazor.md", words)
    return Documented(*shares, say("Theory"))


def differences(plan: Plan, cell: Cell, outcome: Mapping[str, Any]) -> list[str]:
    """One sentence for each figure that chance does not explain; empty where nothing differs.

    Shares of 0 and 1 are certain: one visitor that did otherwise differs. Between them a count differs that
    is outside the central 99.9 % of the binomial distribution of `n`.
    """
    found = documented(plan, cell)
    if found is None or outcome["n"] == 0:
        return []
    sides = (("back", found.back), ("kept", found.kept))
    counts = (outcome["back"], outcome["kept"])
    sentences = [
        _sentence(found, what, *likely(outcome["n"], *shares), count, outcome["n"])
        for (what, shares), count in zip(sides, counts, strict=True)
    ]
    return [sentence for sentence in sentences if sentence]


def likely(n: int, least: float, most: float) -> tuple[int, int]:
    """The counts of n that chance explains, where each visitor's share is between these two.

    >>> likely(20, 1.0, 1.0), likely(20, 0.0, 0.0), likely(60, 1 / 9, 1 / 9)
    ((20, 20), (0, 0), (0, 16))
    """
    low = next(count for count in range(n + 1) if _at_most(count, n, least) > _RARE)
    high = next(count for count in range(n + 1) if 1 - _at_most(count, n, most) <= _RARE)
    return low, high


def _at_most(count: int, n: int, share: float) -> float:
    """How likely `count` of n or fewer are."""
    return math.fsum(
        math.comb(n, each) * share**each * (1 - share) ** (n - each) for each in range(count + 1)
    )


def _bounds(plan: Plan, cell: Cell) -> tuple[Any, Any]:
    """Theory's number twice; where theory cannot count Blazor's messages, the least and the most it can be.

    At least as by WebSockets alone (by long polling: nobody), at most as the circuit app, which sends fewer.
    """
    if plan.app != "blazor" or cell.affinity != "none" or cell.transport in ("WebSockets", "skip"):
        theory = expected(plan, cell)
        return theory, theory
    most = expected(replace(plan, app="circuit"), cell)
    if cell.transport == "auto":
        return expected(plan, replace(cell, transport="WebSockets")), most
    return (replace(most, back=0.0, kept=0.0) if most else None), most


def _sentence(found: Documented, what: str, low: int, high: int, count: int, n: int) -> str:
    if low <= count <= high:
        return ""
    number = "nobody" if high == 0 else "all" if low == n else "some"
    says = _SAYS[what, number](source=found.source, low=low, high=high, count=count, n=n)
    return together(says, found.words and say("It says: %(words)s.", words=found.words))


_SAYS: Mapping[tuple[str, str], Callable[..., str]] = {
    ("back", "nobody"): lambda **values: say(
        "%(source)s has nobody back, measured %(count)s of %(n)s.", **values
    ),
    ("back", "all"): lambda **values: say("%(source)s has all of %(n)s back, measured %(count)s.", **values),
    ("back", "some"): lambda **values: say(
        "%(source)s has %(low)s to %(high)s of %(n)s back, chance included, measured %(count)s.", **values
    ),
    ("kept", "nobody"): lambda **values: say(
        "%(source)s has nobody with memory, measured %(count)s of %(n)s.", **values
    ),
    ("kept", "all"): lambda **values: say(
        "%(source)s has all of %(n)s with memory, measured %(count)s.", **values
    ),
    ("kept", "some"): lambda **values: say(
        "%(source)s has %(low)s to %(high)s of %(n)s with memory, chance included, measured %(count)s.",
        **values,
    ),
}


def _row(plan: Plan, cell: Cell) -> tuple[str, str, str, str]:
    """Where the tables have it: affinity, keys, way to connect, what happens."""
    affinity = "off" if cell.affinity == "none" else "on"
    way = "skip" if cell.transport == "skip" else "negotiate"
    happens = "first" if cell.situation in ("first_connect", "page_reload") else cell.situation
    if polls_go_elsewhere(cell):
        happens = "drain_of_polls"
    if (affinity, happens) != ("on", "drain") and (affinity, way) != ("off", "skip"):
        return affinity, "any", way, happens
    return affinity, cell.keys, way, happens


_ON = {
    "first": say("works"),
    "drop": say("back on the same replica, memory kept"),
    "replica_death": say("another replica, memory lost"),
    "replica_stop": say("another replica, memory lost"),
    "away": say("back on the same replica, memory kept"),
    "drain_of_polls": say("by source IP no poll reaches a replica that drains, memory lost"),
}
_MOVED = {
    "own": say("the browser resumes on another replica, memory lost"),
    "shared": say("the browser resumes on another replica, memory kept"),
}
_MOVED["store"] = _MOVED["shared"]
_WAYS = ("negotiate", "skip")
_BLAZOR = {
    ("off", "any", "negotiate", "first"): say("404, the connection is unknown elsewhere"),
    ("off", "own", "skip", "first"): say("the circuit fails where the page is from elsewhere"),
    **{
        ("off", keys, "skip", what): words
        for keys in ("shared", "store")
        for what, words in {
            "first": _ON["first"],
            "drop": say("another replica does not know the circuit, memory lost"),
            "replica_death": _ON["replica_death"],
            "replica_stop": _ON["replica_stop"],
            "drain": _MOVED[keys],
        }.items()
    },
    ("off", "shared", "skip", "away"): say("another replica does not know the circuit, memory lost"),
    ("off", "store", "skip", "away"): say("each replica finds in the store what expired, memory kept"),
    **{("on", "any", way, what): words for way in _WAYS for what, words in _ON.items()},
    **{("on", keys, way, "drain"): words for way in _WAYS for keys, words in _MOVED.items()},
}
