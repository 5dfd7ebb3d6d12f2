"""What changed on the page, in the bytes that Blazor Server sends (OutOfProcessRenderBatch.ts)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from services.wire.messages import BadFrame

_TABLES = 20
"""Bytes at the end of a batch: where each of its five tables begins."""
_EDIT, _FRAME = 16, 20


class Edit(IntEnum):
    """What is done to one child of the node that is stepped into."""

    PREPEND = 1
    REMOVE = 2
    SET_ATTRIBUTE = 3
    REMOVE_ATTRIBUTE = 4
    UPDATE_TEXT = 5
    STEP_IN = 6
    STEP_OUT = 7
    UPDATE_MARKUP = 8
    MOVE = 9
    MOVES_END = 10


class Frame(IntEnum):
    """What a new node is made of."""

    ELEMENT = 1
    TEXT = 2
    ATTRIBUTE = 3
    COMPONENT = 4
    REGION = 5
    ELEMENT_REFERENCE = 6
    COMPONENT_REFERENCE = 7
    MARKUP = 8
    RENDER_MODE = 9
    NAMED_EVENT = 10


@dataclass(frozen=True, slots=True)
class Change:
    """One edit. `frame` is the new node's index, or for a move the new place; `name` the lost attribute."""

    kind: Edit
    sibling: int
    frame: int
    name: str | None


class RenderBatch:
    """Read where it is looked at; every method raises BadFrame for bytes that are no batch."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        if len(data) < _TABLES:
            raise BadFrame("A render batch is too short.")
        tables = struct.unpack_from("<5i", data, len(data) - _TABLES)
        self._updated, self._frames, self._disposed, _, self._strings = tables

    def components(self) -> Iterator[tuple[int, list[Change]]]:
        """Each component that was rendered, with its edits in order."""
        for number in range(self._int(self._updated)):
            at = self._int(self._updated + 4 + 4 * number)
            edits = at + 8
            changes = [self._change(edits + _EDIT * index) for index in range(self._int(at + 4))]
            yield self._int(at), changes

    def gone(self) -> list[int]:
        """The components that are no more."""
        return [self._int(self._disposed + 4 + 4 * index) for index in range(self._int(self._disposed))]

    def kind(self, index: int) -> Frame:
        try:
            return Frame(self._field(index, 0))
        except ValueError as error:
            raise BadFrame(f"A render batch has a frame of an unknown kind: {error}.") from error

    def length(self, index: int) -> int:
        """How many frames an element, component or region has, itself counted."""
        return max(self._field(index, 4), 1)

    def text(self, index: int) -> str:
        """Of a text, of markup; of an element or attribute its name."""
        return self._string(self._field(index, 8 if self.kind(index) is Frame.ELEMENT else 4)) or ""

    def value(self, index: int) -> str | None:
        """Of an attribute; None for a handler, and for one that is just there."""
        return self._string(self._field(index, 8))

    def component(self, index: int) -> int:
        return self._field(index, 8)

    def handler(self, index: int) -> int:
        """The id of an attribute's event handler; 0 when it has none."""
        return self._field(index, 12) | self._field(index, 16) << 32

    def _change(self, at: int) -> Change:
        kind, sibling, frame, name = (self._int(at + 4 * item) for item in range(4))
        try:
            return Change(Edit(kind), sibling, frame, self._string(name))
        except ValueError as error:
            raise BadFrame(f"A render batch has an edit of an unknown kind: {error}.") from error

    def _field(self, index: int, offset: int) -> int:
        return self._int(self._frames + 4 + _FRAME * index + offset)

    def _string(self, index: int) -> str | None:
        if index == -1:
            return None
        at = self._int(self._strings + 4 * index)
        size = shift = 0
        while True:
            byte = self._data[at] if 0 <= at < len(self._data) else 0
            size |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                break
        try:
            return self._data[at : at + size].decode()
        except UnicodeDecodeError as error:
            raise BadFrame("A render batch has text that is not UTF-8.") from error

    def _int(self, at: int) -> int:
        if not 0 <= at <= len(self._data) - 4:
            raise BadFrame("A render batch points outside of itself.")
        return int(struct.unpack_from("<i", self._data, at)[0])
