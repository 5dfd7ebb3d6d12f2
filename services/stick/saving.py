"""Puts the labs' images into a folder: fetched or built first, one file each, written by rename."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from services.engines.base import Image, Report
from services.engines.docker_carried import Carrier
from services.errors import BadRequest, LabError
from services.stick import manifest
from services.stick.manifest import Manifest, Saved
from services.stick.wanted import Wanted

_ROOM_BESIDE = 8 * 1024 * 1024
"""Bytes for what a file is more than its image, and for the manifest."""


class ImagesMissing(LabError):
    """Some of the images cannot be had here; nothing was written."""

    status = 502
    kind = "images_missing"


class NoSpace(LabError):
    """The folder's disk is too small."""

    status = 507
    kind = "no_space"
    hint = "Free some space or name a folder on a larger disk: FOLDER=…. What is saved already is kept."


def save(
    carrier: Carrier,
    wanted: Sequence[Wanted],
    folder: Path,
    report: Report,
    *,
    without: Collection[str] = (),
    free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
) -> Manifest:
    """Save all that is wanted and not left out; what is in the folder already and whole is not written again.

    Raises ImagesMissing, NoSpace, EngineUnavailable.
    """
    _check_names(wanted, without)
    platform = carrier.platform()
    images = _gathered(carrier, [one for one in wanted if one.part not in without], report)
    folder.mkdir(parents=True, exist_ok=True)
    before = manifest.read(folder)
    kept = _still_good(folder, before, images, platform)
    _check_room(folder, [image for one, image in images if one.part not in kept], free)
    left_out = tuple(one.image for one in wanted if one.part in without)
    done = Manifest(platform, False, left_out, tuple(kept.values()))
    for one, image in images:
        if one.part in kept:
            report(f"{one.image}: in {kept[one.part].file} already, and whole")
            continue
        done = done.with_image(_saved(carrier, one, image, folder))
        done.write(folder)
        note = ", a stand-in" if image.stand_in else ""
        report(f"{one.image}: {megabytes(done.images[-1].bytes)} in {done.images[-1].file}{note}")
    done = replace(done, complete=True)
    done.write(folder)
    _sweep(folder, before, done)
    return done


def megabytes(count: int) -> str:
    """For people."""
    return f"{count / 1e6:.1f} MB"


def _check_names(wanted: Sequence[Wanted], without: Collection[str]) -> None:
    parts = [one.part for one in wanted]
    if unknown := sorted(set(without) - set(parts)):
        raise BadRequest(
            f"WITHOUT names {', '.join(unknown)}, which is none of the images.",
            hint=f"It takes, with commas between them: {', '.join(parts)}.",
        )


def _gathered(carrier: Carrier, wanted: Iterable[Wanted], report: Report) -> list[tuple[Wanted, Image]]:
    """Each with the image as it is here now; all are tried before it is said which cannot be had."""
    found: list[tuple[Wanted, Image]] = []
    missing: list[tuple[Wanted, str]] = []
    for one in wanted:
        try:
            found.append((one, _had(carrier, one, report)))
        except LabError as error:
            missing.append((one, error.message))
    if missing:
        lines = [f"  {one.image}, {one.why}: {_last_line(why)}" for one, why in missing]
        parts = ",".join(one.part for one, _ in missing)
        raise ImagesMissing(
            f"{len(missing)} of the labs' images cannot be had here:\n" + "\n".join(lines) + "\n",
            hint="Fetch each with docker pull where its registry can be reached, or name one that you have "
            f"(LAB_IMAGE_…), and run this again. To go without: make images-save WITHOUT={parts}",
        )
    return found


def _had(carrier: Carrier, one: Wanted, report: Report) -> Image:
    if one.recipe:
        report(f"{one.image}: building, unless it is in the cache")
        carrier.build(one.recipe, lambda line: None)
    elif carrier.find(one.image) is None:
        report(f"{one.image}: is not here, pulling it")
        carrier.pull(one.image, lambda line: None)
    image = carrier.find(one.image)
    if image is None:
        raise ImagesMissing(f"{one.image} was there, and somebody removed it")
    return image


def _last_line(message: str) -> str:
    """Of a builder's many; it is the reason."""
    lines = message.strip().splitlines()
    return lines[-1].strip().rpartition(" cannot be pulled: ")[2] if lines else "no reason was given"


def _still_good(
    folder: Path, before: Manifest | None, images: list[tuple[Wanted, Image]], platform: str
) -> dict[str, Saved]:
    """By part, what an earlier run wrote of the very same images and is whole, byte by byte."""
    ids = {(one.part, one.image): image.id for one, image in images}
    return {
        saved.part: saved
        for saved in (before.images if before and before.platform == platform else ())
        if ids.get((saved.part, saved.image)) == saved.id and saved.problem(folder) is None
    }


def _check_room(folder: Path, images: Iterable[Image], free: Callable[[Path], int]) -> None:
    """An image's file is about as large as the image; better said now than after half an hour."""
    needed = sum(image.size + _ROOM_BESIDE for image in images)
    there = free(folder)
    if images and needed > there:
        raise NoSpace(
            f"{folder} has room for {megabytes(there)}, and {megabytes(needed)} are still to be saved."
        )


def _saved(carrier: Carrier, one: Wanted, image: Image, folder: Path) -> Saved:
    """Under its last name only when all of it is on the disk."""
    number = image.id.removeprefix("sha256:")[:12]
    path = folder / f"{re.sub('[^a-z0-9.]+', '-', one.image.lower())}-{number}.tar"
    part = path.with_suffix(".part")
    try:
        size, digest = _written(part, carrier.pieces(one.image))
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(f"{folder} was full in the middle of {one.image}.") from error
        raise
    return Saved(one.part, one.image, image.id, path.name, size, digest, image.stand_in)


def _written(path: Path, pieces: Iterable[bytes]) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
            digest.update(piece)
            size += len(piece)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def _sweep(folder: Path, before: Manifest | None, done: Manifest) -> None:
    """Files of images that are newer now, and what a killed run left; nothing that is not ours."""
    old = {one.file for one in before.images} if before else set()
    for name in old - {one.file for one in done.images}:
        (folder / name).unlink(missing_ok=True)
    for part in folder.glob(f"*-{'[0-9a-f]' * 12}.part"):
        part.unlink()
