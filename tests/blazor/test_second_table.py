"""Memory that outlives its circuit: each cell of the second table of docs/blazor.md, in a real browser."""

import shutil

import pytest

ENGINE = "local"
pytestmark = [pytest.mark.local, pytest.mark.browser, pytest.mark.blazor, pytest.mark.timeout(240)]
needs_redis = pytest.mark.skipif(
    not shutil.which("redis-server"), reason="no redis-server on this machine (Debian: redis-server)"
)
OWN, SHARED = {"keys": "own"}, {"keys": "shared"}
REDIS = {"keys": "own", "shared_store": True}
"""The store holds the keys as well as what is put aside."""
BRIEF = {"retention_seconds": 2}
SKIP = {"skip_negotiation": True}
WAYS = [
    pytest.param(OWN, id="own keys"),
    pytest.param(SHARED, id="shared keys"),
    pytest.param(REDIS, id="redis", marks=needs_redis),
]


def arrive(visit):
    assert visit.load().settle(), visit.console
    visit.counts(2)
    return visit.holder


def away(lab, visit):
    """Longer gone than the replica waits; the browser comes back by itself."""
    mark = lab.mark()
    visit.context.set_offline(True)
    lab.drop()
    lab.told("circuit.expired", mark)
    visit.context.set_offline(False)


def outcome(lab, visit, mark):
    """`kept` or `lost`, as the page and the log agree, and where."""
    kinds = (
        "circuit.resumed",
        "circuit.restored",
        "circuit.moved",
        "circuit.rejected",
        "circuit.move_refused",
    )

    def known():
        return next(
            (line for line in lab.dashboard.events(mark, kind="circuit.") if line["kind"] in kinds), None
        )

    visit.until(known, 60)
    line = known()
    if line["kind"] == "circuit.move_refused":
        return "lost", line["source"]
    if line["kind"] == "circuit.rejected":
        visit.until(lambda: visit.loads > 1 and visit.lives() and visit.text("count") == "0")
        return "lost", line["source"]
    visit.until(lambda: visit.lives() and visit.holder == line["source"] and visit.text("count") == "2")
    assert visit.loads == 1
    visit.counts(3)
    return "kept", line["source"]


def elsewhere(lab, visit, leave):
    """Leave until the browser comes back to another replica: chance may lead to the old one."""
    for _ in range(8):
        before, mark = arrive(visit), lab.mark()
        leave()
        what, where = outcome(lab, visit, mark)
        if where != before:
            return what
    raise AssertionError("back on the same replica eight times")


@pytest.mark.parametrize("ways", WAYS)
def test_away_longer_than_the_retention_and_back_on_the_same_replica_it_is_kept(lab, visit, ways):
    lab.be("cookie", **ways, **BRIEF, **SKIP)
    before, mark = arrive(visit), lab.mark()
    away(lab, visit)
    assert outcome(lab, visit, mark) == ("kept", before)
    assert lab.told("circuit.restored", mark)[0]["data"]["before"]


@pytest.mark.parametrize(
    ("ways", "expected"),
    [
        pytest.param(SHARED, "lost", id="shared keys"),
        pytest.param(REDIS, "kept", id="redis", marks=needs_redis),
    ],
)
def test_away_longer_and_back_on_another_replica_only_a_shared_store_keeps_it(lab, visit, ways, expected):
    lab.be("none", **ways, **BRIEF, **SKIP)
    assert elsewhere(lab, visit, lambda: away(lab, visit)) == expected


@pytest.mark.parametrize("ways", [pytest.param(REDIS, id="redis", marks=needs_redis)])
def test_back_in_time_on_another_replica_even_a_shared_store_does_not_help(lab, visit, ways):
    """Nothing is put aside before a circuit's time is over."""
    lab.be("none", **ways, **SKIP)
    assert elsewhere(lab, visit, lab.drop) == "lost"


@pytest.mark.parametrize("end", ["kill", "stop"])
@pytest.mark.parametrize("ways", WAYS)
def test_nothing_keeps_the_memory_of_a_replica_that_ends_while_its_visitor_is_connected(
    lab, visit, ways, end
):
    lab.be("cookie", **ways, **SKIP)
    before, mark = arrive(visit), lab.mark()
    lab.dashboard.done(lab.dashboard.post(f"/replicas/{before}/{end}"))
    what, where = outcome(lab, visit, mark)
    assert what == "lost" and where != before


@pytest.mark.parametrize(
    ("ways", "affinity", "moved"),
    [
        pytest.param(OWN, "cookie", 0, id="own keys, cookie"),
        pytest.param(SHARED, "none", 1, id="shared keys, none"),
        pytest.param(SHARED, "cookie", 1, id="shared keys, cookie"),
        pytest.param(REDIS, "none", 1, id="redis, none", marks=needs_redis),
        pytest.param(REDIS, "cookie", 1, id="redis, cookie", marks=needs_redis),
    ],
)
def test_a_drain_moves_the_memory_where_another_replica_can_read_it(lab, visit, ways, affinity, moved):
    lab.be(affinity, **ways, **SKIP)
    before, mark = arrive(visit), lab.mark()
    lab.dashboard.done(lab.dashboard.post(f"/replicas/{before}/drain"))
    what, where = outcome(lab, visit, mark)
    assert (what, where != before) == ("kept" if moved else "lost", True)
    drained = lab.told("replica.drained", mark)[0]["data"]
    # without affinity the goodbye of a page before this one may reach another replica: its memory waits there
    assert (drained["held"] - drained["away"], drained["asked"], drained["moved"]) == (1, 1, moved)
    assert drained["refused"] == 1 - moved
    assert lab.told("replica.stopped", mark)
    name = drained_visitor(lab, mark)
    story = lab.dashboard.get(f"/visitors/{name}/story")
    assert story["verdict"]["failure"] == (None if moved else "memory_unreadable")


def drained_visitor(lab, mark):
    lines = lab.dashboard.events(mark, kind="circuit.")
    return next(line["data"]["visitor"] for line in lines if line["kind"].startswith("circuit.move"))


@pytest.mark.parametrize("ways", [pytest.param(SHARED, id="shared keys")])
def test_who_has_reconnected_once_cannot_be_asked_to_move_and_the_drain_says_so(lab, visit, ways):
    """A fault of .NET 10: its script takes the old loss of connection for a pause."""
    lab.be("cookie", **ways, **SKIP)
    before, mark = arrive(visit), lab.mark()
    lab.drop()
    lab.told("circuit.resumed", mark)
    lab.dashboard.done(lab.dashboard.post(f"/replicas/{before}/drain"))
    drained = lab.told("replica.drained", mark)[0]
    assert (drained["data"]["asked"], drained["data"]["not_asked"]) == (0, 1)
    assert "reconnected before" in drained["text"]
    assert outcome(lab, visit, drained["seq"])[0] == "lost"
