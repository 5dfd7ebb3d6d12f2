"""The private folder that Envoy runs in; a file in it changes whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

SOCKET_PATH_LIMIT = 107
"""Bytes in the path of a Unix socket (sun_path, unix(7))."""


class Folder:
    """Made with `with`, mode 0700, gone afterwards."""

    def __enter__(self) -> Folder:
        self.path = Path(tempfile.mkdtemp(prefix="labdeck-balancer-", dir=_parent()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def write(self, name: str, content: dict[str, Any]) -> None:
        """Put the file in place by rename, the only change that Envoy looks for."""
        fresh = self.path / f".{name}"
        fresh.write_text(json.dumps(content))
        fresh.replace(self.path / name)


def _parent() -> str:
    """The usual place for temporary files, unless a socket in there would have too long a path."""
    usual = tempfile.gettempdir()
    return usual if len(usual) < SOCKET_PATH_LIMIT - 45 else "/tmp"
