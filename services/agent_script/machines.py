"""Machines people have, and whether a program would run there."""

from __future__ import annotations

import platform
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from services.agent_script.facts import Facts
from services.agent_script.packages import RIDS
from services.words import say

Outcome = Literal[
    "runs", "translated", "exec_format", "loader_missing", "crashes", "wrong_system", "wrong_processor"
]


@dataclass(frozen=True)
class Machine:
    """One kind of machine, as `uname -m` and the C library tell it."""

    key: str
    uname: str
    words: str
    system: Literal["linux", "osx", "win"]
    runs: tuple[str, ...]
    """Processors whose programs its kernel starts."""
    rid: str | None
    """The package for it; None when there is none."""
    userland: int = 64
    musl: bool = False


MACHINES = {
    one.key: one
    for one in (
        Machine("x86_64", "x86_64", say("Intel and AMD, 64-bit"), "linux", ("x64", "x86"), "linux-x64"),
        Machine("armv7l", "armv7l", say("Pi 2 and later, 32-bit"), "linux", ("arm",), "linux-arm", 32),
        Machine(
            "aarch64",
            "aarch64",
            say("64-bit ARM, such as a Pi 4 or 5"),
            "linux",
            ("arm64", "arm"),
            "linux-arm64",
        ),
        Machine("aarch64-32", "aarch64", say("32-bit userland"), "linux", ("arm64", "arm"), "linux-arm", 32),
        Machine("armv6l", "armv6l", say("Pi Zero, first Pi"), "linux", ("arm",), None, 32),
        Machine(
            "x86_64-musl",
            "x86_64",
            say("musl, such as Alpine"),
            "linux",
            ("x64", "x86"),
            "linux-musl-x64",
            musl=True,
        ),
        Machine(
            "aarch64-musl",
            "aarch64",
            say("musl, such as Alpine"),
            "linux",
            ("arm64", "arm"),
            "linux-musl-arm64",
            musl=True,
        ),
        Machine("mac-x86_64", "x86_64", say("Mac with Intel"), "osx", ("x64",), "osx-x64"),
        Machine("mac-arm64", "arm64", say("Mac with Apple silicon"), "osx", ("arm64", "x64"), "osx-arm64"),
        Machine("win-x64", "AMD64", say("64-bit Windows"), "win", ("x64", "x86"), "win-x64"),
        Machine("win-arm64", "ARM64", say("Windows on ARM"), "win", ("arm64", "x64", "x86"), "win-arm64"),
    )
}
_NATIVE = {
    "x86_64": "x64",
    "aarch64": "arm64",
    "armv7l": "arm",
    "arm64": "arm64",
    "AMD64": "x64",
    "ARM64": "arm64",
}
_WORDS = {
    "runs": say("runs"),
    "translated": say("runs, translated"),
    "exec_format": "Exec format error",
    "loader_missing": say("No such file or directory: its loader is missing"),
    "crashes": say("not served: the agent crashes"),
    "wrong_system": say("is for another system"),
    "wrong_processor": say("is for another processor: This app can't run on your PC"),
}


def this_machine() -> Machine:
    """The machine that the dashboard runs on, which is also the one that rehearses."""
    uname = platform.machine()
    if platform.system() == "Darwin":
        return MACHINES[f"mac-{uname}"]
    musl = any(Path("/lib").glob("ld-musl-*"))
    narrow = struct.calcsize("P") == 4
    key = f"{uname}-32" if narrow and uname == "aarch64" else f"{uname}-musl" if musl else uname
    return MACHINES.get(key) or Machine(uname, uname, "", "linux", (uname,), None, 32 if narrow else 64, musl)


def judge(facts: Facts, machine: Machine) -> Outcome:
    """What the kernel of that machine makes of the program."""
    system = {"ELF": "linux", "Mach-O": "osx", "PE": "win"}[facts.format]
    machines = facts.machines or (facts.machine,)
    if system != machine.system:
        return "exec_format" if machine.system != "win" else "wrong_system"
    if not set(machines) & set(machine.runs):
        return "exec_format" if system != "win" else "wrong_processor"
    if machine.system != "linux":
        return "runs" if _NATIVE.get(machine.uname) in machines else "translated"
    if machine.key == "armv6l":
        return "crashes"
    return "loader_missing" if _lacks_loader(facts, machine) else "runs"


def _lacks_loader(facts: Facts, machine: Machine) -> bool:
    """A userland brings the loader of its own width and C library, and no other."""
    if facts.interpreter is None:
        return False
    return facts.bits != machine.userland or (facts.libc == "musl") != machine.musl


def judged(facts: Facts, chosen: str | None = None) -> list[dict[str, Any]]:
    """Every machine, this one first: its names, `outcome` and, in words for people, `says`."""
    here = this_machine()
    rows = [here, *(one for one in MACHINES.values() if one.key != here.key)]
    if chosen is not None:
        rows = [MACHINES[chosen]]
    return [
        {
            "machine": one.key,
            "uname": one.uname,
            "words": one.words,
            "system": one.system,
            "here": one.key == here.key,
            "outcome": (outcome := judge(facts, one)),
            "says": _WORDS[outcome] + _translator(facts, outcome, here=one.key == here.key),
        }
        for one in rows
    ]


def _translator(facts: Facts, outcome: str, *, here: bool) -> str:
    """An emulator that this kernel was told of (binfmt_misc) starts what the processor cannot."""
    name = {"arm": "qemu-arm", "arm64": "qemu-aarch64", "x64": "qemu-x86_64"}.get(facts.machine)
    registered = (
        here and outcome == "exec_format" and name and Path("/proc/sys/fs/binfmt_misc", name).exists()
    )
    return say(", unless qemu, which is registered here, translates it") if registered else ""


def rid_of_this_machine() -> str | None:
    """The package for the machine that rehearses; None when there is none."""
    rid = this_machine().rid
    return rid if rid in RIDS else None
