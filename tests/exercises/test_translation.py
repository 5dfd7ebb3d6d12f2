"""A translation of an exercise has its words; what is done and checked is the original's."""

import pytest

from services.exercises.exercise import BadExercise
from services.exercises.loader import load, load_all
from services.web.api import calls
from services.web.contract import Contract
from services.web.exercise_files import main
from tests.exercises.test_loader import GOOD

KNOWS = Contract(calls.all).problem
GERMAN = """\
---
title: Ein Test
summary: Des Laders.
aim: Gelesen zu werden.
timing:
  - "0–15 min: alles"
questions:
  - ask: Warum?
    answer: Darum.
---
Die Einleitung.

## Tu es {#do-it}

Etwas *Text*.

```button Zwölf Besucher
```

```question hello_stage
ask: Welche?
```

### Hint

Ein Tipp.

### Solution

Eine Lösung.
"""


def folder_with(tmp_path, german=GERMAN, name="exercise.de.md"):
    folder = tmp_path / "a-test"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "exercise.md").write_text(GOOD)
    (folder / name).write_text(german)
    return folder


def test_a_translation_has_the_words_and_the_originals_calls_and_checks(tmp_path):
    exercise = load(folder_with(tmp_path) / "exercise.md", KNOWS)
    german = exercise.told_in("de")
    assert (german.title, german.language, german.slug) == ("Ein Test", "de", "a-test")
    (step,), (original,) = german.steps, exercise.steps
    assert (step.id, step.title) == ("do-it", "Tu es")
    assert (step.buttons, step.solve, step.reset) == (original.buttons, original.solve, original.reset)
    assert [(one.name, one.arguments) for one in step.checks] == [
        (one.name, one.arguments) for one in original.checks
    ]
    assert [one.question for one in step.checks] == ["", "Welche?"]
    assert [block.text for block in step.blocks if block.kind == "button"] == ["Zwölf Besucher"]
    assert "Ein Tipp." in step.hint and "Eine Lösung." in step.solution


def test_without_a_translation_the_exercise_is_told_as_it_was_written(tmp_path):
    exercise = load(folder_with(tmp_path) / "exercise.md", KNOWS)
    assert exercise.told_in("fr") is exercise and exercise.language == "en"


@pytest.mark.parametrize(
    ("wrong", "right", "says"),
    [
        ("title: Ein Test", "titel: Ein Test", "line 2: 'titel' stands in exercise.md. Leave it out here"),
        ("summary: Des Laders.\n", "", "summary is missing or no text. Write `summary: …`."),
        ("title: Ein Test", "title: Ein Test\nminutes: 20", "line 3: 'minutes' stands in exercise.md."),
        ("{#do-it}", "{#tu-es}", "line 13: here should be the step {#do-it}. The steps of exercise.md are"),
        ("```button Zwölf Besucher\n", "```button Zwölf\nPUT /visitors {}\n", "calls stand in exercise.md."),
        ("```button Zwölf Besucher\n```\n", "", "the step 'do-it' lacks the button 'Twelve visitors'."),
        ("```question hello_stage", "```question hello_size", "here should be the question hello_stage."),
        ("ask: Welche?", "ask: Welche?\nanswer: build", "the question has other fields than ask."),
        ("### Hint", "```check visitors\nconnected: 3\n```\n\n### Hint", "'check' stands in exercise.md."),
        ("### Hint", "```command\nls\n```\n\n### Hint", "here should be no fence more, not a command."),
        ("### Hint", "### Tipp", "there is no part 'Tipp'."),
        ("Eine Lösung.\n", "Eine Lösung.\n\n## Mehr {#mehr}\n", "here should be no step more."),
    ],
)
def test_a_translation_that_differs_names_its_file_line_and_mend(tmp_path, capsys, wrong, right, says):
    assert wrong in GERMAN
    folder = folder_with(tmp_path, GERMAN.replace(wrong, right, 1))
    with pytest.raises(BadExercise) as caught:
        load(folder / "exercise.md", KNOWS)
    assert str(caught.value).startswith(f"{folder / 'exercise.de.md'}, line ")
    assert says in str(caught.value)
    assert main([str(tmp_path)]) == 1 and says in capsys.readouterr().err


def test_a_file_whose_name_says_no_language_is_named(tmp_path):
    with pytest.raises(BadExercise, match=r"its name has no language\. Name it as `exercise\.de\.md`"):
        load(folder_with(tmp_path, name="exercise.german.md") / "exercise.md", KNOWS)


def test_what_ships_is_complete_in_german():
    for one in load_all(KNOWS):
        german = one.told_in("de")
        assert german.language == "de" and german.title != one.title
        assert len(german.timing) == len(one.timing) and len(german.questions) == len(one.questions)
        for step, original in zip(german.steps, one.steps, strict=True):
            assert step.title != original.title and step.hint != original.hint
