"""Container logs and the daemon's events as streams that resume, end and can be closed."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from services.engines.base import Change, LogLine
from services.engines.docker_containers import DECK, INSTANCE, SERVICE, WORKSPACE
from services.engines.docker_daemon import Answer, Daemon, Quiet
from services.errors import EngineUnavailable
from services.words import say

LONGEST_LINE = 1024 * 1024
_WHAT = {"start": "started", "die": "died", "oom": "oom"}
_NANO = 1_000_000_000


class ContainerLogs:
    """Lines of one container, both outputs. A cursor is the daemon's time of the line and a count.

    The daemon cuts a long line into frames of 16 kB; and it gives out by time alone, so lines of the same
    nanosecond are told apart by counting them.
    """

    def __init__(
        self, daemon: Daemon, container: str, after: str | None, running: Callable[[], bool], version: str
    ) -> None:
        """`version` of the API as it was agreed just now; when it asks again, it agrees anew."""
        self._daemon, self._container, self._running = daemon, container, running
        time_text, _, count_text = (after or "0.0").partition(".")
        self._time, self._count = int(time_text), int(count_text)
        self._unfinished: dict[int, bytes] = {}
        """By output, the frames so far of a line that goes on."""
        self._closed = False
        self._answer = self._ask(version)

    def _ask(self, version: str = "auto") -> Answer:
        since = f"{self._time // _NANO}.{self._time % _NANO:09d}"
        params = {"stdout": "1", "stderr": "1", "follow": "1", "timestamps": "1", "since": since}
        return Answer(self._daemon, f"containers/{self._container}/logs", params, version)

    def close(self) -> None:
        self._closed = True
        self._answer.close()

    def __iter__(self) -> Iterator[LogLine]:
        while True:
            try:
                yield from self._read()
                if self._closed or not self._running():
                    yield from self._rest()
                    return
                time.sleep(0.05)  # ended early though it runs: the daemon turned its log file over
            except Quiet:
                pass
            if self._closed:
                return
            self._unfinished.clear()
            self._answer = self._ask()
            if self._closed:
                self._answer.close()

    def _read(self) -> Iterator[LogLine]:
        """One answer's lines; those up to the cursor come again and are left out."""
        known_time, known_count = self._time, self._count
        self._count = 0
        for output, frame in _frames(self._answer.pieces()):
            at, _, text = frame.partition(b" ")
            moment = _nanoseconds(at.decode("ascii", "replace"))
            self._count = self._count + 1 if moment == self._time else 1
            self._time = moment
            if moment < known_time or (moment == known_time and self._count <= known_count):
                continue
            if line := self._whole(output, text):
                yield self._line(line)
            if self._closed:
                return

    def _rest(self) -> Iterator[LogLine]:
        """A last line whose end was never written."""
        if not self._closed:
            yield from map(self._line, self._unfinished.values())

    def _line(self, line: bytes) -> LogLine:
        return LogLine(line.rstrip(b"\r\n").decode(errors="replace"), f"{self._time}.{self._count}")

    def _whole(self, output: int, text: bytes) -> bytes | None:
        line = self._unfinished.pop(output, b"") + text
        if line.endswith(b"\n") or len(line) > LONGEST_LINE:
            return line
        self._unfinished[output] = line
        return None


def _frames(pieces: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """`(output, bytes)`: each frame has a header of 8 bytes, the output first, the length last."""
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        place = 0
        while len(buffer) - place >= 8:
            output, length = struct.unpack_from(">BxxxL", buffer, place)
            if len(buffer) - place < 8 + length:
                break
            yield output, bytes(buffer[place + 8 : place + 8 + length])
            place += 8 + length
        del buffer[:place]


def _nanoseconds(at: str) -> int:
    """RFC 3339 with nanoseconds, in UTC, as the daemon writes it: `2026-11-22T19:20:01.123456789Z`."""
    seconds, _, fraction = at.removesuffix("Z").partition(".")
    moment = datetime.fromisoformat(seconds).replace(tzinfo=UTC)
    return int(moment.timestamp()) * _NANO + int(fraction.ljust(9, "0") or 0)


class DaemonEvents:
    """Starts, deaths and memory ends of the containers of one deck."""

    def __init__(self, daemon: Daemon, deck: str) -> None:
        self._daemon, self._deck = daemon, deck
        self._after = time.time_ns()
        self._closed = False
        self._answer = self._ask()

    def _ask(self) -> Answer:
        wanted = {"type": ["container"], "event": list(_WHAT), "label": [f"{DECK}={self._deck}"]}
        since = f"{self._after // _NANO}.{self._after % _NANO:09d}"
        return Answer(self._daemon, "events", {"filters": json.dumps(wanted), "since": since})

    def close(self) -> None:
        self._closed = True
        self._answer.close()

    def __iter__(self) -> Iterator[Change]:
        while not self._closed:
            try:
                for event in _documents(self._answer.pieces()):
                    if self._closed:
                        return
                    if event["timeNano"] > self._after:
                        self._after = event["timeNano"]
                        yield _change(event)
                if not self._closed:
                    raise EngineUnavailable(say("Docker stopped telling what happens."))
            except Quiet:
                self._answer = self._ask()
                if self._closed:
                    self._answer.close()


def _documents(pieces: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    """JSON documents, one a line."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from (json.loads(line) for line in lines if line.strip())


def _change(event: dict[str, Any]) -> Change:
    about = event["Actor"]["Attributes"]
    code = about.get("exitCode")
    return Change(
        about[WORKSPACE],
        about[SERVICE],
        about[INSTANCE],
        event["Actor"]["ID"],
        _WHAT[event["Action"]],  # type: ignore[arg-type]
        int(code) if code else None,
    )
