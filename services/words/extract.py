"""How `make messages` finds sentences where Babel does not: in scripts, and in what checks are about."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any

from babel.messages.extract import extract_python

Found = tuple[Any, ...]
"""Line, function, message or messages, comments."""
_TEXT = r'"(?:[^"\\\n]|\\.)*"'
_CALL = re.compile(rf"\b(?P<name>t|tn)\(\s*(?P<one>{_TEXT})(?:\s*,\s*(?P<many>{_TEXT}))?")
"""Also inside a template string, where Babel's JavaScript lexer stops at the first closing brace."""


def scripts(
    file: IO[bytes], keywords: Any, tags: Collection[str], options: Mapping[str, Any]
) -> Iterator[Found]:
    """`t("…")` and `tn("…", "…", n)` of a script."""
    text = file.read().decode()
    for call in _CALL.finditer(text):
        one = json.loads(call["one"])
        message = (one, json.loads(call["many"])) if call["name"] == "tn" else one
        yield text.count("\n", 0, call.start()) + 1, call["name"], message, []


def checks(file: IO[bytes], keywords: Any, tags: Collection[str], options: Any) -> Iterator[Found]:
    """What Python says, and the first line of each check's documentation, which the page shows."""
    for node in ast.parse(file.read()).body:
        about = ast.get_docstring(node) if isinstance(node, ast.FunctionDef) else None
        if about and any(_is_check(one) for one in node.decorator_list):  # type: ignore[attr-defined]
            yield node.lineno, None, about.splitlines()[0], []
    file.seek(0)
    yield from extract_python(file, keywords, tags, options)


def _is_check(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "check"
