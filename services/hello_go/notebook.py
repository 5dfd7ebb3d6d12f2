"""The lab's lines in the log, and its part of the state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.events.log import EventLog

SOURCE = "hello-go"


class Notebook:
    """Writes events whose patches are about `hello_go`."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def at(self, *path: str) -> Any:
        """A copy of one part of the lab's state; None where there is nothing."""
        return self._log.at("hello_go", *path)

    def record(self, kind: str, text: str, patch: Mapping[str, Any], **rest: Any) -> None:
        """One event; `rest` as `EventLog.record` takes it."""
        self._log.record(SOURCE, kind, text, patch={"hello_go": patch}, **rest)

    def output(self, line: str) -> None:
        """A line of the builder, as it wrote it."""
        self._log.record(SOURCE, "output.line", line[:4000], data={"stream": "build"})
