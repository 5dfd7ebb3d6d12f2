"""Where a measured cell differs from what is documented: exactly where all is certain, else beyond chance."""

import random
from itertools import product

import pytest

from services.affinity_lab.runs.documented import differences, documented, likely
from services.affinity_lab.runs.plan import AFFINITIES, APPS, KEYS, SITUATION_NAMES, Cell, Plan, transports_of

BLAZOR = Plan(app="blazor", transports=transports_of("blazor"), attempts=11)


def told(plan, affinity, transport, situation, n, back, kept=0, keys="own"):
    cell = Cell(affinity, transport, situation, keys)
    return differences(plan, cell, {"n": n, "back": back, "kept": kept})


def test_where_all_is_certain_one_visitor_differs():
    assert told(Plan(), "cookie", "WebSockets", "drop", 20, 20, 20) == []
    assert told(Plan(), "cookie", "WebSockets", "drop", 20, 20, 19) == [
        "Theory has all of 20 with memory, measured 19."
    ]
    [said] = told(Plan(), "source_ip", "ServerSentEvents", "replica_death", 22, 14)
    assert said == "Theory has all of 22 back, measured 14."
    assert told(Plan(), "cookie", "auto", "page_reload", 20, 20, 1) == [
        "Theory has nobody with memory, measured 1 of 20."
    ]


def test_where_chance_rules_its_interval_is_what_n_and_share_give():
    assert told(Plan(), "none", "skip", "first_connect", 60, 14) == []
    [said] = told(Plan(), "none", "skip", "first_connect", 60, 34)
    assert said == "Theory has 9 to 32 of 60 back, chance included, measured 34."
    assert told(Plan(), "none", "LongPolling", "first_connect", 60, 1) == [], "once in a thousand cells"
    assert told(Plan(), "none", "LongPolling", "first_connect", 60, 2) != []
    assert told(Plan(algorithm="least_request"), "none", "auto", "drop", 20, 20) == []
    assert told(Plan(), "none", "auto", "drop", 0, 0) == [], "nobody was there"


@pytest.mark.parametrize(("n", "share"), [(20, 1 / 9), (60, 1 / 3), (200, 0.5)])
def test_of_a_thousand_cells_that_chance_made_hardly_one_differs(n, share):
    low, high = likely(n, share, share)
    dealt = random.Random(7)
    outside = sum(not low <= sum(dealt.random() < share for _ in range(n)) <= high for _ in range(2000))
    assert outside <= 8 and 0 < high - low < n


def test_of_blazor_each_cell_but_those_of_least_request_is_documented_and_the_tables_are_named():
    cells = [(a, t, s) for a in AFFINITIES for t in transports_of("blazor") for s in SITUATION_NAMES]
    for keys in KEYS:
        assert all(documented(BLAZOR, Cell(*cell, keys)) for cell in cells)
    [said] = told(BLAZOR, "none", "LongPolling", "first_connect", 20, 5)
    lucky = "docs/blazor.md has nobody back, measured 5 of 20."
    assert said == f"{lucky} It says: 404, the connection is unknown elsewhere."
    assert told(BLAZOR, "none", "auto", "first_connect", 20, 2) == []
    assert told(BLAZOR, "none", "auto", "first_connect", 20, 20) != []
    assert told(BLAZOR, "none", "skip", "first_connect", 20, 20, keys="shared") == []
    [said] = told(BLAZOR, "none", "skip", "first_connect", 20, 19, keys="shared")
    assert said == "docs/blazor.md has all of 20 back, measured 19. It says: works."
    assert told(BLAZOR, "none", "skip", "drop", 30, 30, 30, "shared") != [], "memory is another replica's"
    assert APPS["blazor"].attempts == 11


def test_of_what_cures_what_each_cell_of_the_second_table_is_named():
    measured = APPS["blazor"].tables
    for keys, affinity, way, situation in product(
        measured["keys"], measured["affinities"], measured["transports"], measured["situations"]
    ):
        found = documented(BLAZOR, Cell(affinity, way, situation, keys))
        # nobody counted the tries that are left after an absence, where each of them may reach anybody
        lucky = affinity == "none" and situation == "away" and way != "skip"
        named = affinity == "cookie" or (way == "skip" and (keys != "own" or situation == "first_connect"))
        assert (found is None) == lucky
        assert not named or (found.source, found.words == "") == ("docs/blazor.md", False)
    for keys, kept in (("own", 0), ("shared", 20), ("store", 20)):
        assert told(BLAZOR, "cookie", "auto", "drain", 20, 20, kept, keys) == []
        [said] = told(BLAZOR, "cookie", "auto", "drain", 20, 20, 20 - kept, keys)
        assert "It says: the browser resumes on another replica, memory" in said
    assert told(BLAZOR, "source_ip", "LongPolling", "drain", 5, 5, 0, "shared") == [], "polls go elsewhere"
    assert told(BLAZOR, "source_ip", "LongPolling", "drain", 5, 5, 5, "shared") != []
    assert told(BLAZOR, "source_ip", "auto", "drain", 5, 5, 5, "shared") == []
    circuit = Plan(keys=("shared",))
    assert told(circuit, "source_ip", "LongPolling", "drain", 3, 3, 3, "shared") == []
    assert told(BLAZOR, "none", "skip", "away", 20, 20, 20, "store") == []
    assert told(BLAZOR, "none", "skip", "away", 20, 20, 20, "shared") != []
