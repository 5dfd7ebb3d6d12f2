"""What an image was made from, as one hash: so an image that was carried here is known for what it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

_MADE = {"__pycache__", "bin", "obj"}
"""Folders that Python and .NET make beside sources."""


def digest_of(top: Path, paths: Iterable[str]) -> str:
    """SHA-256 in hex of the files at `paths` below `top`, folders with all that is in them."""
    found = hashlib.sha256()
    for file in sorted(_files(top, paths)):
        content = file.read_bytes()
        found.update(f"{file.relative_to(top).as_posix()} {len(content)}\n".encode() + content)
    return found.hexdigest()


def _files(top: Path, paths: Iterable[str]) -> set[Path]:
    found = {file for path in paths for file in ((top / path), *(top / path).rglob("*"))}
    return {file for file in found if file.is_file() and not _MADE & set(file.parts[len(top.parts) :])}
