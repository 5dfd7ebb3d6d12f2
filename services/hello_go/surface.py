"""What an attacker would find in an image, counted from its own files."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import Any

from services.engines.base import File

_FOLDERS = ("bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin", "usr/local/go/bin")
"""Where a shell looks for commands."""
_SHELLS = ("sh", "bash", "ash", "dash")
_PACKAGE_MANAGERS = ("apk", "apt-get", "dpkg", "rpm", "yum", "dnf", "pip3", "pip")
_COMPILERS = ("go", "gcc", "cc")
_SOURCE = "hello-go.go"


@dataclass
class Surface:
    """Counts, and the first path of each thing that should not be there; None where it is not."""

    files: int = 0
    """Files with content of their own."""
    links: int = 0
    executables: int = 0
    """Files that may be executed."""
    commands: int = 0
    """Names that a shell would find: executable files and links to them."""
    setuid: int = 0
    """Files that run with their owner's rights, whoever starts them."""
    shell: str | None = None
    package_manager: str | None = None
    compiler: str | None = None
    source: str | None = None
    user: str = "root"
    setuid_paths: list[str] = field(default_factory=list)

    def as_patch(self) -> dict[str, Any]:
        return asdict(self)


def whole(kept: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the state kept, with the nulls that a merge patch leaves out; None where nothing was read."""
    return Surface().as_patch() | dict(kept) if kept else None


def survey(files: Iterable[File], user: str) -> Surface:
    """Go over all files once; `user` is the image's, and empty or 0 is root."""
    found = Surface(user=user if user and user.split(":")[0] not in ("0", "root") else "root")
    for one in files:
        _count(found, one)
    return found


def _count(found: Surface, one: File) -> None:
    path = PurePosixPath(one.path)
    executable = one.link is None and bool(one.mode & 0o111)
    if one.link is not None:
        found.links += 1
    else:
        found.files += 1
    found.executables += executable
    if executable and one.mode & stat.S_ISUID:
        found.setuid += 1
        found.setuid_paths = [*found.setuid_paths, f"/{path}"][:20]
    if str(path.parent) in _FOLDERS and (executable or one.link is not None):
        found.commands += 1
        found.shell = found.shell or _named(path, _SHELLS)
        found.package_manager = found.package_manager or _named(path, _PACKAGE_MANAGERS)
        found.compiler = found.compiler or _named(path, _COMPILERS)
    if path.name == _SOURCE:
        found.source = found.source or f"/{path}"


def _named(path: PurePosixPath, names: tuple[str, ...]) -> str | None:
    return f"/{path}" if path.name in names else None
