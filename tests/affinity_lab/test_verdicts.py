"""What each failure says, and what would have helped, as measured and looked up."""

import pytest

from services.affinity_lab import verdicts

WHAT = ("Cookie affinity", "Source IP", "WebSockets without negotiate", "Trying again", "Shared keys")
OTHERS = [
    (verdicts.connection_unknown("replica-3", "replica-1"), ("cures", "cures", "partly", "no", "no")),
    (verdicts.connection_unknown("replica-3", None), ("cures", "cures", "partly", "no", "no")),
    (verdicts.connection_unknown("replica-3", "replica-3"), ("no", "no", "no", "cures", "no")),
    (verdicts.circuit_unknown("replica-2", "replica-1", "held"), ("cures", "cures", "no", "no", "no")),
    (verdicts.circuit_unknown("replica-2", "replica-1", "killed"), ("no", "no", "no", "no", "no")),
    (verdicts.circuit_unknown("replica-2", "replica-1", "stopped"), ("no", "no", "no", "no", "no")),
    (verdicts.circuit_unknown("replica-1", "replica-1", "expired"), ("no", "no", "no", "no", "no")),
    (verdicts.page_from_elsewhere("replica-2", "replica-1"), ("cures", "cures", "no", "no", "cures")),
    (verdicts.page_from_elsewhere("replica-1", "replica-1"), ("no", "no", "no", "partly", "partly")),
    (verdicts.no_replica(503, None), ("no", "no", "no", "partly", "no")),
]


@pytest.mark.parametrize(("verdict", "outcomes"), OTHERS)
def test_each_failure_says_of_each_remedy_whether_it_helps(verdict, outcomes):
    assert tuple(remedy.what for remedy in verdict.helped) == WHAT
    assert tuple(remedy.outcome for remedy in verdict.helped) == outcomes


@pytest.mark.parametrize("verdict", [verdict for verdict, _ in OTHERS])
def test_reasons_are_short_sentences_for_students(verdict):
    for text in (verdict.title, verdict.reason, *(remedy.why for remedy in verdict.helped)):
        assert text[0].isupper() or text.startswith("replica-")
        assert text.endswith(".") and len(text) <= 180


def test_shared_keys_cure_a_page_from_elsewhere_and_nothing_else():
    cured = {
        verdict.failure
        for verdict, _ in OTHERS
        if verdict.helped[WHAT.index("Shared keys")].outcome == "cures"
    }
    assert cured == {"page_from_elsewhere"}


def test_a_reason_names_who_was_asked_and_who_holds():
    assert verdicts.connection_unknown("replica-3", "replica-1").reason.startswith(
        "replica-3 was asked, but replica-1 holds the connection."
    )
    page = verdicts.page_from_elsewhere("replica-2", "replica-1").reason
    assert "replica-1 made the page" in page and "replica-2 was asked" in page


@pytest.mark.parametrize(("holder", "fate", "said"), [
    ("replica-1", "held", "replica-1 holds it"),
    ("replica-1", "killed", "replica-1 held it and was killed"),
    ("replica-1", "died", "replica-1 held it and died"),
    ("replica-1", "expired", "replica-1 held it and gave it up, because nobody came back in time"),
    ("replica-2", "forgotten", "replica-2 held it itself until it was thrown away on request"),
    (None, "unknown", "no replica is known to hold it"),
])  # fmt: skip
def test_what_became_of_a_memory_is_told(holder, fate, said):
    assert verdicts.where_it_is("replica-2", holder, fate) == said
    assert said in verdicts.circuit_unknown("replica-2", holder, fate).reason
