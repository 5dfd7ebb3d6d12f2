"""The calls of the Hello-Go lab, with what they take and answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from services.errors import EngineTimeout, EngineUnavailable, NotOnThisEngine, ServiceFailed, WrongPhase
from services.hello_go.choice import HIGHEST_PORT, LONGEST_GREETING, LOWEST_PORT, Base, Flags, Mistake, Stages
from services.hello_go.lab import HelloGo
from services.hello_go.load import MOST, MOST_CALLERS
from services.web.access import asker
from services.web.answers import Answer, JobAccepted
from services.web.calls import Calls
from services.web.schemas import Body
from services.workspaces.workspace import Workspace

calls = Calls()
"""Joined to all calls by services.web.api."""

_OF_ENGINE = (EngineUnavailable, EngineTimeout)


class Choose(Body):
    """What Hello-Go is built from; what is left out stays as it was chosen last."""

    greeting: str | None = Field(
        None, min_length=1, max_length=LONGEST_GREETING, description="What a call gets: one line."
    )
    port: int | None = Field(None, ge=LOWEST_PORT, le=HIGHEST_PORT, description="Where it listens, inside.")
    base: Base | None = Field(None, description="What the runtime image is made on.")
    flags: Flags | None = Field(None, description="For the linker.")
    stages: Stages | None = None
    mistake: Mistake | None = Field(None, description="Left in the Go source, to see what comes of it.")


class Load(Body):
    """A small load."""

    count: int = Field(200, ge=1, le=MOST)
    callers: int = Field(8, ge=1, le=MOST_CALLERS, description="How many call at a time.")


class TryProcessors(Body):
    """Which processors to compile for; all when none is named."""

    platforms: list[Literal["linux/amd64", "linux/arm64", "linux/arm/v7"]] = Field([], max_length=3)


class Sources(Answer):
    """The files that would be built now, and the commands of the buttons."""

    choice: dict[str, Any]
    digest: str
    files: list[dict[str, Any]]
    commands: dict[str, str]


class CancelledBuild(Answer):
    """False when nothing was being built."""

    cancelled: bool


class Called(Answer):
    """What the Hello-Go app said."""

    status: int
    headers: dict[str, str]
    body: str
    ms: float
    command: str


class Images(Answer):
    """What was built: bytes, layers, stand-in or not, what was found inside; and the bases there are."""

    images: list[dict[str, Any]]
    bases: list[dict[str, Any]]


@calls("GET", "/hello-go/sources", Sources)
def hello_go_sources(workspace: Workspace) -> dict[str, Any]:
    """What would be built now: just these files, from just this rendering."""
    return workspace.lab(HelloGo).sources()


@calls("PUT", "/hello-go/choice", Sources, body=Choose, raises=(NotOnThisEngine, *_OF_ENGINE))
def choose_hello_go(workspace: Workspace, body: Choose) -> dict[str, Any]:
    """Choose greeting, port, base, flags, stages; answers the sources that come of it."""
    return workspace.lab(HelloGo).choose(body.given(), by=asker())


@calls("POST", "/hello-go/build", JobAccepted, body=Choose, raises=(NotOnThisEngine, *_OF_ENGINE))
def build_hello_go(workspace: Workspace, body: Choose) -> str:
    """Build the image of Hello-Go, as chosen; the body may choose otherwise."""
    return workspace.lab(HelloGo).build(body.given(), by=asker())


@calls("POST", "/hello-go/cancel", CancelledBuild)
def cancel_hello_go(workspace: Workspace) -> dict[str, bool]:
    """End the build that runs, and those that wait; nothing of them is left."""
    return {"cancelled": workspace.lab(HelloGo).cancel(by=asker())}


@calls("POST", "/hello-go/launch", JobAccepted, body=Choose, raises=(NotOnThisEngine, *_OF_ENGINE))
def launch_hello_go(workspace: Workspace, body: Choose) -> str:
    """Run Hello-Go, building it first when its image is missing or of other sources."""
    return workspace.lab(HelloGo).launch(body.given(), by=asker())


@calls("POST", "/hello-go/stop", JobAccepted)
def stop_hello_go(workspace: Workspace) -> str:
    """Stop and remove Hello-Go; its image stays."""
    return workspace.lab(HelloGo).stop(by=asker())


@calls("POST", "/hello-go/call", Called, raises=(WrongPhase, ServiceFailed, *_OF_ENGINE))
def call_hello_go(workspace: Workspace) -> dict[str, Any]:
    """GET the page of the running Hello-Go once."""
    return workspace.lab(HelloGo).call()


@calls("POST", "/hello-go/load", JobAccepted, body=Load)
def load_hello_go(workspace: Workspace, body: Load) -> str:
    """Call it many times, from a process of its own; the percentiles arrive as an event."""
    return workspace.lab(HelloGo).load(body.count, body.callers, by=asker())


@calls("POST", "/hello-go/compare", JobAccepted, raises=(NotOnThisEngine,))
def compare_hello_go(workspace: Workspace) -> str:
    """Build an image on each base that is here, and the single-stage one; count the files in all."""
    return workspace.lab(HelloGo).compare(by=asker())


@calls("POST", "/hello-go/processors", JobAccepted, body=TryProcessors)
def try_hello_go_on_processors(workspace: Workspace, body: TryProcessors) -> str:
    """Compile it for other processors and try to start each here."""
    return workspace.lab(HelloGo).try_processors(list(body.platforms), by=asker())


@calls("GET", "/hello-go/images", Images, raises=_OF_ENGINE)
def hello_go_images(workspace: Workspace) -> dict[str, Any]:
    """What the builds made: sizes, layers, stand-in or not; and the bases that this machine has."""
    return workspace.lab(HelloGo).images()
