"""How far a build got, read from its lines, and kept on disk for whoever comes after a killed dashboard."""

from __future__ import annotations

import contextlib
import re
import secrets
import time
from pathlib import Path
from typing import IO

from services.engines.docker_leftovers import Leftovers

STEP = re.compile(r"Step \d+/\d+ : (.*)")
_STAGE = re.compile(r"FROM\s+\S+(?:\s+AS\s+(\S+))?", re.IGNORECASE)
_IMAGE_ID = re.compile(r" ---> ([0-9a-f]{12})$")
_RUNNING = re.compile(r" ---> Running in ([0-9a-f]{12})$")


class Progress:
    """What the builder's lines tell of images: those it made, and how each stage ended."""

    def __init__(self, journal: Path) -> None:
        """Of a build that began at the time in its journal's name, as nothing was said yet."""
        self.leftovers = Leftovers(began=float(journal.name.partition("-")[0]))
        self.stages: dict[str, str] = {}
        """Image of each named stage but the last."""
        self.made = ""
        """Id of the image, once it is there."""
        self.done = False
        self._stage: str | None = None
        self._made_here = False
        self._journal = journal
        self._file: IO[bytes] | None = None

    @classmethod
    def begun(cls, folder: Path) -> Progress:
        """Of a build that begins now. On a full disk it is kept in memory alone."""
        progress = cls(folder / f"{time.time():.3f}-{secrets.token_hex(4)}")
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            progress._file = progress._journal.open("xb", buffering=0)
        return progress

    @classmethod
    def of_the_past(cls, folder: Path) -> list[Progress]:
        """Of builds that owe a clean-up still, since a dashboard ended or Docker was away."""
        found = []
        for journal in sorted(folder.glob("[0-9]*-*")):
            progress = cls(journal)
            for line in journal.read_text(errors="replace").splitlines():
                progress._take(line)
            found.append(progress)
        return found

    def read(self, line: str) -> None:
        """A line of the builder, without colours."""
        if self._take(line) and self._file:
            with contextlib.suppress(OSError):
                self._file.write(f"{line}\n".encode())

    def settled(self) -> None:
        """Nothing of it is left that nobody wants: forget it."""
        self.close()
        with contextlib.suppress(OSError):
            self._journal.unlink(missing_ok=True)

    def close(self) -> None:
        """No more lines will come; the journal stays."""
        if self._file:
            self._file.close()
            self._file = None

    def _take(self, line: str) -> bool:
        """True for a line that told something."""
        if step := STEP.match(line):
            stage = _STAGE.match(step[1])
            if stage:
                if self._stage:
                    self.stages[self._stage] = self.leftovers.parent
                self._stage = stage[1]
            self._made_here = stage is None
        elif line.strip() == "---> Using cache":
            self._made_here = False
        elif found := _RUNNING.search(line):
            self.leftovers.container = found[1]
        elif found := _IMAGE_ID.search(line):
            self.leftovers.parent, self.leftovers.container = found[1], None
            if self._made_here:
                self.leftovers.images.append(found[1])
        else:
            return False
        return True
