"""Content files: what ships is good, and what is wrong names the file, the line and the mend."""

import pytest

from services import serve
from services.exercises.checks import CHECKS
from services.exercises.exercise import BadExercise, Call, Wait
from services.exercises.loader import CONTENT, load, load_all
from services.web.api import calls
from services.web.contract import Contract
from services.web.exercise_files import main
from tests.dashboard import free_port

GOOD = """\
---
title: A test
summary: Of the loader.
order: 1
minutes: 15
lab: /affinity
aim: To be read.
timing:
  - "0–15 min: all of it"
questions:
  - ask: Why?
    answer: Because.
---
The introduction with <b>raw HTML</b> and [a link](javascript:alert(1)).

## Do it {#do-it}

Some *text*.

```button Twelve visitors
PUT /visitors {"count": 12}
TRY POST /replicas/replica-2/start
WAIT visitors {"connected": 12}
```

```check visitors
connected: 12
```

```question hello_stage
ask: Which one?
answer: build
```

### Hint

Look.

### Solution

So.

```solve
PUT /visitors {"count": 12}
```
"""
KNOWS = Contract(calls.all).problem


def file_with(folder, text):
    file = folder / "a-test" / "exercise.md"
    file.parent.mkdir(exist_ok=True, parents=True)
    file.write_text(text)
    return file


def test_a_file_becomes_steps_with_buttons_checks_and_safe_text(tmp_path):
    exercise = load(file_with(tmp_path, GOOD), KNOWS)
    assert "<b>" not in exercise.intro and "&lt;b&gt;" in exercise.intro
    assert 'href="javascript' not in exercise.intro
    (step,) = exercise.steps
    assert (step.id, step.title) == ("do-it", "Do it")
    assert step.buttons == (
        (
            Call("PUT", "/visitors", {"count": 12}),
            Call("POST", "/replicas/replica-2/start", None, optional=True),
            Wait("visitors", {"connected": 12}),
        ),
    )
    assert [use.name for use in step.checks] == ["visitors", "hello_stage"]
    assert step.checks[1].question == "Which one?" and step.checks[1].arguments == {"answer": "build"}
    assert "solve" not in step.solution


@pytest.mark.parametrize(
    ("wrong", "right", "says"),
    [
        ("title: A test", "titel: A test", "line 2: there is no field 'titel'. Known are title"),
        ("minutes: 15", "minutes: soon", "line 5: minutes is 'soon'. Write a whole number"),
        ("lab: /affinity", "lab: /afinity", "line 6: lab is '/afinity'. It is one of /hello-go"),
        ("aim: To be read.", "aim: [", "this is not YAML"),
        ("{#do-it}", "", "line 16: the step 'Do it' has no name. Write `## Title {#name}`"),
        ("/visitors {", "/visitor {", "line 21: there is no call PUT /visitor. GET /api/openapi.json"),
        ("PUT /visitors", "POST /visitors", "line 21: /visitors takes PUT, not POST."),
        ('{"count": 12}', '{"cuont": 12}', "line 21: PUT /visitors: cuont: there is no such field."),
        ('{"count": 12}', "{count: 12}", "line 21: {count: 12} is not JSON"),
        ("WAIT visitors {", "WAIT visitor {", "line 23: there is no check 'visitor'. There are affinity_is"),
        (
            "check visitors\nconnected: 12",
            "check visitors\nconected: 12",
            "line 26: visitors takes connected, not 'conected'.",
        ),
        (
            "check visitors\nconnected: 12",
            "check visitors\nconnected: many",
            "line 26: connected of visitors is a whole number, not 'many'.",
        ),
        (
            "```question hello",
            "```check hello",
            "line 30: hello_stage is no check. Mark the fence ```question",
        ),
        ("ask: Which one?\n", "", "the question is missing. Add a line `ask: …`"),
        ("```button Twelve", "```buton Twelve", "line 20: a fence is marked 'buton'. Marks are button"),
        ("### Hint", "### Hind", "there is no part 'Hind'. Below a step only these"),
        (
            "```solve\nPUT /visitors",
            "```solv\nPUT /visitors",
            "the solution does nothing. Add a fence ```solve",
        ),
        ("---\nThe introduction", "The introduction", "the front matter has no end."),
    ],
)
def test_what_is_wrong_names_the_file_the_line_and_the_mend(tmp_path, wrong, right, says):
    assert wrong in GOOD
    file = file_with(tmp_path, GOOD.replace(wrong, right, 1))
    with pytest.raises(BadExercise) as caught:
        load(file, KNOWS)
    assert str(caught.value).startswith(f"{file}, line ")
    assert says in str(caught.value)


def test_make_exercises_check_names_every_bad_file_and_fails(tmp_path, capsys):
    file_with(tmp_path, GOOD)
    assert main([str(tmp_path)]) == 0
    bad = tmp_path / "another" / "exercise.md"
    bad.parent.mkdir()
    bad.write_text(GOOD.replace("order: 1", "order: first"))
    assert main([str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert f"{bad}, line 4: order is 'first'." in said.err and "1 steps, 15 minutes" in said.out


def test_what_ships_is_complete():
    exercises = load_all(KNOWS)
    assert [one.slug for one in exercises] == [
        "hello-go-in-stages",
        "error-on-reload",
        "when-affinity-is-not-enough",
        "agent-for-your-processor",
    ]
    for one in exercises:
        assert 15 <= one.minutes <= 30 and len(one.steps) >= 5 and len(one.questions) >= 3
    assert sorted(folder.name for folder in CONTENT.iterdir()) == sorted(one.slug for one in exercises)


def test_every_check_is_described_for_who_writes_exercises():
    text = (CONTENT.parents[2] / "docs" / "write-an-exercise.md").read_text()
    for name, check in CHECKS.items():
        assert f"| `{name}`" in text and check.about in text, name
        assert all(f"`{argument}`" in text for argument in check.parameters())


@pytest.mark.local
def test_a_dashboard_does_not_start_with_a_bad_file_and_says_why_in_one_line(tmp_path, monkeypatch, capfd):
    file = file_with(tmp_path / "content", GOOD.replace("WAIT visitors", "WAIT visitor"))
    monkeypatch.setattr(serve, "load_all", lambda knows: load_all(knows, tmp_path / "content"))
    monkeypatch.setenv("LAB_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("LAB_PORT", str(free_port()))
    monkeypatch.setenv("LAB_ENGINE", "local")
    monkeypatch.setattr(serve.os, "umask", lambda mask: mask)
    assert serve.main([]) == 2
    told = capfd.readouterr().err.strip()
    assert told.startswith(f"Labdeck cannot start: {file}, line 23: there is no check 'visitor'.")
    assert "\n" not in told
