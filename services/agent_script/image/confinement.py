"""What a process of Linux can give up by itself: the network, and writing anywhere but in one folder.

In a container both are gone already. `confine` tells what is true afterwards, not what was tried.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import socket
import stat
import struct
from contextlib import suppress
from pathlib import Path

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
"""CLONE_NEWUSER and CLONE_NEWNET of linux/sched.h."""
_SET_NO_NEW_PRIVILEGES = 38
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _UP = 0x8913, 0x8914, 0x1
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PATH_BENEATH = 1
_WRITE_FILE = 1 << 1
_CHANGES = sum(1 << bit for bit in (1, *range(4, 13)))
"""Landlock's rights that change files: write, remove, make (linux/landlock.h, first version)."""
_TRUNCATE = 1 << 14
"""Since its third version."""
_NO_OTHERS = 0b11
"""Since its sixth version: no abstract sockets and no signals of processes outside of the sandbox."""
NOBODY = 65532
"""Whom scripts run as when the dashboard is root; in the container it is the user of the image."""

_PROCESSES = 256
"""All rehearsals on this machine count together, for they are one user."""

_libc = ctypes.CDLL(None, use_errno=True)


def confine(folder: Path) -> dict[str, str]:
    """Give up what can be given up; the facts, in words for the page. Call it before any thread is made."""
    _libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if _networks() != ["lo"]:
        _leave_network()
    locked = _lock_files(folder)
    alone = _networks() == ["lo"]
    return {
        "network": "none but its own loopback"
        if alone
        else "this machine's: the kernel gave it none of its own",
        "files": "writes in its own folder only" if locked else _files_without_lock(),
    }


def user_for(folder: Path, *programs: Path) -> int:
    """Who the script is to be: not root, where somebody else can get at `folder` and the programs."""
    mine = os.getuid()
    if mine != 0:
        return mine
    for place in (folder, folder.parent):
        if stat.S_IMODE(place.stat().st_mode) == 0o700:  # made for this, and for nobody else
            place.chmod(0o711)
    on_the_way = {parent for place in (folder, *programs) for parent in place.resolve().parents}
    return NOBODY if all(parent.stat().st_mode & 0o001 for parent in on_the_way) else mine


def hand_over(folder: Path, user: int) -> None:
    """All of it becomes the user's."""
    if user != os.getuid():
        for entry in (folder, *folder.rglob("*")):
            os.chown(entry, user, user)


def become(user: int) -> None:
    """Be that user for good, with few processes; for a child between fork and exec."""
    if user != os.getuid():
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        resource.setrlimit(resource.RLIMIT_NPROC, (_PROCESSES, _PROCESSES))


def _networks() -> list[str]:
    lines = Path("/proc/net/dev").read_text().splitlines()[2:]
    return sorted(line.partition(":")[0].strip() for line in lines)


def _leave_network() -> None:
    """A network namespace of its own; without root a user namespace comes with it."""
    user, group = os.getuid(), os.getgid()
    kinds = _NEW_NETWORK if user == 0 else _NEW_NETWORK | _NEW_USER
    if _libc.unshare(kinds) != 0:
        return
    if user != 0:
        with suppress(OSError):
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    with suppress(OSError):
        _raise_loopback()


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        asked = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(one, _SIOCGIFFLAGS, asked))[1]
        fcntl.ioctl(one, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _UP))


def _lock_files(folder: Path) -> bool:
    """Landlock: True when no file outside of `folder` can be written, made or removed any more."""
    version = _libc.syscall(_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return False
    changes = _CHANGES | (_TRUNCATE if version >= 3 else 0)
    asked = struct.pack("=3Q", changes, 0, _NO_OTHERS) if version >= 6 else struct.pack("=Q", changes)
    ruleset = _libc.syscall(_CREATE_RULESET, ctypes.c_char_p(asked), len(asked), 0)
    if ruleset < 0:
        return False
    try:
        allowed = [_allow(ruleset, folder, changes), _allow(ruleset, Path("/dev/null"), _WRITE_FILE)]
        return all(allowed) and _libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _allow(ruleset: int, folder: Path, rights: int) -> bool:
    place = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", rights, place)
        return bool(_libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.c_char_p(rule), 0) == 0)
    finally:
        os.close(place)


def _files_without_lock() -> str:
    if not os.access("/", os.W_OK) and os.statvfs("/").f_flag & os.ST_RDONLY:
        return "the root is read-only; it writes in /tmp only"
    return "may write wherever this user may: the kernel has no Landlock"
