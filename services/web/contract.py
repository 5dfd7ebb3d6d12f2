"""Content files name calls of the HTTP contract: whether there is such a call, and what a GET answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from services.errors import NotFound
from services.web.calls import Call, complaint
from services.web.schemas import Nothing
from services.words import say
from services.workspaces.workspace import Workspace


class Contract:
    """All calls, found by method and path as they are written: below the workspace, or from `/api/` on."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = [(call, _pattern(call.path)) for call in calls]

    def problem(self, method: str, path: str, body: Mapping[str, Any] | None) -> str | None:
        """What is wrong with a call, in one sentence; None when it may be made.

        Upper limits are not looked at: they are those of a dashboard, and a file is for all of them.
        """
        same_path = [call for call, pattern in self._calls if pattern.fullmatch(path)]
        call = next((call for call in same_path if call.method == method), None)
        if call is None:
            methods = ", ".join(sorted({call.method for call in same_path}))
            return (
                f"{path} takes {methods}, not {method}." if methods else f"there is no call {method} {path}."
            )
        if call.body in (None, Nothing):
            return f"{method} {path} takes no body." if body else None
        assert call.body is not None
        try:
            call.body.model_validate_json(json.dumps(dict(body or {})))
        except ValidationError as error:
            return f"{method} {path}: {complaint(error)}"
        return None

    def reader(self, workspace: Workspace) -> Callable[[str], Mapping[str, Any]]:
        """GET by path, as a check asks; raises NotFound for anything else, and what the call raises."""

        def ask(path: str) -> Mapping[str, Any]:
            for call, pattern in self._calls:
                found = pattern.fullmatch(path)
                if found and call.method == "GET" and not call.path.startswith("/api/"):
                    query = [call.query()] if call.query else []
                    answer: Mapping[str, Any] = call.act(workspace, *found.groups(), *query)
                    return answer
            raise NotFound(say("There is no call GET %(path)s.", path=path))

        return ask


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"<\w+>", "([a-z0-9][a-z0-9-]*)", path))
