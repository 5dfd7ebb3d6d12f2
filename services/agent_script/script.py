"""The answer to "which script do I run?": the script, what differs from the default, and what to know."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.agent_script.bash_line import is_of_that_time, pieces
from services.agent_script.detecting_script import detecting_script
from services.agent_script.difference import difference
from services.agent_script.packages import ARTICLE, Package, find_package, rids_of
from services.agent_script.powershell_script import powershell_script
from services.agent_script.registration import ARTICLES_POOL, ARTICLES_URL, Registration, Target
from services.agent_script.warnings import warnings
from services.words import say

_DEFAULT = {"linux": "linux-x64", "osx": "osx-x64", "win": "win-x64"}
"""What a page gives that asks for the system and not for the processor."""


def answer(wanted: Registration) -> dict[str, Any]:
    """Everything the page and scripts ask for; raises NoSuchPackage or BadRequest."""
    package = package_of(wanted)
    commands = commands_of(wanted, package)
    default = find_package(wanted.version, _DEFAULT[package.rid.system], wanted.flavour)
    rows = [] if wanted.detect else difference(commands_of(wanted, default), commands)
    return {
        "script": "".join(commands),
        "commands": [command.rstrip("\n") for command in commands],
        "shell": "powershell" if package.rid.system == "win" else "bash",
        "file": "register-agent.ps1" if package.rid.system == "win" else "register-agent.sh",
        "package": package.file,
        "download": package.address,
        "default": {"rid": default.rid.name, "package": default.file, "portal": is_portals(wanted, package)},
        "articles": is_articles(wanted),
        "diff": rows,
        "why": why(wanted, package, default),
        "warnings": warnings(wanted, package),
        "rids": [rid.name for rid in rids_of(wanted.version, wanted.flavour)],
    }


def package_of(wanted: Registration) -> Package:
    """The package that is asked for; a script that chooses by itself needs the version only."""
    rid = "linux-x64" if wanted.detect else wanted.rid
    return find_package(wanted.version, rid, wanted.flavour)


def commands_of(wanted: Registration, package: Package, folder: str | None = None) -> list[str]:
    """The script in pieces, one command each; joined they are the script."""
    if package.rid.system == "win":
        return powershell_script(wanted, package, folder).splitlines(keepends=True)
    if wanted.detect:
        return detecting_script(wanted, package, folder).splitlines(keepends=True)
    return pieces(wanted, package, folder)


def is_articles(wanted: Registration) -> bool:
    """True for the inputs of the article, for which tests compare every byte."""
    article = Registration(ARTICLE, wanted.rid, ARTICLES_URL, Target("deployment_pool", ARTICLES_POOL))
    return wanted == article and wanted.rid in ("linux-x64", "linux-arm")


def is_portals(wanted: Registration, package: Package) -> bool:
    """True where the portal of the article's time gave the default; for agent pools it gave no script."""
    return package.rid.system != "win" and is_of_that_time(package) and wanted.target.kind != "agent_pool"


def why(wanted: Registration, package: Package, default: Package) -> str:
    """Why it differs from what one gets without being asked for a processor."""
    if wanted.detect:
        return say(
            "It reads uname -m, getconf LONG_BIT, and ldd for musl, and refuses a machine without a package."
        )
    if package == default:
        return say(
            "Nothing differs: without being asked, one gets %(name)s, and that is your processor.",
            name=default.rid.name,
        )
    return say(
        "The registration page asks for the system only, so it cannot know the processor and "
        "gives %(name)s. Your machine needs %(name2)s: %(words)s.",
        name=default.rid.name,
        name2=package.rid.name,
        words=package.rid.words,
    )


def rehearsable(wanted: Registration, package: Package, folder: str, checksum: str) -> str:
    """The script with the lab's address for Microsoft's, and the lab's SHA-256 where one is checked."""
    checksums = {package.rid.name: checksum} if wanted.checksums else {}
    mine = replace(wanted, rid=package.rid.name, checksums=checksums)
    return "".join(commands_of(mine, package, f"{folder}/{wanted.version}"))
