"""`make exercises-check`: whether every exercise can be used, and what to mend where one cannot."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from services.exercises.exercise import BadExercise
from services.exercises.loader import CONTENT, FILE, load
from services.web.api import calls
from services.web.contract import Contract


def main(arguments: Sequence[str]) -> int:
    """The exit status: 0 when all are good. One line an exercise, good or bad."""
    folder = Path(arguments[0]) if arguments else CONTENT
    files = sorted(folder.glob(f"*/{FILE}"))
    bad = [line for line in (_said(file) for file in files) if line]
    if not files:
        bad = [f"{folder}: there is no */{FILE} below it."]
    for line in bad:
        sys.stderr.write(f"{line}\n")
    return 1 if bad else 0


def _said(file: Path) -> str | None:
    try:
        exercise = load(file, Contract(calls.all).problem)
    except BadExercise as error:
        return str(error)
    others = "".join(f", also {language}" for language in exercise.translations)
    sys.stdout.write(f"{file}: {len(exercise.steps)} steps, {exercise.minutes} minutes{others}.\n")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
