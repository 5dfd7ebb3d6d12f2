"""Reads what local processes write and tells what happens to them, from files and /proc alone."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from services.engines.base import Change, Instance, LogLine
from services.errors import NotFound
from services.words import say

READ_EVERY = 0.03
"""Seconds between two looks at a quiet file."""
LOOK_EVERY = 0.2
"""Seconds between two looks at all processes; a start or stop by this dashboard is seen at once."""
CHUNK = 64 * 1024
LONGEST_LINE = 1024 * 1024
KEEP_READ = 4 * 1024 * 1024
"""Bytes of output that stay on the disk after they were read, for a dashboard that was killed meanwhile."""

_BLOCK = 4096
_PUNCH_HOLE_KEEP_SIZE = 3
"""FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE of linux/falloc.h."""


class OutputStream:
    """The lines of a file that a process appends to; a cursor is the offset after the line.

    Output that was read long ago is given back to the file system as a hole, so offsets stay what they
    are and nothing unread is ever lost. Who starts again at a hole gets one line that says so.
    """

    def __init__(self, path: Path, after: str | None, alive: Callable[[], bool]) -> None:
        try:
            self._file = path.open("r+b", buffering=0)
        except FileNotFoundError as error:
            raise NotFound(say("There is no output %(path)s.", path=path)) from error
        self._alive = alive
        self._closed = threading.Event()
        self._read_to = int(after or 0)
        """Offset of the next byte to read."""
        self._pending = b""
        """The beginning of a line whose end is not written yet."""
        self._freed_to = 0

    def close(self) -> None:
        self._closed.set()

    def __iter__(self) -> Iterator[LogLine]:
        with self._file:
            while not self._closed.is_set():
                alive = self._alive()  # asked first: what it wrote before its end is read below
                yield from self._skip_hole()
                chunk = os.pread(self._file.fileno(), CHUNK, self._read_to)
                yield from self._lines(chunk)
                if chunk:
                    self._free_what_was_read()
                elif alive:
                    self._closed.wait(READ_EVERY)
                else:
                    yield from self._rest()
                    return

    def _lines(self, chunk: bytes) -> Iterator[LogLine]:
        """Whole lines; what follows the last line end waits for more."""
        start = self._read_to - len(self._pending)
        *lines, self._pending = (self._pending + chunk).split(b"\n")
        self._read_to += len(chunk)
        for line in lines:
            start += len(line) + 1
            if self._closed.is_set():
                return
            yield _line(line, start)
        if len(self._pending) > LONGEST_LINE:
            yield from self._rest()

    def _rest(self) -> Iterator[LogLine]:
        if self._pending:
            line, self._pending = self._pending, b""
            yield _line(line, self._read_to)

    def _skip_hole(self) -> Iterator[LogLine]:
        """Go on behind output that is gone, at the first whole line."""
        try:
            data = os.lseek(self._file.fileno(), self._read_to, os.SEEK_DATA)
        except OSError:  # ENXIO: nothing behind this offset yet
            return
        if data > self._read_to:
            text = f"{data - self._read_to} bytes of older output are gone: only the newest are kept."
            skipped = os.pread(self._file.fileno(), CHUNK, data).find(b"\n") + 1
            self._read_to, self._pending = data + skipped, b""
            yield LogLine(text, str(self._read_to))

    def _free_what_was_read(self) -> None:
        """Twice KEEP_READ at most is on the disk, as long as somebody reads."""
        if self._read_to - self._freed_to > 2 * KEEP_READ:
            self._freed_to = (self._read_to - KEEP_READ) // _BLOCK * _BLOCK
            _punch_hole(self._file.fileno(), self._freed_to)


def _line(line: bytes, end: int) -> LogLine:
    return LogLine(line.rstrip(b"\r").decode(errors="replace"), str(end))


def _punch_hole(descriptor: int, end: int) -> None:
    """Free the blocks before `end`; a file system that cannot do it keeps them."""
    fallocate = ctypes.CDLL(None, use_errno=True).fallocate
    fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_longlong, ctypes.c_longlong)
    fallocate(descriptor, _PUNCH_HOLE_KEEP_SIZE, 0, end)


class Watchers:
    """Wakes every change stream of one engine when this dashboard did something."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0

    def notify(self) -> None:
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait(self, seen: int) -> int:
        """The number of the newest change, at the latest after LOOK_EVERY; hand it in again."""
        with self._changed:
            self._changed.wait_for(lambda: self._count != seen, LOOK_EVERY)
            return self._count


class LocalChanges:
    """What differs between two looks at all instances."""

    def __init__(self, look: Callable[[], list[Instance]], watchers: Watchers) -> None:
        self._look, self._watchers = look, watchers
        self._known = {one.id: one for one in look()}
        self._closed = False

    def close(self) -> None:
        self._closed = True
        self._watchers.notify()

    def __iter__(self) -> Iterator[Change]:
        seen = 0
        while not self._closed:
            yield from self._difference()
            if not self._closed:
                seen = self._watchers.wait(seen)

    def _difference(self) -> Iterator[Change]:
        before, self._known = self._known, {one.id: one for one in self._look()}
        for id, old in before.items():
            now = self._known.get(id)
            if old.running and (now is None or not now.running):
                yield _change("died", now or old)
        for id, now in self._known.items():
            if id not in before:
                yield _change("started", now)
                if not now.running:
                    yield _change("died", now)


def _change(what: str, one: Instance) -> Change:
    exit_code = one.exit_code if what == "died" else None
    return Change(one.workspace, one.service, one.instance, one.id, what, exit_code)  # type: ignore[arg-type]
