"""The calls of the agent-script lab, with what they take and answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from services.agent_script import decoding
from services.agent_script.binary import NotAProgram
from services.agent_script.inspection import inspect_encoded
from services.agent_script.lab import AgentScript
from services.agent_script.packages import NoSuchPackage
from services.agent_script.registration import Registration, Target
from services.agent_script.script import answer
from services.web.answers import Answer, JobAccepted
from services.web.calls import Calls
from services.web.schemas import Body
from services.workspaces.workspace import Workspace

calls = Calls()
"""Joined to all calls by services.web.api."""

LARGEST_FILE = 1_000_000
"""Characters of base64: 750 kB of a program or package, whose header is at its beginning."""
Text = Annotated[str, Field(min_length=1, max_length=256)]
Checksum = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class AgentTarget(Body):
    """Where the agent will be registered."""

    kind: Literal["deployment_pool", "deployment_group", "environment", "agent_pool"]
    name: Text
    project: Text | None = Field(None, description="Needed by deployment_group and environment.")
    tags: list[Text] = Field([], max_length=20)


class AskScript(Body):
    """Everything that a script depends on. There is no field for a token: no script ever holds one."""

    version: str = Field(max_length=20, examples=["5.278.0"])
    rid: str = Field(max_length=40, examples=["linux-arm"])
    url: str = Field(max_length=500, examples=["https://dev.azure.com/torben/"])
    target: AgentTarget
    work: Text = "_work"
    service: bool = True
    agent: Text | None = Field(None, description="The agent's name; left out, the machine's own.")
    detect: bool = Field(False, description="Choose the package on the machine.")
    replace: bool = False
    flavour: Literal["vsts-agent", "pipelines-agent"] = "vsts-agent"
    checksums: dict[str, Checksum] = Field({}, max_length=12, description="SHA-256 by rid.")

    def registration(self) -> Registration:
        """Raises BadRequest for what no script can be made of."""
        target = Target(self.target.kind, self.target.name, self.target.project, tuple(self.target.tags))
        fields = self.model_dump(exclude={"target"})
        return Registration(**fields, target=target)


class AskInspection(Body):
    """A program or a package, or its beginning."""

    name: str = Field("", max_length=300, description="The file's name, for the answer only.")
    data: str = Field(max_length=LARGEST_FILE, description="base64")
    machine: str | None = Field(None, max_length=40, description="Judge for this machine only.")


class AskDecoding(Body):
    """An error message, or the output of `uname -a`."""

    text: str = Field(max_length=decoding.LONGEST)


class Script(Answer):
    """The script, what differs from what one gets without being asked, and what to know."""

    script: str
    commands: list[str]
    shell: Literal["bash", "powershell"]
    file: str
    package: str
    download: str
    diff: list[dict[str, Any]]
    why: str
    warnings: list[dict[str, str]]
    rids: list[str]


class Inspected(Answer):
    """What the header says, and where the program would run."""

    format: str
    machine: str
    bits: int
    interpreter: str | None
    libc: str | None
    hex: str
    fields: list[dict[str, Any]]
    judged: list[dict[str, Any]]


class Decoded(Answer):
    """What the text tells; empty when nothing is known."""

    findings: list[dict[str, Any]]


class CancelAsked(Answer):
    """False when no rehearsal was running."""

    cancelled: bool


@calls("POST", "/api/agent-script", Script, body=AskScript, raises=(NoSuchPackage,))
def agent_script(body: AskScript) -> dict[str, Any]:
    """The registration script for a processor."""
    return answer(body.registration())


@calls("POST", "/api/agent-script/inspect", Inspected, body=AskInspection, raises=(NotAProgram,))
def inspect_program(body: AskInspection) -> dict[str, Any]:
    """Read the header of a program, or of the Agent.Listener in a package; nothing is executed."""
    return inspect_encoded(body.name, body.data, body.machine)


@calls("POST", "/api/agent-script/decode", Decoded, body=AskDecoding)
def decode_error(body: AskDecoding) -> dict[str, Any]:
    """Name the cause and the mend of an error, or the package for a `uname -a`."""
    return {"findings": decoding.decode(body.text)}


@calls("POST", "/agent-script/rehearse", JobAccepted, body=AskScript, raises=(NoSuchPackage,))
def rehearse(workspace: Workspace, body: AskScript) -> str:
    """Run the script in a sandbox, with a package of that processor; it ends by itself."""
    return workspace.lab(AgentScript).rehearse(body.registration())


@calls("POST", "/agent-script/cancel", CancelAsked)
def cancel_rehearsal(workspace: Workspace) -> dict[str, bool]:
    """End the rehearsal that is running."""
    return {"cancelled": workspace.lab(AgentScript).cancel()}
