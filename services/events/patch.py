"""JSON merge patch (RFC 7396): how an event changes the state, the same in Python and in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merge(state: dict[str, Any], patch: Mapping[str, Any]) -> None:
    """Change `state` in place: None removes a key, an object is merged, anything else replaces.

    Nothing of `patch` is shared with `state` afterwards but lists, which are only ever replaced whole.
    """
    for key, value in patch.items():
        if value is None:
            state.pop(key, None)
        elif isinstance(value, Mapping):
            child = state.get(key)
            if not isinstance(child, dict):
                child = state[key] = {}
            merge(child, value)
        else:
            state[key] = value
