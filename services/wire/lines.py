"""JSON lines on standard output: the only way a lab program tells what happened."""

from __future__ import annotations

import contextlib
import json
import sys
from datetime import UTC, datetime
from typing import Any, Literal

Level = Literal["info", "warning", "error"]


def emit(kind: str, text: str, *, level: Level = "info", source: str | None = None, **data: Any) -> None:
    """Write one event as one flushed line; nobody reading is no reason to stop working.

    `kind` is past tense and dotted, `text` one sentence; `source` only when it is not this instance.
    """
    line: dict[str, Any] = {"at": now(), "kind": kind, "level": level, "text": text, "data": data}
    if source is not None:
        line["source"] = source
    with contextlib.suppress(OSError):
        sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
        sys.stdout.flush()


def now() -> str:
    """UTC with milliseconds: `2026-11-22T19:20:01.123Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
