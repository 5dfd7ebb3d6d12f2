"""The calls of exercises, presentations and invitations, with what they take and answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import current_app, request
from pydantic import Field

from services.errors import WrongPhase
from services.exercises.course import Course
from services.web.answers import Answer
from services.web.calls import Calls
from services.web.contract import Contract
from services.web.invitations import Invitation, Invitations, Role, for_this_machine_only, qr_code
from services.web.language import language
from services.web.schemas import Body
from services.workspaces.workspace import Workspace

calls = Calls()
"""Joined to all calls by services.web.api."""

_STEP = "/exercises/<exercise>/steps/<step>"
Word = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=100)]
Text = Annotated[str, Field(max_length=200)]


class AskStep(Body):
    """The student's answers to the step's questions, in their order."""

    answers: list[Text] = Field([], max_length=10)
    reveal: bool = Field(False, description="True: tell the right answers to the step's questions.")


class AskCheck(Body):
    """One check, over the events after `after`."""

    arguments: dict[Annotated[str, Field(max_length=40)], int | bool | Text] = Field({}, max_length=10)
    after: int = Field(0, ge=0, le=2**53)


class Extend(Body):
    """More time."""

    minutes: int = Field(5, ge=1, le=240)


class Present(Body):
    """Which step is on the projector; without any the presentation is over."""

    exercise: Word | None = None
    step: Word | None = None


class Invite(Body):
    """Whom the link lets in."""

    role: Literal["instructor", "follower"] = "follower"


class Seen(Answer):
    """What a check wants, and what it found."""

    name: str
    passed: bool
    expected: str
    seen: str


class StepResult(Answer):
    """All checks of a step at this moment."""

    passed: bool
    checks: list[Seen]


class StepNow(Answer):
    """A step: what may be clicked, what is checked, whether it is done."""

    id: str
    title: str
    since: int | None
    passed: bool
    results: list[Seen]
    buttons: list[list[dict[str, Any]]]
    solve: list[dict[str, Any]]
    reset: list[dict[str, Any]]
    checks: list[dict[str, Any]]


class ExerciseNow(Answer):
    """An exercise with the progress in it; `minutes` includes what was added."""

    slug: str
    begun_at: str | None
    minutes: int
    extra_minutes: int
    open: str | None
    steps: list[StepNow]


class Overview(Answer):
    """Every exercise, in order."""

    exercises: list[dict[str, Any]]


class Presentation(Answer):
    """What is presented, null when nothing is, and how many browsers follow."""

    presented: dict[str, str] | None
    followers: int


class Invited(Answer):
    """A link; `qr` is its picture as a data address, null when only this machine could open it."""

    id: str
    role: str
    made_at: str
    link: str
    qr: str | None


class AllInvited(Answer):
    """The links that still let somebody in."""

    invitations: list[Invited]


@calls("GET", "/exercises", Overview)
def exercises(workspace: Workspace) -> dict[str, Any]:
    """All exercises, and which of their steps are done."""
    return {"exercises": _course().overview(workspace.name, language())}


@calls("GET", "/exercises/<exercise>", ExerciseNow)
def exercise(workspace: Workspace, exercise: str) -> dict[str, Any]:
    """One exercise: its steps, the progress in them, the time."""
    return _course().show(workspace.name, exercise, language())


@calls("DELETE", "/exercises/<exercise>", ExerciseNow)
def forget_exercise(workspace: Workspace, exercise: str) -> dict[str, Any]:
    """Forget the progress in an exercise; the lab stays as it is."""
    return _course().forget(workspace.name, exercise)


@calls("POST", "/exercises/<exercise>/extend", ExerciseNow, body=Extend, raises=(WrongPhase,))
def extend_exercise(workspace: Workspace, exercise: str, body: Extend) -> dict[str, Any]:
    """Add minutes to the exercise's time, which never ends anything."""
    return _course().extend(workspace.name, exercise, body.minutes)


@calls("POST", f"{_STEP}/open", ExerciseNow)
def open_step(workspace: Workspace, exercise: str, step: str) -> dict[str, Any]:
    """Begin a step: what happens from now on counts for it."""
    return _course().open(workspace, exercise, step)


@calls("POST", f"{_STEP}/reset", ExerciseNow)
def reset_step(workspace: Workspace, exercise: str, step: str) -> dict[str, Any]:
    """Begin a step anew; what happened before counts no more."""
    return _course().start_over(workspace, exercise, step)


@calls("POST", f"{_STEP}/check", StepResult, body=AskStep, raises=(WrongPhase,))
def check_step(workspace: Workspace, exercise: str, step: str, body: AskStep) -> dict[str, Any]:
    """Ask all checks of a step. They change nothing in the lab; asking again costs nothing."""
    return _course().check(workspace, exercise, step, body.answers, _reader(workspace), reveal=body.reveal)


@calls("POST", "/checks/<check>", Seen, body=AskCheck)
def ask_check(workspace: Workspace, check: str, body: AskCheck) -> dict[str, Any]:
    """Ask one check by its name."""
    return _course().ask_check(workspace, check, body.arguments, body.after, _reader(workspace))


@calls("GET", "/presentation", Presentation)
def presentation(workspace: Workspace) -> dict[str, Any]:
    """What is on the projector, and how many follow."""
    followers = current_app.extensions["labdeck"].watchers.followers()
    return {"presented": _course().presented(workspace.name), "followers": followers}


@calls("PUT", "/presentation", Presentation, body=Present)
def present_step(workspace: Workspace, body: Present) -> dict[str, Any]:
    """Show a step to all who follow."""
    _course().present(workspace, body.exercise, body.step)
    return presentation(workspace)


@calls("GET", "/invitations", AllInvited)
def invitations(workspace: Workspace) -> dict[str, Any]:
    """The links that still let somebody in; for instructors only."""
    return {"invitations": [_invited(one) for one in _invitations().valid()]}


@calls("POST", "/invitations", Invited, body=Invite)
def invite(workspace: Workspace, body: Invite) -> dict[str, Any]:
    """Make a link that lets somebody in."""
    role: Role = body.role
    return _invited(_invitations().make(role))


@calls("DELETE", "/invitations/<invitation>", AllInvited)
def revoke_invitation(workspace: Workspace, invitation: str) -> dict[str, Any]:
    """Revoke a link: who came by it is out at once."""
    _invitations().revoke(invitation)
    return invitations(workspace)


def _course() -> Course:
    course: Course = current_app.extensions["labdeck"].course
    return course


def _invitations() -> Invitations:
    found: Invitations = current_app.extensions["labdeck"].access.invitations
    return found


def _reader(workspace: Workspace) -> Any:
    contract: Contract = current_app.extensions["labdeck"].contract
    return contract.reader(workspace)


def _invited(one: Invitation) -> dict[str, Any]:
    settings = current_app.extensions["labdeck"].settings
    link = _invitations().link(one, request.host_url)
    qr = None if for_this_machine_only(settings) else qr_code(link)
    return {"id": one.id, "role": one.role, "made_at": one.made_at, "link": link, "qr": qr}
