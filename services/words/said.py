"""A sentence that was said in English, and can still be said in another language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

    large: bool
    """Whether it begins with a capital letter, whatever stands first in it."""

    __slots__ = ("large", "many", "message", "number", "params")


def say(message: str, /, **params: Any) -> Said:
    """`say("There is nothing at %(path)s.", path=…)`; without parameters a % is just that."""
    return _made(message, "", 1, params)


def say_n(one: str, many: str, number: int, /, **params: Any) -> Said:
    """One form for a single thing, another for several; `n` is the number unless it is given."""
    return _made(one, many, number, {"n": number} | params)


def together(*sentences: str, by: str = " ") -> Said:
    """Sentences one after the other, those that are empty left out; each is translated by itself."""
    return joined([text for text in sentences if text], by)


def joined(texts: Sequence[str], by: str) -> Said:
    """All of them with `by` between; each is translated by itself."""
    parts = {f"part{place}": text for place, text in enumerate(texts)}
    return _made(by.replace("%", "%%").join(f"%({name})s" for name in parts), "", 1, parts)


def sentence(text: str) -> Said:
    """Half a sentence as a whole one."""
    return _made("%(text)s.", "", 1, {"text": text}, large=True)


def _made(message: str, many: str, number: int, params: Mapping[str, Any], *, large: bool = False) -> Said:
    form = message if number == 1 or not many else many
    text = Said(begun(form % params if params else form, large))
    text.message, text.many, text.number, text.params, text.large = message, many, number, params, large
    return text


def begun(text: str, large: bool) -> str:
    """With a capital letter where one is wanted."""
    return text[:1].upper() + text[1:] if large else text


_PACKED = "%said"


def packed(answer: Any) -> Any:
    """The same for JSON, with all that a translation needs; `unpacked` brings it back."""
    if isinstance(answer, Said):
        parts = [answer.message, answer.many, answer.number, packed(dict(answer.params)), answer.large]
        return {_PACKED: parts}
    if isinstance(answer, Mapping):
        return {key: packed(value) for key, value in answer.items()}
    return [packed(value) for value in answer] if isinstance(answer, list | tuple) else answer


def unpacked(answer: Any) -> Any:
    """What `packed` was given; texts that were stored without it stay what they are."""
    if isinstance(answer, Mapping):
        if _PACKED in answer:
            message, many, number, params, large = answer[_PACKED]
            return _made(message, many, number, unpacked(params), large=large)
        return {key: unpacked(value) for key, value in answer.items()}
    return [unpacked(value) for value in answer] if isinstance(answer, list) else answer
