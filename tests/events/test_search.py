"""Lines are found by what the page filters by: together, in any place of a long log, and as a file."""

import itertools
import json
import re
from pathlib import Path
from typing import get_args

import pytest

from services.events.event import Event, Level
from services.events.found import _AT_ONCE, found
from services.events.kinds import KINDS
from services.events.outcomes import OUTCOMES, outcome
from services.events.search import Search, words_of
from services.events.store import Store

COUNT = 2 * _AT_ONCE + 700
KIND = ("connection.negotiated", "connection.refused", "circuit.resumed", "output.line", "page.rejected")


def made(seq):
    visitor, kind = f"visitor-{seq % 90}", KIND[seq % 5]
    level = "warning" if kind in ("connection.refused", "page.rejected") else "info"
    text = f"{visitor} and Connection {seq}"
    data = {"visitor": visitor, "connection": f"W{seq}x", "nothing": "said"}
    return Event(seq, f"2026-11-22T19:{seq // 600:02}:00.000Z", f"replica-{seq % 3}", kind, level, text, data)


EVENTS = [made(seq) for seq in range(41, 41 + COUNT)]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('search')}/events.db")
    store.append("demo", EVENTS, {})
    store.append("other", EVENTS[:50], {})
    yield store
    store.close()


def said(event):
    """What words are looked for in, as it is written down for people."""
    return f"{event.source} {event.kind} {event.text} {event.data['visitor']} {event.data['connection']}"


SEARCHES = {
    "all": (Search(), lambda event: True),
    "a kind": (Search(kinds=("circuit.resumed",)), lambda event: event.kind == "circuit.resumed"),
    "a family": (Search(kinds=("connection.",)), lambda event: event.kind.startswith("connection.")),
    "two sources": (
        Search(sources=("replica-0", "replica-2")),
        lambda event: event.source in ("replica-0", "replica-2"),
    ),
    "a level": (Search(levels=("warning",)), lambda event: event.level == "warning"),
    "outcomes": (
        Search(outcomes=("refused", "elsewhere")),
        lambda event: event.kind in ("connection.refused", "page.rejected"),
    ),
    "a visitor": (Search(visitor="visitor-7"), lambda event: event.data["visitor"] == "visitor-7"),
    "words": (
        Search(words=words_of("CONNECTION visitor-7")),
        lambda event: re.search(r"visitor-7(?!\d)", said(event)),
    ),
    "an id": (Search(words=words_of("w2000x")), lambda event: event.data["connection"] == "W2000x"),
    "odd words": (Search(words=words_of("50% [a*")), lambda event: False),
    "everything together": (
        Search(
            sources=("replica-1",),
            kinds=("connection.",),
            levels=("warning",),
            outcomes=("refused",),
            visitor="visitor-1",
            words=words_of("connection"),
        ),
        lambda event: (
            event.source == "replica-1"
            and event.kind == "connection.refused"
            and event.data["visitor"] == "visitor-1"
        ),
    ),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_finds_what_fits_and_nothing_else_from_both_ends_and_in_pages(store, name):
    search, fits = SEARCHES[name]
    wanted = [event.seq for event in EVENTS if fits(event)]
    assert [event.seq for event in store.find("demo", search, limit=10**6)] == wanted
    middle = 41 + COUNT // 2
    after = [event.seq for event in store.find("demo", search, after=middle, limit=10)]
    assert after == [seq for seq in wanted if seq > middle][:10]
    before = [event.seq for event in store.find("demo", search, before=middle, limit=10)]
    assert before == [seq for seq in wanted if seq < middle][-10:]


@pytest.mark.parametrize("name", SEARCHES)
def test_an_outline_says_where_each_part_of_the_found_lines_begins(store, name):
    search, fits = SEARCHES[name]
    wanted = [event.seq for event in EVENTS if fits(event)]
    outline = store.outline("demo", search, 50)
    assert (outline.first, outline.last, outline.total) == (41, 40 + COUNT, len(wanted))
    assert outline.starts == wanted[::50]
    assert sum(outline.counts["outcome"].values()) == COUNT
    assert outline.counts["source"] == {
        f"replica-{n}": sum(e.source[-1] == str(n) for e in EVENTS) for n in range(3)
    }


def test_a_log_without_lines_has_an_empty_outline(store):
    outline = store.outline("nobody", Search(words=("x",)), 50)
    assert (outline.first, outline.last, outline.total, outline.starts) == (0, 0, 0, [])


def test_a_moment_leads_to_the_first_line_of_it_or_after(store):
    assert store.since("demo", "2026-11-22T19:03:00.000Z") == 1800
    assert store.since("demo", "2026-11-22T19:03:00.001Z") == 2400
    assert store.since("demo", "2020-01-01T00:00:00.000Z") == 41
    assert store.since("demo", "2030-01-01T00:00:00.000Z") is None


def test_the_page_and_the_server_call_every_line_by_the_same_outcome():
    script = (Path(__file__).parents[2] / "static" / "js" / "kinds.js").read_text()
    lists = {
        name: set(re.findall(r'"([a-z_]+\.[a-z_]+)"', body))
        for name, body in re.findall(r"const (\w+) = new Set\(\[(.*?)\]\)", script, re.DOTALL)
    }
    for kind, level in itertools.product(KINDS, get_args(Level)):
        if kind == "page.rejected":
            expected = "elsewhere"
        elif level == "error" or kind in lists["REFUSED"]:
            expected = "refused"
        else:
            expected = "warn" if level == "warning" else "ok" if kind in lists["OK"] else "info"
        assert outcome(kind, level) == expected, (kind, level)
        assert expected in OUTCOMES


def test_a_search_by_kind_or_visitor_uses_the_index_and_not_the_lines(store):
    """A hundred thousand lines are some sixty megabytes; the index is two."""
    with store._engine.connect() as connection:
        for search, index in (
            (Search(kinds=("circuit.resumed",)), "COVERING INDEX events_by_kind"),
            (Search(sources=("replica-1",)), "COVERING INDEX events_by_kind"),
            (Search(outcomes=("refused",)), "COVERING INDEX events_by_kind"),
            (Search(visitor="visitor-7"), "INDEX events_of_a_visitor"),
        ):
            seen = []
            original = connection.scalars
            connection.scalars = lambda query, seen=seen, original=original: (
                seen.append(query) or original(query)
            )
            list(found(connection, "demo", search, 1, 10**6))
            connection.scalars = original
            text = str(seen[0].compile(connection.engine, compile_kwargs={"literal_binds": True}))
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text.replace('%', '%%')}").fetchall()
            assert index in json.dumps([row[3] for row in plan]), plan
