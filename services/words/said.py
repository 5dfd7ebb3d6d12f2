"""A sentence that was said in English, and can still be said in another language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Said(str):
    """The English text, as every program and record has it, with what a translation needs.

    It is a plain text to everybody who does not ask. What is made out of it by joining or cutting is one too,
    and stays English: put whole sentences into the catalogue, and parts into their parameters.
    """

    message: str
    """The sentence with named places, `%(name)s`: the catalogue's key."""
    many: str
    """The same for several; empty where there is only one form."""
    number: int
    params: Mapping[str, Any]
    """A parameter may be a Said itself."""

    __slots__ = ("many", "message", "number", "params")


def said(message: str, **params: Any) -> Said:
    """`said("There is nothing at %(path)s.", path=…)`; without parameters a % is just that."""
    return _made(message, "", 1, params)


def said_n(one: str, many: str, number: int, **params: Any) -> Said:
    """One form for a single thing, another for several; `n` is the number unless it is given."""
    return _made(one, many, number, {"n": number} | params)


def _made(message: str, many: str, number: int, params: Mapping[str, Any]) -> Said:
    form = message if number == 1 or not many else many
    text = Said(form % params if params else form)
    text.message, text.many, text.number, text.params = message, many, number, params
    return text
