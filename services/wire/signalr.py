"""SignalR's hub protocol for both ends: handshake, framing in pieces, the protocols by name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol

from services.wire.json_protocol import END, JsonProtocol, read_object
from services.wire.messages import BadFrame, Message
from services.wire.msgpack_protocol import MsgpackProtocol

HIGHEST_VERSION = 2
"""The clients 10.x announce protocol version 2, older ones 1 or 0; nothing in a frame differs."""
MESSAGE_LIMIT = 32 * 1024
"""Bytes in one message; the default of the real server (MaximumReceiveMessageSize)."""


class HubProtocol(Protocol):
    """How messages become bytes."""

    @property
    def name(self) -> str: ...
    @property
    def binary(self) -> bool: ...
    def encode(self, message: Message) -> bytes: ...
    def find(self, buffer: bytes, start: int, limit: int) -> tuple[int, int, int] | None: ...
    def decode(self, payload: bytes) -> Message | None: ...


PROTOCOLS: dict[str, HubProtocol] = {
    "json": JsonProtocol(),
    "messagepack": MsgpackProtocol("messagepack"),
    "blazorpack": MsgpackProtocol("blazorpack"),
}


@dataclass(frozen=True, slots=True)
class HandshakeRequest:
    """The client's first message, JSON whatever protocol it asks for."""

    protocol: str
    version: int = 1

    def encode(self) -> bytes:
        fields = {"protocol": self.protocol, "version": self.version}
        return json.dumps(fields, separators=(",", ":")).encode() + END


@dataclass(frozen=True, slots=True)
class HandshakeResponse:
    """The server's answer; with an error the connection is over."""

    error: str | None = None

    def encode(self) -> bytes:
        return (b"{}" if self.error is None else json.dumps({"error": self.error}).encode()) + END


def read_handshake_request(buffer: bytes) -> tuple[HandshakeRequest, bytes] | None:
    """The request and the bytes behind it; None while it is not whole, BadFrame when it never will be."""
    split = _first_frame(buffer)
    if split is None:
        return None
    fields = read_object(split[0])
    protocol, version = fields.get("protocol"), fields.get("version")
    if not isinstance(protocol, str) or type(version) is not int:
        raise BadFrame("A handshake needs 'protocol' (text) and 'version' (a whole number).")
    return HandshakeRequest(protocol, version), split[1]


def read_handshake_response(buffer: bytes) -> tuple[HandshakeResponse, bytes] | None:
    """The response and the bytes behind it; None while it is not whole, BadFrame when it never will be."""
    split = _first_frame(buffer)
    if split is None:
        return None
    fields = read_object(split[0])
    error = fields.get("error")
    if "type" in fields or not isinstance(error, str | None):
        raise BadFrame("Expected a handshake response.")
    return HandshakeResponse(error), split[1]


def _first_frame(buffer: bytes) -> tuple[bytes, bytes] | None:
    found = PROTOCOLS["json"].find(buffer, 0, MESSAGE_LIMIT)
    return (buffer[found[0] : found[1]], buffer[found[2] :]) if found else None


class FrameReader:
    """Turns bytes, cut anywhere, into messages; keeps at most one unfinished message of `limit` bytes."""

    def __init__(self, protocol: HubProtocol, limit: int = MESSAGE_LIMIT) -> None:
        self._protocol = protocol
        self._limit = limit
        self._rest = b""

    def feed(self, data: bytes) -> list[Message]:
        """Every message that is now whole, in order; raises BadFrame, after which the reader is done for."""
        buffer = self._rest + data if self._rest else data
        messages, at = [], 0
        while found := self._protocol.find(buffer, at, self._limit):
            start, end, at = found
            message = self._protocol.decode(buffer[start:end])
            if message is not None:
                messages.append(message)
        self._rest = buffer[at:]
        return messages
