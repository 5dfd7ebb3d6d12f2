"""What a folder of saved images holds: one JSON file, replaced by rename, so that it is always whole."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from services.errors import LabError

NAME = "labdeck-images.json"
_PIECE = 1024 * 1024


class Damaged(LabError):
    """A folder or a file in it is not what `make images-save` wrote."""

    status = 502
    kind = "damaged"
    hint = "Run make images-save again with the same FOLDER: it mends what is not whole and keeps the rest."


@dataclass(frozen=True)
class Saved:
    """One image in a file of its own."""

    part: str
    image: str
    id: str
    file: str
    """Its name in the folder."""
    bytes: int
    sha256: str
    """Of the file."""
    stand_in: bool

    def problem(self, folder: Path) -> str | None:
        """Why the file is not what was written; None when every byte of it is."""
        path = folder / self.file
        if not path.is_file():
            return f"{self.file} ({self.image}) is not there"
        if path.stat().st_size != self.bytes:
            return f"{self.file} ({self.image}) has {path.stat().st_size} bytes instead of {self.bytes}"
        return None if sha256_of(path) == self.sha256 else f"{self.file} ({self.image}) has another checksum"


@dataclass(frozen=True)
class Manifest:
    """All of a folder."""

    platform: str
    complete: bool
    """False until the last image was written."""
    left_out: tuple[str, ...]
    """Images that somebody chose to go without."""
    images: tuple[Saved, ...]

    def with_image(self, saved: Saved) -> Manifest:
        """The same with this one, in place of an older one for the same part."""
        return replace(self, images=(*(one for one in self.images if one.part != saved.part), saved))

    def write(self, folder: Path) -> None:
        """On the disk when this returns, and never half of it."""
        part = folder / f".{NAME}.part"
        with part.open("w") as file:
            json.dump(asdict(self), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / NAME)


def read(folder: Path) -> Manifest | None:
    """None where nothing was saved. Raises Damaged for a manifest that cannot be understood."""
    try:
        found = json.loads((folder / NAME).read_text())
        images = tuple(Saved(**one) for one in found.pop("images"))
        manifest = Manifest(images=images, left_out=tuple(found.pop("left_out")), **found)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Damaged(f"{folder / NAME} cannot be read: {error}") from error
    if strange := next((one.file for one in images if Path(one.file).name != one.file), None):
        raise Damaged(f"{folder / NAME} names {strange!r}, which is not a file of this folder.")
    return manifest


def sha256_of(path: Path) -> str:
    """In hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
