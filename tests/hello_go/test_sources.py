"""What is shown is what is built: one rendering of the choice, coloured but not changed."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest

from services.errors import BadRequest
from services.hello_go.choice import BASES, Choice, check_greeting, kept
from services.hello_go.complaints import Complaints
from services.hello_go.highlighting import coloured
from services.hello_go.notes import note
from services.hello_go.platforms import PLATFORMS
from services.hello_go.sources import IMAGE, render
from services.settings import read_settings

SETTINGS = read_settings({})
EVERY = [
    Choice(base=base, flags=flags, stages=stages, mistake=mistake)
    for base, flags, stages, mistake in itertools.product(
        BASES,
        ("-s -w", ""),
        ("multi", "single"),
        ("none", "misspelt", "unused_import", "missing_brace"),
    )
]


def test_what_nobody_changed_is_rendered_as_the_files_in_the_house():
    for name, text in render(Choice(), SETTINGS).files.items():
        assert text == (IMAGE / name).read_text()
    single = render(Choice(stages="single"), SETTINGS)
    assert single.files["Dockerfile"] == (IMAGE / "single/Dockerfile").read_text()


def test_the_rendering_holds_all_that_was_chosen_and_nothing_of_what_it_replaces():
    choice = Choice(greeting='Say "100 %"', port=9000, base="scratch", flags="-w")
    files = render(choice, SETTINGS, PLATFORMS["linux/arm/v7"]).files
    dockerfile, program = files["Dockerfile"], files["hello-go.go"]
    assert "FROM scratch AS base" in dockerfile and "EXPOSE 9000" in dockerfile
    assert 'GOOS=linux GOARCH=arm GOARM=7 go build -trimpath -ldflags "-w"' in dockerfile
    assert "LABEL labdeck.image=hello-go-linux-arm-v7" in dockerfile
    assert r'fmt.Fprint(w, "Say \"100 %\"")' in program and '":9000"' in program
    assert "8080" not in dockerfile + program and "alpine:3.23" not in dockerfile


def test_other_sources_have_another_digest():
    digests = {render(choice, SETTINGS).digest for choice in EVERY}
    single = {choice for choice in EVERY if choice.stages == "single"}
    bases_that_single_ignores = len(single) - len(single) // len(BASES)
    assert len(digests) == len(EVERY) - bases_that_single_ignores


@pytest.mark.parametrize("choice", EVERY[::5], ids=lambda choice: f"{choice.name} {choice.mistake}")
def test_colours_and_notes_change_no_letter(choice):
    for name, text in render(choice, SETTINGS).files.items():
        lines = ["".join(piece for _, piece in line) for line in coloured(name, text)]
        assert lines == text.splitlines()
    program = render(choice, SETTINGS).files["hello-go.go"]
    classes = {kind for line in coloured("hello-go.go", program) for kind, _ in line}
    assert {"k", "s"} <= classes


def test_every_line_of_the_dockerfile_that_does_something_is_explained():
    lines = render(Choice(), SETTINGS).files["Dockerfile"].splitlines()
    silent = [line for line in lines if line and not note("Dockerfile", line)]
    assert silent == ["WORKDIR /build"]
    assert note("hello-go.go", '\t\tfmt.Fprint(w, "Hello-Go")') and not note("hello-go.go", ")")


@pytest.mark.parametrize("greeting", ["", "  ", "two\nlines", "bell\x07", "\u202egnirts", "\ud800"])
def test_a_greeting_that_cannot_be_read_is_refused_with_the_next_move(greeting):
    with pytest.raises(BadRequest) as refused:
        check_greeting(greeting)
    assert "such as Hello-Go" in refused.value.hint


def test_a_state_of_another_version_is_no_choice_that_breaks():
    assert kept({"greeting": "Hi", "colour": "red"}) == Choice(greeting="Hi")
    assert kept(None) == Choice()


def test_gos_complaints_lead_to_their_lines_through_all_colours():
    complaints = Complaints()
    for line in ("\x1b[91m# hello-go", "\x1b[0m\x1b[91m./hello-go.go:12:7: undefined: fmt.Fprnt", "note: x"):
        complaints.feed(line)
    assert complaints.as_patch() == [
        {"file": "hello-go.go", "line": 12, "column": 7, "text": "undefined: fmt.Fprnt"}
    ]


def test_a_load_on_nobody_is_told_as_such():
    top = Path(__file__).parents[2]
    command = [sys.executable, "-m", "services.hello_go.load", "http://127.0.0.1:9", "--count", "3"]
    ran = subprocess.run(command, cwd=top, capture_output=True, text=True, timeout=60)
    found = json.loads(ran.stdout)
    assert (ran.returncode, found["n"], found["failed"], found["p99"]) == (1, 0, 3, None)
