"""What a service writes becomes events, each line once, also across a restart of the dashboard."""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from services.engines.base import Engine, Instance, LogLine
from services.errors import LabError
from services.events.event import Level
from services.events.kinds import KINDS
from services.events.log import EventLog, Patch

_LONGEST = 4000
_LONGEST_NAME = 100
_LEVELS = ("info", "warning", "error")
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Line:
    """One line of a lab program, understood."""

    source: str
    kind: str
    level: Level
    text: str
    data: dict[str, Any] = field(default_factory=dict)
    at: str | None = None


Translate = Callable[[Line], Patch | None]
"""Gives the patch of a line; None when the line is not worth an event."""
Explain = Callable[[Line], Line]
"""Adds to a line what only the dashboard knows."""


def raw_line(text: str, instance: str) -> Line:
    """The text as it was written; the log cuts it later, for a lab may find more in it."""
    return Line(instance, "output.line", "info", text, {"stream": "stdout"})


def read_line(text: str, instance: str) -> Line:
    """A JSON line as programs write it; anything else is raw text."""
    try:
        found = json.loads(text, parse_constant=_refuse)
        kind, words, level = found["kind"], found["text"], found.get("level", "info")
        data, source, at = found.get("data") or {}, found.get("source") or instance, found.get("at")
        named = isinstance(source, str) and source.isascii() and len(source) <= _LONGEST_NAME
        if kind in KINDS and level in _LEVELS and isinstance(data, dict) and named:
            return Line(source, kind, level, str(words)[:_LONGEST], data, _time(at))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    return raw_line(text, instance)


def _time(found: Any) -> str | None:
    return found if isinstance(found, str) and found.isascii() and len(found) <= _LONGEST_NAME else None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


class Tail:
    """Follows the output of one instance until it ends or `close` is called."""

    def __init__(
        self,
        engine: Engine,
        log: EventLog,
        instance: Instance,
        translate: Translate | None,
        explain: Explain,
    ) -> None:
        """`translate` is None for a service whose output is only text."""
        self.instance = instance
        self.last_lines: deque[str] = deque(maxlen=5)
        self.last_error: dict[str, str] | None = None
        self._engine = engine
        self._log = log
        self._translate = translate
        self._explain = explain
        self._stream = engine.logs(instance.workspace, instance.instance, log.cursor(instance.id))
        self._thread = threading.Thread(target=self._follow, name=f"tail-{instance.instance}", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """True when nothing is read any more, because the instance died or the engine went."""
        return not self._thread.is_alive()

    def finish(self, seconds: float = 2.0) -> None:
        """Wait until a dead instance's last words are read, at most `seconds`."""
        self._thread.join(seconds)

    def close(self) -> None:
        """Stop reading; the cursor says where to go on."""
        self._stream.close()

    def _follow(self) -> None:
        try:
            for line in self._stream:
                self._take(line)
        except LabError as error:
            _logger.warning("the output of %s ended: %s", self.instance.instance, error.message)
        except Exception:
            _logger.exception("reading the output of %s failed", self.instance.instance)
        finally:
            self._stream.close()

    def _take(self, read: LogLine) -> None:
        cursor = (self.instance.id, read.cursor)
        if not read.text.strip():
            return self._log.passed(cursor)
        words, name = read.text, self.instance.instance
        line = self._explained(read_line(words, name)) if self._translate else raw_line(words, name)
        if line.text:
            self.last_lines.append(line.text[:_LONGEST])
        if isinstance(error := line.data.get("error"), dict):
            self.last_error = error
        patch = self._translate(line) if self._translate else {}
        if patch is None:
            return self._log.passed(cursor)
        self._log.record(
            line.source,
            line.kind,
            line.text[:_LONGEST],
            level=line.level,
            data=line.data,
            patch=patch,
            at=line.at,
            cursor=cursor,
        )
        return None

    def _explained(self, line: Line) -> Line:
        """A line is never lost because there was nothing to add to it."""
        try:
            return self._explain(line)
        except Exception:
            _logger.exception("%s of %s could not be explained", line.kind, line.source)
            return line
