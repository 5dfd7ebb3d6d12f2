"""The hub's methods, and how an invocation becomes an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from services.circuit.circuits import Circuit, Circuits
from services.circuit.descriptor import BadDescriptor, Signer
from services.circuit.journal import Journal
from services.circuit.timing import NOTE_LIMIT
from services.wire.messages import Completion, Invocation, Message, StreamInvocation

if TYPE_CHECKING:
    from services.circuit.connection import Connection


class HubError(Exception):
    """A call that fails; the client's promise is rejected with this text."""


class Void:
    """What a method without a result returns."""


class Hub:
    """StartCircuit, ConnectCircuit, ResumeCircuit, Increment, SetNote, GetState, GetConnection."""

    def __init__(self, journal: Journal, circuits: Circuits, signer: Signer) -> None:
        self._journal = journal
        self._circuits = circuits
        self._signer = signer
        self.draining = False
        self._methods: dict[str, tuple[int, int, Callable[..., Any]]] = {
            "StartCircuit": (0, 1, self._start_circuit),
            "ConnectCircuit": (1, 1, self._connect_circuit),
            "ResumeCircuit": (1, 1, self._resume_circuit),
            "Increment": (0, 0, self._increment),
            "SetNote": (1, 1, self._set_note),
            "GetState": (0, 0, self._get_state),
            "GetConnection": (0, 0, self._get_connection),
        }

    def answer(self, connection: Connection, message: Message) -> Completion | None:
        """The answer to a call; None when nobody waits for one, or when it is not a call."""
        if isinstance(message, StreamInvocation):
            error = f"The client attempted to invoke the non-streaming '{message.target}' method"
            return Completion(message.invocation_id, error=f"{error} with a streaming invocation.")
        if not isinstance(message, Invocation):
            return None
        try:
            result = self._call(connection, message)
        except HubError as error:
            return _completion(message, error=str(error))
        if result is Void:
            return _completion(message)
        return _completion(message, result=result, has_result=True)

    def _call(self, connection: Connection, message: Invocation) -> Any:
        failed = f"Failed to invoke '{message.target[:64]}' due to an error on the server."
        if message.target not in self._methods:
            raise HubError(f"{failed} HubException: Method does not exist.")
        low, high, method = self._methods[message.target]
        if not low <= len(message.arguments) <= high:
            raise HubError(f"{failed} It takes {high} arguments, not {len(message.arguments)}.")
        return method(connection, *message.arguments)

    def _start_circuit(self, connection: Connection, descriptor: object = None) -> str:
        if connection.circuit is not None:
            raise HubError("This connection has a circuit already.")
        if self.draining:
            raise HubError(f"{self._journal.replica} is draining and takes no new circuits.")
        if descriptor is not None:
            self._check_page(connection, descriptor)
        return self._circuits.start(connection).id

    def _check_page(self, connection: Connection, descriptor: object) -> None:
        try:
            self._signer.check(descriptor)
        except BadDescriptor as error:
            text = f"{self._journal.replica} refused {connection.who}: {error}"
            self._journal.tell("page.rejected", text, connection, "warning", page=error.replica)
            raise HubError(f"The circuit failed to initialize. {error}") from error

    def _connect_circuit(self, connection: Connection, id: object) -> bool:
        if not isinstance(id, str):
            raise HubError("ConnectCircuit takes the id of a circuit, as text.")
        if connection.circuit is not None and connection.circuit.id != id:
            raise HubError("This connection has a circuit already.")
        return connection.circuit is not None or self._circuits.connect(connection, id)

    def seal(self, circuit: Circuit) -> str:
        """The memory as its visitor takes it along: count and note, signed with the page key."""
        return self._signer.seal({"circuit": circuit.id, "count": circuit.count, "note": circuit.note})

    def _resume_circuit(self, connection: Connection, state: object) -> str | None:
        """The id of a circuit with the memory that was brought; None when this replica cannot read it."""
        if connection.circuit is not None:
            raise HubError("This connection has a circuit already.")
        if self.draining:
            raise HubError(f"{self._journal.replica} is draining and takes no new circuits.")
        try:
            return self._circuits.bring(connection, self._signer.unseal(state)).id
        except BadDescriptor as error:
            text = f"{self._journal.replica} cannot read the memory that {connection.who} brought: {error}"
            about = {"from": error.replica, "paused": error.circuit, "circuit": error.circuit}
            self._journal.tell("circuit.move_refused", text, connection, "warning", **about)
            return None

    def _increment(self, connection: Connection) -> int:
        circuit = _circuit(connection)
        circuit.count += 1
        return circuit.count

    def _set_note(self, connection: Connection, text: object) -> type[Void]:
        circuit = _circuit(connection)
        if not isinstance(text, str) or len(text) > NOTE_LIMIT:
            raise HubError(f"A note is text of at most {NOTE_LIMIT} characters.")
        circuit.note = text
        return Void

    def _get_state(self, connection: Connection) -> dict[str, Any]:
        circuit = _circuit(connection)
        state = {"circuit": circuit.id, "count": circuit.count, "note": circuit.note}
        return {"replica": self._journal.replica} | state

    def _get_connection(self, connection: Connection) -> dict[str, Any]:
        facts = connection.facts()
        wanted = {name: facts[name] for name in ("connection_id", "transport", "protocol", "visitor")}
        return {"replica": self._journal.replica} | wanted


def _completion(message: Invocation, **what: Any) -> Completion | None:
    return None if message.invocation_id is None else Completion(message.invocation_id, **what)


def _circuit(connection: Connection) -> Circuit:
    if connection.circuit is None:
        raise HubError("Circuit not initialized.")
    return connection.circuit
