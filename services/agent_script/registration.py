"""What somebody wants to register: the input of every script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from services.agent_script.packages import Flavour
from services.errors import BadRequest
from services.words import say

ARTICLES_URL = "https://dev.azure.com/torben/"
ARTICLES_POOL = "SandboxDeploy"
"""What the article registers with; the form begins with it."""
Kind = Literal["deployment_pool", "deployment_group", "environment", "agent_pool"]


@dataclass(frozen=True)
class Target:
    """Where the agent will be registered."""

    kind: Kind
    name: str
    project: str | None = None
    """Needed by deployment groups and environments; pools belong to the whole organisation."""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Option:
    """One option of config.sh: `--work _work`; a flag has no value."""

    name: str
    value: str | None = None
    named_by_people: bool = False
    """The portal puts these into double quotes."""

    @property
    def variable(self) -> str:
        """The environment variable that the agent takes instead of the option."""
        return f"VSTS_AGENT_INPUT_{self.name.upper()}"


@dataclass(frozen=True)
class Registration:
    """Everything that a script depends on; it never holds a token."""

    version: str
    rid: str
    url: str
    target: Target
    work: str = "_work"
    service: bool = True
    agent: str | None = None
    """None: the machine's own name."""
    detect: bool = False
    """Choose the package on the machine, not here."""
    replace: bool = False
    flavour: Flavour = "vsts-agent"
    checksums: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 by rid."""

    def __post_init__(self) -> None:
        _check_url(self.url)
        for what, text in self._texts():
            _check_text(what, text)
        if self.detect and self.rid.startswith("win-"):
            raise BadRequest(
                say("detect: a Windows script cannot ask uname."), hint=say("Choose the processor.")
            )
        if self.target.kind in _TAGS and not self.target.project:
            raise BadRequest(
                say("target.project: a %(words)s belongs to a project.", words=_words(self.target.kind)),
                hint=say("Name the project."),
            )
        if self.target.tags and self.target.kind not in _TAGS:
            raise BadRequest(
                say("target.tags: a %(words)s has no tags.", words=_words(self.target.kind)),
                hint=say("Leave the tags out."),
            )

    def _texts(self) -> list[tuple[str, str]]:
        texts = [("target.name", self.target.name), ("work", self.work), ("agent", self.agent or "x")]
        texts += [("target.project", self.target.project or "x")]
        return texts + [("target.tags", tag) for tag in self.target.tags]

    def target_options(self) -> list[Option]:
        """What says where the agent belongs, in the portal's order."""
        flag, name = _FLAGS[self.target.kind]
        options = [Option(flag)] if flag else []
        options.append(Option(name, self.target.name, named_by_people=True))
        if self.target.project and self.target.kind in _TAGS:
            options.append(Option("projectname", self.target.project, named_by_people=True))
        if self.target.tags:
            flag, name = _TAGS[self.target.kind]
            options += [Option(flag), Option(name, ",".join(self.target.tags), named_by_people=True)]
        return options


_FLAGS = {
    "deployment_pool": ("deploymentpool", "deploymentpoolname"),
    "deployment_group": ("deploymentgroup", "deploymentgroupname"),
    "environment": ("environment", "environmentname"),
    "agent_pool": (None, "pool"),
}
_TAGS = {
    "deployment_group": ("adddeploymentgrouptags", "deploymentgrouptags"),
    "environment": ("addvirtualmachineresourcetags", "virtualmachineresourcetags"),
}


def _words(kind: str) -> str:
    return kind.replace("_", " ")


def _check_text(what: str, text: str) -> None:
    if not text or "\0" in text:
        raise BadRequest(
            say("%(what)s is missing, or has a NUL in it.", what=what),
            hint=say("Give it a text of one letter or more."),
        )
    if text.startswith("-") and what != "url":
        why = f"{what} begins with a dash, so config.sh would take it for another option."
        raise BadRequest(why, hint=say("Let it begin with another letter."))
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise BadRequest(
            say("%(what)s has half a Unicode letter in it.", what=what), hint=say("Type it again.")
        )


def _check_url(url: str) -> None:
    """The organisation's address goes into the script and into links, so it must not carry a password."""
    _check_text("url", url)
    try:
        parts = urlsplit(url)
        host, user = parts.hostname, parts.username or parts.password
    except ValueError:
        host, user = None, None
    if parts_are_wrong(url, host):
        raise BadRequest(
            say("url is no address of an organisation."), hint=say("Such as https://dev.azure.com/torben/.")
        )
    if user:
        raise BadRequest(
            say("url has a name or a password in it, and would put it into the script."),
            hint=say("Leave them out: the agent asks for a token, and no script holds one."),
        )


def parts_are_wrong(url: str, host: str | None) -> bool:
    """True for what no organisation's address can be."""
    return not url.startswith(("https://", "http://")) or not host or any(letter <= " " for letter in url)
