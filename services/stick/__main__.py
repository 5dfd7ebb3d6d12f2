"""`make images-save` and `make images-load`: the labs' images into a folder, and out of it elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from services.engines.choice import carrier_of
from services.errors import EngineUnavailable, LabError
from services.settings import BadSetting, read_settings
from services.stick.loading import load
from services.stick.saving import megabytes, save
from services.stick.wanted import all_wanted

_LINE = "\n"
_USAGE = "python -m services.stick save|load FOLDER [part,part…]: the parts are left out when saving"


def main(arguments: Sequence[str]) -> int:
    """The exit status: 0 when all images are where they should be."""
    try:
        match arguments:
            case ["save", folder, *without]:
                return _save(Path(folder), {part for text in without for part in text.split(",") if part})
            case ["load", folder]:
                return _load(Path(folder))
        return _failed(_USAGE)
    except BadSetting as error:
        return _failed(str(error))
    except EngineUnavailable as error:
        return _failed(f"{error.message} Images are Docker's: start it, then run this again.")
    except LabError as error:
        return _failed(f"{error.message}{'' if error.message.endswith(_LINE) else ' '}{error.hint}")
    except OSError as error:
        return _failed(f"{error.filename}: {error.strerror}.")


def _save(folder: Path, without: set[str]) -> int:
    settings = read_settings(os.environ)
    done = save(carrier_of(settings), all_wanted(settings), folder, _say, without=without)
    total = megabytes(sum(one.bytes for one in done.images))
    _say(f"{len(done.images)} images, {total}, in {folder}. There: make images-load FOLDER={folder}")
    for image in done.left_out:
        _say(f"Left out, as asked: {image}")
    return 0


def _load(folder: Path) -> int:
    settings = read_settings(os.environ)
    done = load(carrier_of(settings), all_wanted(settings), folder, _say)
    _say(f"All {len(done.images)} images of {folder} are on this machine.")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _failed(line: str) -> int:
    sys.stderr.write(f"{line}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
