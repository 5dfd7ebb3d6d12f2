"""The lab's own agent packages: Microsoft's layout, our scripts, and a program of the chosen processor."""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

from services.agent_script.packages import Rid
from services.engines.base import Recipe
from services.settings import Settings

HERE = Path(__file__).parent / "image"
LISTENER = HERE / "listener"
SCRIPTS = HERE / "package"
_PROGRAMS = ("Dockerfile", "rehearse.py", "confinement.py")
_STRIPPED = "-s -w"

# A program that is position-independent asks for a loader, as Microsoft's does; Go names glibc's unless told.
_TARGETS: dict[str, dict[str, str]] = {
    "linux-x64": {"GOOS": "linux", "GOARCH": "amd64", "BUILDMODE": "pie"},
    "linux-arm": {"GOOS": "linux", "GOARCH": "arm", "GOARM": "7"},
    "linux-arm64": {"GOOS": "linux", "GOARCH": "arm64", "BUILDMODE": "pie"},
    "linux-musl-x64": {
        "GOOS": "linux",
        "GOARCH": "amd64",
        "BUILDMODE": "pie",
        "LDFLAGS": f"{_STRIPPED} -I /lib/ld-musl-x86_64.so.1",
    },
    "linux-musl-arm64": {
        "GOOS": "linux",
        "GOARCH": "arm64",
        "BUILDMODE": "pie",
        "LDFLAGS": f"{_STRIPPED} -I /lib/ld-musl-aarch64.so.1",
    },
    "osx-x64": {"GOOS": "darwin", "GOARCH": "amd64"},
    "osx-arm64": {"GOOS": "darwin", "GOARCH": "arm64"},
}
REHEARSED = tuple(_TARGETS)
"""Processors whose packages the lab makes; Windows' scripts need a Windows to run on."""


@dataclass(frozen=True)
class LabPackage:
    """A package that was made."""

    content: bytes
    listener: bytes

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def listener_recipe(rid: Rid, settings: Settings) -> Recipe:
    """How the program of that processor is compiled."""
    name = f"agent-listener-{rid.name}"
    bases = {"GOLANG": settings.image_golang, "RUNTIME": settings.image_runtime, "NAME": name}
    return Recipe(name, LISTENER, "go", arguments=bases | _TARGETS[rid.name])


def sandbox_recipe(rid: Rid, settings: Settings, folder: Path) -> Recipe:
    """Where scripts run; `folder` was filled by `fill`."""
    name = f"rehearsal-{rid.name}"
    return Recipe(name, folder, "python", arguments={"PYTHON": settings.image_python, "NAME": name})


def pack(listener: bytes) -> LabPackage:
    """The same bytes for the same program, so that an image made of them is found in the cache."""
    unpacked = io.BytesIO()
    with tarfile.open(fileobj=unpacked, mode="w") as tar:
        _add(tar, "bin/Agent.Listener", listener)
        for script in sorted(SCRIPTS.glob("*.sh")):
            _add(tar, script.name, script.read_bytes())
    return LabPackage(gzip.compress(unpacked.getvalue(), mtime=0), listener)


def fill(folder: Path, package: LabPackage) -> None:
    """Put everything that the sandbox needs into a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _PROGRAMS:
        shutil.copyfile(HERE / name, folder / name)
    (folder / "package.tar.gz").write_bytes(package.content)
    for file in folder.iterdir():
        file.chmod(0o644)  # whatever the umask: inside an image it is read by another user


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o755
    tar.addfile(entry, io.BytesIO(content))
