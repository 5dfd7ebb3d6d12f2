"""The program inside a package, taken out in memory and never more than a few megabytes of it."""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib

from services.agent_script.binary import NotAProgram
from services.words import say

LISTENER = "bin/Agent.Listener"
LARGEST_HEAD = 1024 * 1024
"""Bytes of a program that are looked at: headers are at its beginning."""
_UNPACKED = 8 * 1024 * 1024
"""Bytes that are unpacked at most; what comes behind is not looked for."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How Microsoft's archives are packed. Other methods have decompressors whose errors are of many kinds."""
_CHUNK = 64 * 1024
_ZIP_ERRORS = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError
)  # fmt: skip


class _Forward(tarfile.TarInfo):
    """An entry of a negative size leads back to itself, for ever (CVE-2025-8194)."""

    def _block(self, count: int) -> int:
        if count < 0:
            raise tarfile.HeaderError("negative size")
        return super()._block(count)  # type: ignore[misc]


def program_in(data: bytes) -> tuple[str | None, bytes]:
    """Path inside the package and the beginning of the program; no path when it is no package.

    A package that was cut off is fine as long as its Agent.Listener is in it. Raises NotAProgram.
    """
    if data.startswith(b"\x1f\x8b"):
        return _in_tar(data)
    if data.startswith(b"PK\x03\x04"):
        return _in_zip(data)
    return None, data[:LARGEST_HEAD]


def _in_tar(data: bytes) -> tuple[str, bytes]:
    unpacked = _gunzip(data)
    try:
        with tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:", tarinfo=_Forward) as tar:
            for member in tar:
                if member.isreg() and _is_listener(member.name):
                    size = min(member.size, LARGEST_HEAD)  # or less: the rest may be cut off
                    return member.name, unpacked[member.offset_data : member.offset_data + size]
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise NotAProgram(
            say(
                "The package is damaged or cut off before %(listener)s: %(error)s.",
                listener=LISTENER,
                error=error,
            )
        ) from error
    raise NotAProgram(
        say("There is no %(listener)s in the part of the package that was looked at.", listener=LISTENER)
    )


def _gunzip(data: bytes) -> bytes:
    """As much as there is; a bomb ends at the limit."""
    unpack, parts, size = zlib.decompressobj(wbits=31), [], 0
    try:
        for start in range(0, len(data), _CHUNK):
            part = unpack.decompress(data[start : start + _CHUNK], _UNPACKED - size)
            parts.append(part)
            size += len(part)
            if size >= _UNPACKED or unpack.eof:
                break
    except zlib.error as error:
        if not parts:
            raise NotAProgram(say("The package cannot be unpacked: %(error)s.", error=error)) from error
    return b"".join(parts)


def _in_zip(data: bytes) -> tuple[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            for entry in file.infolist():
                if _is_listener(entry.filename):
                    if entry.compress_type not in _METHODS:
                        raise NotAProgram(say("The package is packed in a way that no agent package is."))
                    with file.open(entry) as content:
                        return entry.filename, content.read(LARGEST_HEAD)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        OSError,
    ) as error:
        raise NotAProgram(say("The package is damaged or cut off: %(error)s.", error=error)) from error
    raise NotAProgram(say("There is no %(listener)s in this package.", listener=LISTENER))


def _is_listener(name: str) -> bool:
    return name.removeprefix("./") in (LISTENER, f"{LISTENER}.exe")
