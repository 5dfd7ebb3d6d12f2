"""What the two ends of a SignalR connection say to each other (aspnetcore, HubProtocol.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class BadFrame(ValueError):
    """The other end broke the protocol; the message says how, and the connection cannot go on."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """A call; without `invocation_id` nobody waits for an answer."""

    target: str
    arguments: tuple[Any, ...] = ()
    invocation_id: str | None = None
    stream_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamItem:
    """One value of a stream."""

    invocation_id: str
    item: Any


@dataclass(frozen=True, slots=True)
class Completion:
    """The answer to an Invocation: an error, a result (which may be None), or just the end."""

    invocation_id: str
    result: Any = None
    error: str | None = None
    has_result: bool = False

    @classmethod
    def of(cls, invocation_id: str, result: Any) -> Completion:
        """An answer that carries a result."""
        return cls(invocation_id, result=result, has_result=True)


@dataclass(frozen=True, slots=True)
class StreamInvocation:
    """A call whose answer is a stream."""

    target: str
    arguments: tuple[Any, ...]
    invocation_id: str
    stream_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CancelInvocation:
    """Stops a stream that the sender asked for."""

    invocation_id: str


@dataclass(frozen=True, slots=True)
class Ping:
    """Says only that the sender is still there."""


@dataclass(frozen=True, slots=True)
class Close:
    """The last message of a connection."""

    error: str | None = None
    allow_reconnect: bool = False


@dataclass(frozen=True, slots=True)
class Ack:
    """Everything up to this message has arrived (stateful reconnect, protocol version 2)."""

    sequence_id: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """The number of the next message (stateful reconnect, protocol version 2)."""

    sequence_id: int


Message = (
    Invocation | StreamItem | Completion | StreamInvocation | CancelInvocation | Ping | Close | Ack | Sequence
)
