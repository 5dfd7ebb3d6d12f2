"""What an error message or `uname -a` says about the package: the cause and the mend."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.words import say

LONGEST = 20_000
"""Characters of pasted text that are looked at."""


@dataclass(frozen=True)
class Finding:
    """One thing that the text tells."""

    kind: str
    cause: str
    mend: str
    rid: str | None = None


@dataclass(frozen=True)
class _Rule:
    finding: Finding
    pattern: re.Pattern[str]


def _rule(kind: str, pattern: str, cause: str, mend: str) -> _Rule:
    return _Rule(Finding(kind, cause, mend), re.compile(pattern, re.IGNORECASE))


_RULES = (
    _rule(
        "exec_format",
        r"exec format error|cannot execute binary file|bad cpu type",
        say("The program was compiled for another processor: the kernel looked at its header and refused."),
        say(
            "Take the package of your processor. `uname -m` names it: x86_64 → linux-x64, armv7l "
            "→ linux-arm, aarch64 → linux-arm64, or linux-arm when `getconf LONG_BIT` says 32."
        ),
    ),
    _rule(
        "loader_missing",
        r"(agent\.listener|/bin/\S{1,200}):? {0,3}"
        r"(cannot execute: required file not found|no such file or directory|not found)",
        say(
            "The file is there, but the loader that it asks for is not: a glibc program on musl "
            "(Alpine), a musl program on glibc, or a 64-bit program on a 32-bit userland."
        ),
        say(
            "Look at `getconf LONG_BIT` and `ldd --version`. 32 on aarch64 → linux-arm; musl → "
            "linux-musl-x64 or linux-musl-arm64 (from 3.226.3 and 3.239.1 on)."
        ),
    ),
    _rule(
        "illegal_instruction",
        r"illegal instruction",
        say(
            "The processor is of the right family but too old: it lacks an instruction that the "
            "program uses. ARMv6 with an ARMv7 program, for example."
        ),
        say("ARMv6 (Pi Zero, first Pi) has no agent. Use a Pi 2 or later, or another machine."),
    ),
    _rule(
        "segmentation_fault",
        r"segmentation fault|sigsegv|signal 11",
        say(
            "On ARMv6 (Pi Zero, first Pi) the linux-arm agent starts and crashes "
            "(azure-pipelines-agent #2047): .NET needs ARMv7."
        ),
        say(
            "If `uname -m` says armv6l, there is no package: use a Pi 2 or later. On another "
            "machine download the package again; it may be damaged."
        ),
    ),
    _rule(
        "musl",
        r"ld-musl|musl libc|error relocating|libc\.musl",
        say("This system's C library is musl (Alpine); the usual Linux packages are for glibc."),
        say(
            "Take linux-musl-x64 (from 3.226.3) or linux-musl-arm64 (from 3.239.1); there is "
            "none for 32-bit ARM."
        ),
    ),
    _rule(
        "old_glibc",
        r"version [`']?(GLIBC|GLIBCXX|CXXABI)_[\d.]+'? not found",
        say("The processor is right, but the system's C library is older than the program needs."),
        say("Use a newer release of the distribution, or an older line of the agent."),
    ),
    _rule(
        "libicu",
        r"libicu|couldn't find a valid icu package",
        say("The processor is right; a library that .NET needs is missing."),
        say("Run `sudo ./bin/installdependencies.sh` in the agent's folder, then ./config.sh again."),
    ),
    _rule(
        "run_as_root",
        r"must not run with sudo",
        say("config.sh refuses to run as root."),
        say("Run the script as an ordinary user; it asks for sudo only where it installs the service."),
    ),
    _rule(
        "token",
        r"VS30063|http 401|not authorized to access",
        say(
            "The organisation did not accept the token: it is wrong, expired (an environment's "
            "lasts 3 hours) or lacks the scope."
        ),
        say("Make a new token with the scope to manage what you register for, and run the script again."),
    ),
)
_UNAME = re.compile(r"^(Linux|Darwin)\b.*$", re.MULTILINE)
_ARCH = re.compile(
    r"(?<![\w.+-])(x86_64|amd64|aarch64|arm64|armv8l|armv7l|armv6l|i[3-6]86|riscv64|ppc64le|s390x)(?![\w.+-])"
)
_NARROW = re.compile(
    r"^[ \t]*(?:(?:\$ *)?(?:getconf +)?LONG_BIT[^\d\n]{0,20})?32[ \t\r]*$|\barmhf\b|\b32-bit LSB",
    re.MULTILINE,
)


def decode(text: str) -> list[dict[str, Any]]:
    """`{"kind", "cause", "mend", "rid", "line"}` each, the errors first; empty when nothing is known."""
    text = text[:LONGEST]
    found = []
    for rule in _RULES:
        if match := rule.pattern.search(text):
            found.append(_told(rule.finding, _line_at(text, match.start())))
    machine = _of_machine(text)
    return found + ([machine] if machine else [])


def _of_machine(text: str) -> dict[str, Any] | None:
    uname = _UNAME.search(text)
    line = (
        uname[0] if uname else next((one for one in text.splitlines() if _ARCH.fullmatch(one.strip())), None)
    )
    archs = _ARCH.findall(line or "")
    if line is None or not archs:
        return None
    musl = bool(re.search(r"musl|alpine", text, re.IGNORECASE))
    finding = _finding_of(archs[-1], "Darwin" in line, narrow=bool(_NARROW.search(text)), musl=musl)
    return _told(finding, line.strip())


def _finding_of(arch: str, mac: bool, *, narrow: bool, musl: bool) -> Finding:
    if mac:
        rid = "osx-arm64" if arch in ("arm64", "aarch64") else "osx-x64"
        return Finding("machine", say("A Mac with %(arch)s.", arch=arch), say("Take %(rid)s.", rid=rid), rid)
    make = _MAKERS.get({"amd64": "x86_64", "arm64": "aarch64"}.get(arch, arch))
    if make is None:
        return Finding(
            "not_served",
            say("%(arch)s: there is no agent for this processor.", arch=arch),
            say("Use another machine."),
        )
    return make(narrow, musl)


def _intel(narrow: bool, musl: bool) -> Finding:
    rid = "linux-musl-x64" if musl else "linux-x64"
    return Finding(
        "machine",
        say("64-bit Intel or AMD%(with_musl)s.", with_musl=_with_musl(musl)),
        say("Take %(rid)s.", rid=rid),
        rid,
    )


def _arm64(narrow: bool, musl: bool) -> Finding:
    if narrow:
        return Finding(
            "narrow_userland",
            say(
                "A 64-bit kernel with 32-bit programs, as Raspberry Pi OS (32-bit) has on newer "
                "Pis: uname -m says aarch64, but a 64-bit program finds no loader."
            ),
            say("Take linux-arm."),
            "linux-arm",
        )
    rid = "linux-musl-arm64" if musl else "linux-arm64"
    check = (
        ""
        if musl
        else say(
            " If `getconf LONG_BIT` says 32, take linux-arm: the kernel is 64-bit, the programs are not."
        )
    )
    return Finding(
        "machine",
        say("64-bit ARM%(with_musl)s.", with_musl=_with_musl(musl)),
        say("Take %(rid)s.%(check)s", rid=rid, check=check),
        rid,
    )


def _arm(narrow: bool, musl: bool) -> Finding:
    if musl:
        return Finding(
            "not_served", say("32-bit ARM with musl: there is no package."), say("Use a system with glibc.")
        )
    return Finding("machine", say("32-bit ARM, version 7."), say("Take linux-arm."), "linux-arm")


def _armv6(narrow: bool, musl: bool) -> Finding:
    return Finding(
        "armv6",
        say(
            "ARMv6 (Pi Zero, first Pi): the linux-arm package starts there and crashes with a "
            "segmentation fault (#2047)."
        ),
        say("There is no agent for it. Use a Pi 2 or later."),
    )


_MAKERS: dict[str, Callable[[bool, bool], Finding]] = {
    "x86_64": _intel,
    "aarch64": _arm64,
    "armv8l": lambda narrow, musl: _arm64(True, musl),
    "armv7l": _arm,
    "armv6l": _armv6,
}


def _with_musl(musl: bool) -> str:
    return say(" with musl") if musl else ""


def _told(finding: Finding, line: str) -> dict[str, Any]:
    return vars(finding) | {"line": line.strip()[:300]}


def _line_at(text: str, place: int) -> str:
    start = text.rfind("\n", 0, place) + 1
    end = text.find("\n", place)
    return text[start : end if end >= 0 else len(text)]
