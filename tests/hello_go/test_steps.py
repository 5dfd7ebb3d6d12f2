"""The builder's output, read as steps."""

from services.hello_go.steps import Steps

OUTPUT = """Step 1/4 : FROM alpine:3.23 AS base
 ---> 2f6ab3f10c4e
Step 2/4 : EXPOSE 8080
 ---> Using cache
 ---> 91d0e6a2c5f8
Step 3/4 : FROM golang:1.26 AS build
 ---> 91d0e6a2c5f8
Step 4/4 : RUN go build
 ---> Running in 4be1c09a77d2
# hello-go
./hello-go.go:11:2: undefined: fmtt""".splitlines()


def states(*, failed):
    steps, seen = Steps(), {}
    for line in OUTPUT:
        seen |= {step.number: step for step in steps.feed(line)}
    seen |= {step.number: step for step in steps.end(failed=failed)}
    return [(step.stage, step.instruction, step.state) for step in seen.values()]


def test_steps_know_their_stage_and_whether_they_came_from_the_cache():
    assert states(failed=False) == [
        ("base", "FROM alpine:3.23 AS base", "done"),
        ("base", "EXPOSE 8080", "cached"),
        ("build", "FROM golang:1.26 AS build", "done"),
        ("build", "RUN go build", "done"),
    ]


def test_the_step_that_ran_when_the_build_failed_is_the_failed_one():
    assert [state for _, _, state in states(failed=True)] == ["done", "cached", "done", "failed"]


def test_output_that_only_looks_like_a_step_is_none():
    steps = Steps()
    assert steps.feed("echo Step 1/2 : no") == []
    assert steps.end() == []
