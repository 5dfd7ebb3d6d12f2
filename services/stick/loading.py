"""Puts the images of a folder into this machine's Docker, each only after its file was found whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from services.engines.base import Report
from services.engines.docker_carried import Carrier
from services.errors import LabError, NotFound, NotOnThisEngine
from services.stick import manifest
from services.stick.manifest import Damaged, Manifest, Saved
from services.stick.wanted import Wanted


def load(carrier: Carrier, wanted: Sequence[Wanted], folder: Path, report: Report) -> Manifest:
    """Load what is not here yet; says one line an image.

    Raises NotFound, Damaged (after all that is whole was loaded), NotOnThisEngine, EngineUnavailable.
    """
    found = _whole_manifest(folder)
    platform = carrier.platform()
    if platform != found.platform:
        raise NotOnThisEngine(
            f"The images in {folder} are for {found.platform}, and this machine is {platform}.",
            hint="Save them on a machine of the same kind as those of the class.",
        )
    problems = [problem for one in found.images if (problem := _load_one(carrier, one, folder, report))]
    for image in found.left_out:
        report(f"{image}: not in this folder, it was left out when the images were saved")
    for one in _neither(wanted, found):
        report(f"{one.image}: not in this folder, though this machine's settings want it ({one.why})")
    if problems:
        raise Damaged("Not all could be loaded:\n" + "".join(f"  {problem}\n" for problem in problems))
    return found


def _whole_manifest(folder: Path) -> Manifest:
    found = manifest.read(folder)
    if found is None:
        raise NotFound(
            f"There is no {manifest.NAME} in {folder}.",
            hint="Name the folder that make images-save wrote: make images-load FOLDER=…",
        )
    if not found.complete:
        raise Damaged(
            f"Saving to {folder} was cut short: {len(found.images)} images are in it, and not all.",
            hint="Run make images-save again with the same FOLDER: it goes on where it stopped.",
        )
    return found


def _load_one(carrier: Carrier, saved: Saved, folder: Path, report: Report) -> str | None:
    """What is wrong with it; None when the image is here now."""
    before = carrier.find(saved.image)
    if before and before.id == saved.id:
        report(f"{saved.image}: is here already")
        return None
    if problem := saved.problem(folder):
        return problem
    try:
        carrier.load(folder / saved.file)
    except LabError as error:
        return f"{saved.file} ({saved.image}): {error.message}"
    after = carrier.find(saved.image)
    if after is None:
        return f"{saved.file} holds no {saved.image}"
    instead = f", in place of {before.id.removeprefix('sha256:')[:12]}" if before else ""
    note = ", a stand-in" if after.stand_in else ""
    report(f"{saved.image}: loaded{note}{instead}")
    return None


def _neither(wanted: Sequence[Wanted], found: Manifest) -> list[Wanted]:
    """What the settings of this machine name otherwise than those of the machine that saved."""
    known = {one.image for one in found.images} | set(found.left_out)
    return [one for one in wanted if one.image not in known]
