"""The log over HTTP: any part of it, by any mix of filters, and all of it as a file."""

import json

import pytest

EVENTS = "/api/workspaces/demo/events"


@pytest.fixture
def told(dashboard):
    """A dashboard whose log has 1,200 lines more; a seventh of them about visitor-7."""
    for n in range(1200):
        visitor = f"visitor-{n % 7 + 1}"
        kind, level = ("connection.refused", "warning") if n % 3 == 0 else ("connection.routed", "info")
        dashboard.demo.log.record(
            f"replica-{n % 2 + 1}",
            kind,
            f"{visitor} came\nby way {n}",
            level=level,
            data={"visitor": visitor},
        )
    return dashboard


def get(dashboard, path="", **query):
    answer = dashboard.call("GET", EVENTS + path, params=query)
    assert answer.ok, answer.text
    return answer


def test_filters_combine_and_pages_go_both_ways(told):
    query = {"source": "replica-1,replica-2", "outcome": "refused", "visitor": "visitor-7", "q": "WAY came"}
    found = get(told, **query, limit=2000).json()["events"]
    assert len(found) == sum(n % 3 == 0 and n % 7 == 6 for n in range(1200))
    middle = found[len(found) // 2]
    before = get(told, **query, before=middle["seq"], limit=5).json()["events"]
    assert [line["seq"] for line in before] == [
        line["seq"] for line in found[len(found) // 2 - 5 : len(found) // 2]
    ]
    since = get(told, **query, at=middle["at"], limit=2000).json()["events"]
    assert middle["seq"] in [line["seq"] for line in since]
    assert all(line["at"] >= middle["at"] for line in since)
    outline = get(told, "/outline", **query, every=50).json()
    assert outline["total"] == len(found)
    assert outline["starts"] == [line["seq"] for line in found[::50]]
    assert outline["counts"]["kind"]["connection.refused"] == 400


@pytest.mark.parametrize(
    "query",
    [
        {"level": "loud"},
        {"outcome": "ok,"},
        {"at": "yesterday"},
        {"before": 0},
        {"q": "x" * 201},
        {"words": "x"},
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(dashboard, query):
    answer = dashboard.call("GET", EVENTS, params=query)
    assert answer.status_code == 400
    assert next(iter(query)) in answer.json()["error"]["message"]


def test_what_the_filters_show_can_be_taken_away_as_a_file(told):
    everything = get(told, limit=2000).json()["events"]
    answer = get(told, "/download")
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="labdeck-demo-log.jsonl"'
    assert "Content-Length" not in answer.headers, "it is sent while it is read"
    assert [json.loads(line) for line in answer.text.splitlines()] == everything
    text = get(told, "/download", format="text", outcome="refused").text.splitlines()
    assert len(text) == 400
    assert text[0].split("\t")[1:] == [
        "warning",
        "replica-1",
        "connection.refused",
        "visitor-1 came ⏎ by way 0",
    ]


def test_a_file_ends_where_the_log_did_when_it_was_asked_for(told):
    last = told.demo.log.look()[0]
    answer = told.call("GET", EVENTS + "/download", stream=True)
    lines = answer.iter_lines(chunk_size=512)
    first = json.loads(next(lines))
    for _ in range(50):
        told.record("later")
    assert [json.loads(line)["seq"] for line in lines] == list(range(first["seq"] + 1, last + 1))
