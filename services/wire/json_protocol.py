"""The hub protocol `json`: one JSON object a message, each ended by the byte 0x1E."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn

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

END = b"\x1e"
Fields = dict[str, Any]


class JsonProtocol:
    """Text frames, for every transport."""

    name = "json"
    binary = False

    def encode(self, message: Message) -> bytes:
        """One whole frame."""
        fields = _WRITERS[type(message)](message)
        return json.dumps(fields, separators=(",", ":"), allow_nan=False).encode() + END

    def find(self, buffer: bytes, start: int, limit: int) -> tuple[int, int, int] | None:
        """Where the next payload begins and ends, and where to go on; None while it is not whole."""
        end = buffer.find(END, start)
        if (end if end >= 0 else len(buffer)) - start > limit:
            raise BadFrame(f"The maximum message size of {limit} bytes was exceeded.")
        return (start, end, end + 1) if end >= 0 else None

    def decode(self, payload: bytes) -> Message | None:
        """The message in a payload; None for a type that is not known, which the protocol ignores."""
        fields = read_object(payload)
        kind = fields.get("type")
        if type(kind) is not int:
            raise BadFrame("A message needs a whole number as its 'type'.")
        reader = _READERS.get(kind)
        return reader(fields) if reader else None


def read_object(payload: bytes) -> Fields:
    """Strict JSON: an object, UTF-8, no NaN, no half surrogate pairs; raises BadFrame."""
    try:
        value = json.loads(payload.decode(), parse_constant=_no_constant)
        if b"\\ud" in payload.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadFrame("The message is not valid JSON.") from error
    if not isinstance(value, dict):
        raise BadFrame("The message is not a JSON object.")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _write_invocation(message: Invocation | StreamInvocation) -> Fields:
    fields: Fields = {"type": 1 if isinstance(message, Invocation) else 4}
    if message.invocation_id is not None:
        fields["invocationId"] = message.invocation_id
    fields |= {"target": message.target, "arguments": message.arguments}
    if message.stream_ids:
        fields["streamIds"] = message.stream_ids
    return fields


def _write_completion(message: Completion) -> Fields:
    fields: Fields = {"type": 3, "invocationId": message.invocation_id}
    if message.error is not None:
        fields["error"] = message.error
    elif message.has_result:
        fields["result"] = message.result
    return fields


def _write_close(message: Close) -> Fields:
    fields: Fields = {"type": 7}
    if message.error is not None:
        fields["error"] = message.error
    if message.allow_reconnect:
        fields["allowReconnect"] = True
    return fields


_WRITERS: dict[type, Callable[[Any], Fields]] = {
    Invocation: _write_invocation,
    StreamItem: lambda m: {"type": 2, "invocationId": m.invocation_id, "item": m.item},
    Completion: _write_completion,
    StreamInvocation: _write_invocation,
    CancelInvocation: lambda m: {"type": 5, "invocationId": m.invocation_id},
    Ping: lambda m: {"type": 6},
    Close: _write_close,
    Ack: lambda m: {"type": 8, "sequenceId": m.sequence_id},
    Sequence: lambda m: {"type": 9, "sequenceId": m.sequence_id},
}


def _read_invocation(fields: Fields) -> Invocation:
    return Invocation(
        target=_need(fields, "target", str),
        arguments=tuple(_need(fields, "arguments", list)),
        invocation_id=_may(fields, "invocationId", str),
        stream_ids=_read_stream_ids(fields),
    )


def _read_stream_invocation(fields: Fields) -> StreamInvocation:
    return StreamInvocation(
        target=_need(fields, "target", str),
        arguments=tuple(_need(fields, "arguments", list)),
        invocation_id=_need(fields, "invocationId", str),
        stream_ids=_read_stream_ids(fields),
    )


def _read_stream_ids(fields: Fields) -> tuple[str, ...]:
    ids = _may(fields, "streamIds", list) or []
    if not all(isinstance(id, str) for id in ids):
        raise BadFrame("Every one of 'streamIds' must be text.")
    return tuple(ids)


def _read_stream_item(fields: Fields) -> StreamItem:
    if "item" not in fields:
        raise BadFrame("A stream item needs its 'item'.")
    return StreamItem(_need(fields, "invocationId", str), fields["item"])


def _read_completion(fields: Fields) -> Completion:
    error, has_result = _may(fields, "error", str), "result" in fields
    if error is not None and has_result:
        raise BadFrame("A completion has an 'error' or a 'result', not both.")
    return Completion(_need(fields, "invocationId", str), fields.get("result"), error, has_result)


def _read_close(fields: Fields) -> Close:
    return Close(_may(fields, "error", str), _may(fields, "allowReconnect", bool) or False)


_READERS: dict[int, Callable[[Fields], Message]] = {
    1: _read_invocation,
    2: _read_stream_item,
    3: _read_completion,
    4: _read_stream_invocation,
    5: lambda fields: CancelInvocation(_need(fields, "invocationId", str)),
    6: lambda fields: Ping(),
    7: _read_close,
    8: lambda fields: Ack(_need(fields, "sequenceId", int)),
    9: lambda fields: Sequence(_need(fields, "sequenceId", int)),
}


def _need(fields: Fields, name: str, kind: type) -> Any:
    if type(fields.get(name)) is not kind:
        raise BadFrame(f"The message needs '{name}' of type {kind.__name__}.")
    return fields[name]


def _may(fields: Fields, name: str, kind: type) -> Any:
    return None if fields.get(name) is None else _need(fields, name, kind)
