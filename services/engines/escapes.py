"""Escape sequences in a builder's output: kept for the page's terminal, taken away where words are read."""

from __future__ import annotations

import re

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")


def plain(text: str) -> str:
    """The text without colours and cursor movements (ECMA-48 control sequences, and OSC)."""
    return _ESCAPES.sub("", text)
