"""The call for a visitor's story: as described, strict, and only of visitors that left a line."""

import pydantic
import pytest

from services.web import answers
from tests.web.test_calls import DEMO, refusal


def told(dashboard, kind, source, visitor="visitor-7", **data):
    about = {"visitor": visitor, "replica": source} | data
    return dashboard.demo.log.record(source, kind, "text", data=about).seq


@pytest.fixture
def refused(dashboard):
    """The seq of the lines of a visitor that was refused, and of one that was not."""
    cookie = {
        "name": "n",
        "address": None,
        "replica": None,
        "expires": None,
        "expired": False,
        "ignored": True,
    }
    seqs = [
        told(dashboard, "page.served", "replica-2", cookie=None),
        told(dashboard, "connection.negotiated", "replica-1", connection="AWfXq2-long", cookie=cookie),
        told(dashboard, "connection.refused", "replica-3", connection="AWfXq2-long", holder="replica-1",
             transport="WebSockets", method="GET", status=404, cookie=None),
    ]  # fmt: skip
    told(dashboard, "page.served", "replica-2", "browser-3f2a")
    return seqs


def story(dashboard, visitor="visitor-7", query=""):
    return dashboard.call("GET", f"{DEMO}/visitors/{visitor}/story{query}")


def test_a_story_is_answered_as_it_is_described(dashboard, refused):
    answer = story(dashboard)
    assert answer.status_code == 200
    told_ = pydantic.TypeAdapter(answers.Story).validate_json(answer.content, strict=True)
    assert [step.seq for step in told_.steps] == refused
    assert (told_.outcome, told_.verdict.failure) == ("failed", "connection_unknown")
    assert {"visitor", "steps", "outcome", "verdict", "text"} <= answer.json().keys()
    assert {"seq", "at", "request", "cookie", "asked", "holder", "status", "answer"} <= answer.json()[
        "steps"
    ][0].keys()


def test_before_chooses_the_attempt_that_had_begun_then_and_tells_it_to_its_end(dashboard, refused):
    told(dashboard, "page.served", "replica-3")
    assert len(story(dashboard).json()["steps"]) == 1
    for seq in refused:
        assert len(story(dashboard, query=f"?before={seq + 1}").json()["steps"]) == 3


def test_a_visitor_of_whom_nothing_is_stored_is_404_with_a_hint(dashboard, refused):
    for visitor in ("visitor-8", "visitor-70", "%3Cscript%3E", "visitor-7%27--"):
        assert "Nothing is known" in refusal(story(dashboard, visitor), 404, "not_found")
    refusal(story(dashboard, query=f"?before={refused[0]}"), 404, "not_found")


@pytest.mark.parametrize(
    "query", ["?before=0", "?before=-1", "?before=x", "?before=1e3", "?after=1", "?before=1&before=2"]
)
def test_a_wrong_query_is_400(dashboard, refused, query):
    refusal(story(dashboard, query=query), 400, "bad_request")


def test_a_story_needs_the_token_and_outlives_a_restart(dashboard, refused):
    assert dashboard.call("GET", f"{DEMO}/visitors/visitor-7/story", token=None).status_code == 401
    before = story(dashboard).json()
    dashboard.restart()
    assert story(dashboard).json() == before
