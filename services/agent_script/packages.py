"""Which agent package exists for which processor in which version, and where it is downloaded.

From releaseNote.md and assets.json of microsoft/azure-pipelines-agent, every tag up to v5.278.0 (2026-08-12).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from services.errors import BadRequest
from services.words import say

Flavour = Literal["vsts-agent", "pipelines-agent"]
Version = tuple[int, int, int]

OLD_HOST = "https://vstsagentpackage.azureedge.net/agent"
"""Retired (PRs #5167 and #5197); the article's script still names it."""
HOST = "https://download.agent.dev.azure.com/agent"
"""In release notes since 3.255.0 and 4.255.0."""
NEWEST = "5.278.0"
ARTICLE = "2.173.0"
OFFERED = (NEWEST, "4.275.0", "3.258.1", ARTICLE)
_VERSION = re.compile(r"[0-9]{1,4}\.[0-9]{1,5}\.[0-9]{1,5}")
_NEVER: Version = (9999, 0, 0)


class NoSuchPackage(BadRequest):
    """There is no package of that version for that processor."""

    kind = "no_such_package"
    hint = say("Choose another version or another processor.")


@dataclass(frozen=True)
class Rid:
    """One processor and system, as Microsoft names it."""

    name: str
    system: str
    """`linux`, `osx` or `win`."""
    machine: str
    """What `uname -m` says there; Windows has no uname, so its own word."""
    words: str
    spans: tuple[tuple[Version, Version], ...]
    """Versions that have it: from the first up to, not including, the second."""

    @property
    def extension(self) -> str:
        return "zip" if self.system == "win" else "tar.gz"

    @property
    def musl(self) -> bool:
        return "-musl-" in self.name

    @property
    def processor(self) -> str:
        """`x64`, `x86`, `arm` or `arm64`."""
        return self.name.rpartition("-")[2]


def _since(*spans: Version) -> tuple[tuple[Version, Version], ...]:
    """Pairs of first and end; an odd last one has no end."""
    ends = [*spans, _NEVER] if len(spans) % 2 else list(spans)
    return tuple(zip(ends[::2], ends[1::2], strict=True))


_FIRST = (2, 126, 0)
RIDS = {
    rid.name: rid
    for rid in (
        Rid("linux-x64", "linux", "x86_64", say("64-bit Intel and AMD"), _since(_FIRST)),
        Rid("linux-arm", "linux", "armv7l", say("32-bit ARM, such as Raspberry Pi OS"), _since((2, 141, 0))),
        Rid("linux-arm64", "linux", "aarch64", say("64-bit ARM"), _since((2, 166, 1))),
        Rid(
            "linux-musl-x64",
            "linux",
            "x86_64",
            say("64-bit Intel and AMD, musl (Alpine)"),
            _since((3, 226, 3)),
        ),
        Rid("linux-musl-arm64", "linux", "aarch64", say("64-bit ARM, musl (Alpine)"), _since((3, 239, 1))),
        Rid("osx-x64", "osx", "x86_64", say("Mac with Intel"), _since(_FIRST)),
        Rid(
            "osx-arm64",
            "osx",
            "arm64",
            say("Mac with Apple silicon"),
            _since((3, 214, 0), (3, 218, 0), (3, 220, 0)),
        ),
        Rid("win-x64", "win", "AMD64", say("64-bit Windows"), _since(_FIRST)),
        Rid("win-x86", "win", "x86", say("32-bit Windows"), _since((2, 141, 0))),
        Rid(
            "win-arm64",
            "win",
            "ARM64",
            say("Windows on ARM"),
            _since((3, 248, 1), (3, 251, 0), (4, 248, 1), (4, 251, 0), (4, 273, 0), (5, 0, 0), (5, 273, 0)),
        ),
    )
}
_LINES: dict[int, tuple[Version, Version]] = {
    2: (_FIRST, (2, 221, 0)),
    3: ((3, 212, 0), (3, 258, 2)),
    4: ((4, 244, 0), (5, 0, 0)),
    5: ((5, 270, 0), (6, 0, 0)),
}
"""Each line's first version and where it ended; the second is excluded."""


@dataclass(frozen=True)
class Package:
    """One archive to download."""

    version: str
    rid: Rid
    flavour: Flavour = "vsts-agent"

    @property
    def file(self) -> str:
        return f"{self.flavour}-{self.rid.name}-{self.version}.{self.rid.extension}"

    @property
    def folder(self) -> str:
        """Address of the folder that holds it, as the release notes of its version have it."""
        return f"{OLD_HOST if self.on_retired_host else HOST}/{self.version}"

    @property
    def address(self) -> str:
        return f"{self.folder}/{self.file}"

    @property
    def on_retired_host(self) -> bool:
        line, minor, _ = read_version(self.version)
        return line == 2 or minor < 255


def read_version(text: str) -> Version:
    """`5.278.0` as numbers; raises BadRequest."""
    if not _VERSION.fullmatch(text):
        raise BadRequest(
            say("version: %(text)s is no version.", text=repr(text)),
            hint=say("The newest known is %(newest)s.", newest=NEWEST),
        )
    first, second, third = (int(part) for part in text.split("."))
    return first, second, third


def find_package(version: str, rid_name: str, flavour: Flavour = "vsts-agent") -> Package:
    """The package; raises NoSuchPackage with the reason when that version has none for this processor."""
    wanted = read_version(version)
    if rid_name == "rhel.6-x64":
        raise NoSuchPackage(say("rhel.6-x64 is gone: packages for Red Hat 6 ended with 3.225.0."))
    rid = RIDS.get(rid_name)
    if rid is None:
        raise NoSuchPackage(
            say(
                "There is no package %(rid_name)s; there are %(names)s.",
                rid_name=repr(rid_name),
                names=", ".join(RIDS),
            )
        )
    _check_line(wanted, version)
    if not _has(rid, wanted):
        raise NoSuchPackage(
            say(
                "%(version)s has no %(rid_name)s package: %(when)s.",
                version=version,
                rid_name=rid_name,
                when=_when(rid, wanted),
            )
        )
    if flavour == "pipelines-agent" and (rid.musl or wanted < (2, 181, 0)):
        why = say("it is not made for musl") if rid.musl else say("it began with 2.181.0")
        raise NoSuchPackage(
            say(
                "There is no pipelines-agent %(rid_name)s of %(version)s: %(why)s. Use vsts-agent.",
                rid_name=rid_name,
                version=version,
                why=why,
            )
        )
    return Package(version, rid, flavour)


def rids_of(version: str, flavour: Flavour = "vsts-agent") -> list[Rid]:
    """All processors that this version has a package for; raises NoSuchPackage for one that never was."""
    wanted = read_version(version)
    _check_line(wanted, version)
    skips_musl = flavour == "pipelines-agent"
    return [rid for rid in RIDS.values() if _has(rid, wanted) and not (skips_musl and rid.musl)]


def _check_line(wanted: Version, version: str) -> None:
    line = _LINES.get(wanted[0])
    if line is None:
        raise NoSuchPackage(
            say(
                "There is no agent %(version)s: lines are 2, 3, 4 and 5, the newest known is %(newest)s.",
                version=version,
                newest=NEWEST,
            )
        )
    if not line[0] <= wanted < line[1]:
        first = ".".join(map(str, line[0]))
        raise NoSuchPackage(
            say(
                "There is no agent %(version)s: line %(value)s began with %(first)s%(ended)s.",
                version=version,
                value=wanted[0],
                first=first,
                ended=_ended(wanted[0]),
            )
        )


def _ended(line: int) -> str:
    return {2: say(" and ended with 2.220"), 3: say(" and ended with 3.258.1")}.get(line, "")


def _has(rid: Rid, wanted: Version) -> bool:
    return any(first <= wanted < end for first, end in rid.spans)


def _when(rid: Rid, wanted: Version) -> str:
    later = [first for first, _ in rid.spans if first > wanted]
    if later:
        return say("the next version with one is %(names)s", names=".".join(map(str, later[0])))
    return say("newer versions have none")
