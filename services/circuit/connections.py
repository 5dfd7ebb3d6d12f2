"""The connections of this replica: made by negotiate, carried by a transport, ended for a reason."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from services.circuit.circuits import Circuit, Circuits
from services.circuit.connection import Connection, Reason, Refusal, Transport
from services.circuit.handshake import Disagreement, agree
from services.circuit.hub import Hub
from services.circuit.journal import Journal
from services.circuit.outbox import OutboxFull
from services.circuit.timing import CONNECTION_LIMIT, Timing
from services.wire import signalr
from services.wire.messages import BadFrame, Close, Invocation, Message, Ping


class Connections:
    """Every connection, by the token in its `id=` query."""

    def __init__(self, journal: Journal, circuits: Circuits, hub: Hub, timing: Timing) -> None:
        self._journal = journal
        self._circuits = circuits
        self._hub = hub
        self._timing = timing
        self._all: dict[str, Connection] = {}
        self.opened = 0

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._all.values()))

    def create(self, visitor: str | None, version: int) -> Connection:
        """A new one, not yet carried by a transport; raises Refusal when there are too many."""
        if len(self._all) >= CONNECTION_LIMIT:
            self._make_room()
        connection = Connection(visitor, version)
        self._all[connection.token] = connection
        return connection

    def find(self, token: str) -> Connection:
        """Raises Refusal as the real server does: 400 without an id, 404 for an unknown one."""
        if not token:
            raise Refusal(400, "Connection ID required")
        if token not in self._all:
            raise Refusal(404, "No Connection with that ID")
        return self._all[token]

    def claim(self, connection: Connection, transport: Transport) -> None:
        """Carry it by this transport from now on; raises Refusal when it has another, or is in use."""
        if connection.transport is None:
            connection.transport = transport
            connection.heard_at = time.monotonic()
        elif connection.transport != transport:
            raise Refusal(400, "Cannot change transports mid-connection")
        elif transport != "LongPolling":
            raise Refusal(409)

    def receive(self, connection: Connection, data: bytes) -> None:
        """Bytes from the client; whoever breaks the protocol is told so and ended, the others go on."""
        connection.heard_at = time.monotonic()
        try:
            for message in self._messages(connection, data):
                self._obey(connection, message)
                if connection.ended:
                    return
        except BadFrame as error:
            self.reject(connection, str(error))

    def send(self, connection: Connection, message: Message) -> None:
        """Queue a message; a client that lets too much wait is cut."""
        assert connection.protocol is not None
        self._put(connection, connection.protocol.encode(message))

    def reject(self, connection: Connection, why: str) -> None:
        """End it for a broken frame, with a last word."""
        if connection.ended:
            return
        text = f"{connection.who} sent {self._journal.replica} a frame that breaks the protocol: {why}"
        self._journal.tell("frame.rejected", text, connection, "warning")
        if connection.opened:
            self.send(connection, Close(f"Connection closed with an error. {why}"))
        else:
            self._refuse_handshake(connection, "An unexpected error occurred during connection handshake.")
        self.end(connection, "client")

    def end(self, connection: Connection, reason: Reason) -> None:
        """It is over; what is queued may still be read by its transport. Ending twice is nothing."""
        if connection.ended:
            return
        connection.ended = True
        connection.outbox.close()
        if connection.transport != "LongPolling" or connection.outbox.empty:
            self.discard(connection)
        facts = connection.facts()
        self._circuits.leave(connection, said_goodbye=reason == "client")
        if connection.opened:
            self.opened -= 1
            text = f"{connection.who} is disconnected from {self._journal.replica}: {_WHY[reason]}."
            self._journal.tell("connection.closed", text, connection, reason=reason, circuit=facts["circuit"])

    def discard(self, connection: Connection) -> None:
        """Its id is unknown from now on."""
        self._all.pop(connection.token, None)

    def cut(self, connection: Connection, reason: Reason) -> None:
        """End it by breaking its TCP connection, without a goodbye."""
        self.end(connection, reason)
        self.discard(connection)
        connection.abort()

    def drop(self, visitor: str | None, connection: str | None = None) -> int:
        """Cut all that are carried, those of one visitor, or one by its token or public id; how many."""
        carried = [c for c in self if c.transport and visitor in (None, c.visitor)]
        chosen = [c for c in carried if connection in (None, c.token, c.id)]
        for each in chosen:
            self.cut(each, "dropped")
        return len(chosen)

    def move(self, seal: Callable[[Circuit], str]) -> tuple[int, int]:
        """Ask everybody who is connected to take the memory elsewhere: how many, and of how many memories."""
        held = list(self._circuits)
        asked = [(circuit, circuit.connection) for circuit in held if circuit.connection]
        name = self._journal.replica
        text = f"{name} asked {len(asked)} of {len(held)} visitors to take their memory elsewhere."
        self._journal.tell("circuits.asked_to_move", text, asked=len(asked), held=len(held))
        for circuit, connection in asked:
            circuit.paused = True
            self.send(connection, Invocation("Pause", (seal(circuit),)))
        return len(asked), len(held)

    def stop(self) -> None:
        """Say goodbye to everybody; their clients may try to reconnect, elsewhere."""
        for connection in self:
            if connection.opened and not connection.ended:
                self.send(connection, Close(allow_reconnect=True))
            self.end(connection, "stopping")

    def tick(self, now: float) -> None:
        """End what was silent for too long, and ping those to whom nothing was sent for a while."""
        for connection in self:
            silent = now - connection.heard_at
            if connection.ended or connection.transport is None or not connection.opened:
                self._tick_unopened(connection, silent)
            elif connection.transport == "LongPolling":
                if not connection.polls and silent > self._timing.disconnect:
                    self.cut(connection, "timeout")
            elif silent > self._timing.client_timeout:
                self.cut(connection, "timeout")
            elif now - connection.sent_at > self._timing.keep_alive:
                self.send(connection, Ping())

    def _tick_unopened(self, connection: Connection, silent: float) -> None:
        if connection.ended or connection.transport is None:
            if silent > self._timing.disconnect:
                self.end(connection, "timeout")
                self.discard(connection)
        elif silent > self._timing.handshake:
            self._refuse_handshake(connection, "Handshake was canceled.")
            self.end(connection, "timeout")

    def _make_room(self) -> None:
        waiting = next((c for c in self._all.values() if c.transport is None), None)
        if waiting is None:
            raise Refusal(
                503, f"{self._journal.replica} has {CONNECTION_LIMIT} connections and takes no more."
            )
        self.end(waiting, "timeout")

    def _messages(self, connection: Connection, data: bytes) -> list[Message]:
        if connection.reader is None:
            connection.pending += data
            request = signalr.read_handshake_request(connection.pending)
            if request is None:
                return []
            asked, data = request
            connection.pending = b""
            if not self._shake_hands(connection, asked) or not connection.reader:
                return []
        return connection.reader.feed(data)

    def _shake_hands(self, connection: Connection, asked: signalr.HandshakeRequest) -> bool:
        try:
            protocol = agree(asked, connection.transport)
        except Disagreement as error:
            self._refuse_handshake(connection, str(error))
            self.end(connection, "client")
            return False
        connection.protocol, connection.reader = protocol, signalr.FrameReader(protocol)
        self.opened += 1
        text = f"{connection.who} is connected to {self._journal.replica} by {connection.transport}."
        self._journal.tell("connection.opened", text, connection)
        self._put(connection, signalr.HandshakeResponse().encode())
        return True

    def _refuse_handshake(self, connection: Connection, error: str) -> None:
        self._put(connection, signalr.HandshakeResponse(error).encode())

    def _obey(self, connection: Connection, message: Message) -> None:
        if isinstance(message, Close):
            self.end(connection, "client")
        elif answer := self._hub.answer(connection, message):
            self.send(connection, answer)

    def _put(self, connection: Connection, frame: bytes) -> None:
        connection.sent_at = time.monotonic()
        try:
            connection.outbox.put(frame)
        except OutboxFull:
            self.cut(connection, "timeout")


_WHY: dict[Reason, str] = {
    "dropped": "its TCP connection was broken on request",
    "client": "the client went",
    "timeout": "nothing moved for too long",
    "stopping": "the replica stops",
}
