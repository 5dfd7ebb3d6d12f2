"""Where the local engine keeps what must outlive the dashboard: what was built, what was started, its output.

<folder>/images/<recipe>.json, <recipe>/<binary>
<folder>/instances/<workspace>/<instance>/instance.json, output.log
<folder>/shared/<workspace>/<name>/
<folder>/go/   Go's caches
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from services.engines.base import Image
from services.engines.local_processes import Mark
from services.errors import EngineUnavailable
from services.words import say


@dataclass(frozen=True)
class Program:
    """What `build` made and how it is started."""

    name: str
    arguments: tuple[str, ...]
    folder: str
    """Where it runs."""
    tag: str
    size: int

    def as_image(self) -> Image:
        return Image(self.name, self.tag, self.size)


@dataclass(frozen=True)
class Record:
    """One start of an instance."""

    workspace: str
    service: str
    instance: str
    started_at: str
    ports: dict[str, int]
    scratch: str
    """Its HOME and TMPDIR: short, since a unix socket's path may have 107 characters."""
    mark: Mark


@contextmanager
def files_as_engine() -> Iterator[None]:
    """A disk that is full or not ours is an engine that cannot work."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise EngineUnavailable(
            say(
                "The local engine cannot use its state folder: %(strerror)s%(where)s.",
                strerror=error.strerror or error,
                where=where,
            ),
            hint=say("Make room or give LAB_STATE_DIR a folder that you may write to."),
        ) from error


class Files:
    """The state folder; every write is a rename, so a reader sees all of a file or the one before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.go_caches = folder / "go"

    def program_folder(self, name: str) -> Path:
        """Made when missing; binaries of a recipe go there."""
        folder = self.folder / "images" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def keep_program(self, program: Program) -> None:
        self.program_folder(program.name)
        _write(self.folder / "images" / f"{program.name}.json", asdict(program))

    def program(self, name: str) -> Program | None:
        """None when it was never built, or its binary is gone."""
        found = _read(self.folder / "images" / f"{name}.json")
        if found is None or not Path(found["arguments"][0]).exists():
            return None
        return Program(**found | {"arguments": tuple(found["arguments"])})

    def output(self, workspace: str, instance: str) -> Path:
        return self._place(workspace, instance) / "output.log"

    def open_place(self, record: Record) -> None:
        """A folder for a new start; what a cut-off removal left of the old one goes."""
        place = self._place(record.workspace, record.instance)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        self.keep_record(record)

    def keep_record(self, record: Record) -> None:
        _write(self._place(record.workspace, record.instance) / "instance.json", asdict(record))

    def record(self, workspace: str, instance: str) -> Record | None:
        found = _read(self._place(workspace, instance) / "instance.json")
        return Record(**found | {"mark": Mark(**found["mark"])}) if found else None

    def records(self, workspace: str | None = None) -> list[Record]:
        """Everything that was started and not yet stopped, by name."""
        places = sorted((self.folder / "instances").glob(f"{workspace or '*'}/*/instance.json"))
        found = [self.record(place.parent.parent.name, place.parent.name) for place in places]
        return [record for record in found if record]

    def forget(self, workspace: str, instance: str) -> None:
        """Remove the instance's files; gone already is success."""
        record = self.record(workspace, instance)
        if record:
            shutil.rmtree(record.scratch, ignore_errors=True)
        shutil.rmtree(self._place(workspace, instance), ignore_errors=True)

    def forget_workspace(self, workspace: str) -> None:
        shutil.rmtree(self.folder / "instances" / workspace, ignore_errors=True)
        shutil.rmtree(self.folder / "shared" / workspace, ignore_errors=True)

    def shared(self, workspace: str, name: str) -> str:
        """The path of a folder that instances share; made when missing."""
        folder = self.folder / "shared" / workspace / name
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder)

    def _place(self, workspace: str, instance: str) -> Path:
        return self.folder / "instances" / workspace / instance


def _write(path: Path, value: dict[str, Any]) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(value))
    fresh.replace(path)


def _read(path: Path) -> dict[str, Any] | None:
    """None when it is not there; a file that is not ours to parse counts as not there."""
    try:
        value = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return None
    return value if isinstance(value, dict) else None
