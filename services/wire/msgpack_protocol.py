"""The hub protocol `messagepack`, which Blazor calls `blazorpack`: arrays behind a LEB128 length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgpack

from services.wire.messages import (
    Ack,
    BadFrame,
    CancelInvocation,
    Close,
    Completion,
    Invocation,
    Message,
    Ping,
    Sequence,
    StreamInvocation,
    StreamItem,
)

LENGTH_BYTES = 5
"""A length is at most 2 GiB, so its LEB128 form has at most five bytes (HubProtocol.md)."""
ERROR, VOID, RESULT = 1, 2, 3


class MsgpackProtocol:
    """Binary frames, for WebSockets and LongPolling; ServerSentEvents carry only text."""

    binary = True

    def __init__(self, name: str) -> None:
        self.name = name

    def encode(self, message: Message) -> bytes:
        """One whole frame."""
        payload = msgpack.packb(_WRITERS[type(message)](message))
        return leb128(len(payload)) + payload

    def find(self, buffer: bytes, start: int, limit: int) -> tuple[int, int, int] | None:
        """Where the next payload begins and ends, and where to go on; None while it is not whole."""
        size = shift = 0
        for at in range(start, min(start + LENGTH_BYTES, len(buffer))):
            size |= (buffer[at] & 0x7F) << shift
            shift += 7
            if buffer[at] < 0x80:
                return _span(buffer, at + 1, size, limit)
        if len(buffer) - start >= LENGTH_BYTES:
            raise BadFrame("The length in front of a message is over five bytes.")
        return None

    def decode(self, payload: bytes) -> Message | None:
        """The message in a payload; None for a type that is not known, which the protocol ignores."""
        items = _read_array(payload)
        if type(items[0]) is not int:
            raise BadFrame("A message begins with its type, a whole number.")
        reader = _READERS.get(items[0])
        try:
            return reader(items) if reader else None
        except IndexError as error:
            raise BadFrame(f"A message of type {items[0]} has more items than {len(items)}.") from error


def leb128(number: int) -> bytes:
    """The length in front of a frame: seven bits a byte, the lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _span(buffer: bytes, start: int, size: int, limit: int) -> tuple[int, int, int] | None:
    if size > limit:
        raise BadFrame(f"The maximum message size of {limit} bytes was exceeded.")
    end = start + size
    return (start, end, end) if end <= len(buffer) else None


def _read_array(payload: bytes) -> list[Any]:
    try:
        items = msgpack.unpackb(payload, strict_map_key=False)
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise BadFrame("The message is not valid MessagePack.") from error
    if not isinstance(items, list) or not items:
        raise BadFrame("The message is not a MessagePack array.")
    return items


def _write_call(kind: int, message: Invocation | StreamInvocation) -> list[Any]:
    """Stream ids only where there are some, as Microsoft's client has it."""
    call = [kind, {}, message.invocation_id, message.target, message.arguments]
    return [*call, message.stream_ids] if message.stream_ids else call


def _write_completion(message: Completion) -> list[Any]:
    if message.error is not None:
        return [3, {}, message.invocation_id, ERROR, message.error]
    if not message.has_result:
        return [3, {}, message.invocation_id, VOID]
    return [3, {}, message.invocation_id, RESULT, message.result]


_WRITERS: dict[type, Callable[[Any], list[Any]]] = {
    Invocation: lambda m: _write_call(1, m),
    StreamItem: lambda m: [2, {}, m.invocation_id, m.item],
    Completion: _write_completion,
    StreamInvocation: lambda m: _write_call(4, m),
    CancelInvocation: lambda m: [5, {}, m.invocation_id],
    Ping: lambda m: [6],
    Close: lambda m: [7, m.error, True] if m.allow_reconnect else [7, m.error],
    Ack: lambda m: [8, m.sequence_id],
    Sequence: lambda m: [9, m.sequence_id],
}


def _read_invocation(items: list[Any]) -> Invocation:
    return Invocation(
        target=_need(items, 3, str),
        arguments=tuple(_need(items, 4, list)),
        invocation_id=None if items[2] is None else _need(items, 2, str),
        stream_ids=_read_stream_ids(items),
    )


def _read_stream_invocation(items: list[Any]) -> StreamInvocation:
    return StreamInvocation(
        target=_need(items, 3, str),
        arguments=tuple(_need(items, 4, list)),
        invocation_id=_need(items, 2, str),
        stream_ids=_read_stream_ids(items),
    )


def _read_stream_ids(items: list[Any]) -> tuple[str, ...]:
    ids = items[5] if len(items) > 5 and items[5] is not None else []
    if not isinstance(ids, list) or not all(isinstance(id, str) for id in ids):
        raise BadFrame("The stream ids of a message must be an array of text.")
    return tuple(ids)


def _read_completion(items: list[Any]) -> Completion:
    invocation_id = _need(items, 2, str)
    match items[3]:
        case int(kind) if kind == ERROR:
            return Completion(invocation_id, error=_need(items, 4, str))
        case int(kind) if kind == VOID:
            return Completion(invocation_id)
        case int(kind) if kind == RESULT:
            return Completion.of(invocation_id, items[4])
    raise BadFrame("A completion has one of the kinds 1 (error), 2 (void), 3 (result).")


def _read_close(items: list[Any]) -> Close:
    error = None if len(items) < 2 or items[1] is None else _need(items, 1, str)
    return Close(error, len(items) > 2 and _need(items, 2, bool))


_READERS: dict[int, Callable[[list[Any]], Message]] = {
    1: _read_invocation,
    2: lambda items: StreamItem(_need(items, 2, str), items[3]),
    3: _read_completion,
    4: _read_stream_invocation,
    5: lambda items: CancelInvocation(_need(items, 2, str)),
    6: lambda items: Ping(),
    7: _read_close,
    8: lambda items: Ack(_need(items, 1, int)),
    9: lambda items: Sequence(_need(items, 1, int)),
}


def _need(items: list[Any], index: int, kind: type) -> Any:
    if type(items[index]) is not kind:
        raise BadFrame(f"Item {index} of a message of type {items[0]} must be {kind.__name__}.")
    return items[index]
