"""One SignalR connection, as the replica that made it knows it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from services.circuit.outbox import Outbox
from services.circuit.timing import OUTBOX_LIMIT
from services.wire import signalr

if TYPE_CHECKING:
    from services.circuit.circuits import Circuit

Transport = Literal["WebSockets", "ServerSentEvents", "LongPolling"]
Reason = Literal["dropped", "client", "timeout", "stopping"]


class Refusal(Exception):
    """An HTTP answer other than 200, with the real server's text."""

    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def nothing() -> None:
    """What there is to abort while no request carries a connection."""


class Connection:
    """One SignalR connection; it lives here and on no other replica."""

    __slots__ = (
        "abort", "circuit", "ended", "heard_at", "id", "outbox", "pending", "polls",
        "protocol", "reader", "sent_at", "token", "transport", "visitor",
    )  # fmt: skip

    def __init__(self, visitor: str | None, version: int) -> None:
        self.id = secrets.token_urlsafe(16)
        self.token = secrets.token_urlsafe(16) if version else self.id
        self.visitor = visitor
        self.transport: Transport | None = None
        self.protocol: signalr.HubProtocol | None = None
        self.reader: signalr.FrameReader | None = None
        self.circuit: Circuit | None = None
        self.outbox = Outbox(OUTBOX_LIMIT)
        self.pending = b""
        """Bytes of an unfinished handshake."""
        self.abort: Callable[[], None] = nothing
        """Breaks the TCP connection that carries it just now."""
        self.polls = 0
        self.ended = False
        self.heard_at = self.sent_at = time.monotonic()

    @property
    def opened(self) -> bool:
        """True from the handshake on."""
        return self.protocol is not None

    @property
    def who(self) -> str:
        return self.visitor or "A visitor without a name"

    def facts(self) -> dict[str, Any]:
        """As events and the control port show it."""
        return {
            "connection": self.token,
            "connection_id": self.id,
            "visitor": self.visitor,
            "transport": self.transport,
            "protocol": self.protocol.name if self.protocol else None,
            "circuit": self.circuit.id if self.circuit else None,
        }
