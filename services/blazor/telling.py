"""What Blazor's replicas and .NET itself say, told as the circuit app tells it.

The app's own lines have the circuit and its count, but not whose it is: Blazor never learns that. .NET's log
has which HTTP request opened a circuit, and the balancer notes in that request who asks. Both come from one
process over two streams, and either may be read first: what needs both is told with the second half.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from services.blazor.dotnet_log import Asked, Entry, opens_transport, read_entry, read_object
from services.workspaces.tail import Line

REMEMBERED = 20_000
_AT_ONCE = 0.9
"""Seconds; a circuit that closes sooner after its connection was let go by its visitor, not by the clock."""
_DROPPED = 3.0
_WARNED = {"Warning": "warning", "Error": "error", "Critical": "error"}
_NOTHING = Asked()
_NOT_FOUND = ("ComponentHub: ConnectAsync received", "CircuitRegistry: Failed to find a matching circuit")
_OURS_TOO = ("replica.started", "circuit.started", "circuit.closed", "circuits.asked_to_move")
"""Kinds of the app's lines that the lab has a kind of the same name for."""
V = TypeVar("V")


class Memory(OrderedDict[Any, V]):
    """A dict that forgets its oldest beyond `REMEMBERED`."""

    def keep(self, key: Any, value: V) -> V:
        self[key] = value
        self.move_to_end(key)
        if len(self) > REMEMBERED:
            self.popitem(last=False)
        return value


class Telling:
    """One for all replicas of a workspace, since a circuit that pauses on one resumes on another."""

    def __init__(self, whose: Callable[[str], str | None]) -> None:
        """`whose` says whose a circuit is that was told before this dashboard began."""
        self._whose = whose
        self._turn = threading.Lock()
        self._requests: Memory[Asked] = Memory()
        self._owners: Memory[tuple[str, Asked]] = Memory()
        """Circuit → the replica that holds it, and who opened its connection."""
        self._halves: Memory[tuple[str, dict[str, Any]]] = Memory()
        self._fresh: Memory[bool] = Memory()
        """Circuits that were told to be started and not yet to be connected: that is the same news."""
        self._left: Memory[str] = Memory()
        """When the connection of a circuit was lost."""
        self._pausing: Memory[bool] = Memory()
        self._carried: Memory[dict[str, Any]] = Memory()
        """Visitor → the memory that it was asked to take from one replica to another."""
        self._tried: Memory[bool] = Memory()
        """Requests in which a client asked for its circuit and did not get it."""
        self._restoring: Memory[str] = Memory()
        self._dropped: dict[str, str] = {}
        self._pages: Memory[str] = Memory()
        self._last: Memory[str] = Memory()
        """Visitor → its last circuit: who cannot read a circuit's name does not say it."""

    def told(self, line: Line) -> Line:
        """The line in the lab's words; one with an empty text is no news."""
        with self._turn:
            if line.kind == "page.served":
                return self._page_served(line)
            if line.kind in _OURS_TOO:
                return self._app_said(line.source, line.kind, line.at or "", line.data, line.text)
            found = read_object(line.text) if line.kind == "output.line" else None
            if found is None:
                return line
            try:
                return self._read(line, found)
            except (KeyError, TypeError, ValueError, AttributeError):
                return line

    def _read(self, line: Line, found: dict[str, Any]) -> Line:
        if "kind" in found:
            data = dict(found.get("data") or {})
            return self._app_said(line.source, found["kind"], str(found["at"]), data, str(found["text"]))
        return self._dotnet_said(line.source, read_entry(found))

    def _page_served(self, line: Line) -> Line:
        """Who loads the page begins anew: whatever it carried is not taken up any more."""
        if visitor := line.data.get("visitor"):
            self._pages.keep(visitor, line.source)
            self._carried.pop(visitor, None)
        return line

    # the app's own lines

    def _app_said(self, replica: str, kind: str, at: str, data: dict[str, Any], text: str) -> Line:
        circuit, count = str(data.get("circuit")), data.get("count", 0)
        if kind == "replica.started":
            return Line(replica, "replica.ready", "info", text, data, at)
        if kind == "circuit.started":
            self._fresh.keep(circuit, True)
            return self._both("started", circuit, replica, at, {"count": count})
        if kind == "circuit.connected":
            if self._fresh.pop(circuit, False):
                return nothing(replica)
            return self._both("resumed", circuit, replica, at, {"count": count})
        if kind == "circuit.disconnected":
            return self._disconnected(replica, circuit, at, count)
        if kind == "circuit.closed":
            return self._closed(replica, circuit, at, count)
        if kind == "connection.dropped":
            self._dropped[replica] = at
            return nothing(replica)
        if kind == "circuits.asked_to_move":
            self._asked_to_move(replica)
            return Line(replica, kind, "info", text, data, at)
        return Line(replica, "output.line", "info", text, {"stream": "stdout"}, at)

    def _asked_to_move(self, replica: str) -> None:
        """Said before anybody can have moved; what the old replica says last may be read too late."""
        for circuit, (at, owner) in self._owners.items():
            if at == replica and owner.visitor and circuit not in self._left:
                self._carry(owner.visitor, replica, circuit)

    def _carry(self, visitor: str, replica: str, circuit: str) -> None:
        self._carried.keep(visitor, {"from": replica, "paused": circuit})

    def _owner(self, circuit: str) -> Asked:
        found = self._owners.get(circuit)
        return found[1] if found else Asked(visitor=self._whose(circuit))

    def _disconnected(self, replica: str, circuit: str, at: str, count: int) -> Line:
        self._left.keep(circuit, at)
        owner = self._owner(circuit)
        dropped = replica in self._dropped and abs(_between(self._dropped[replica], at)) < _DROPPED
        reason = "dropped" if dropped else "lost"
        why = "its TCP connection was broken on request" if dropped else "the connection is gone"
        text = f"{_who(owner)} is disconnected from {replica}: {why}."
        data = _data(owner, replica, circuit) | {"reason": reason, "count": count}
        return Line(replica, "connection.closed", "info", text, data, at)

    def _closed(self, replica: str, circuit: str, at: str, count: int) -> Line:
        owner = self._owner(circuit)
        self._owners.pop(circuit, None)
        data = _data(owner, replica, circuit) | {"count": count}
        waited = _between(self._left.pop(circuit, at), at)
        if self._pausing.pop(circuit, False):
            text = f"{_who(owner)} took its memory along from {replica}: count {count}."
            return Line(replica, "circuit.paused", "info", text, data, at)
        if waited > _AT_ONCE:
            text = f"The memory of {_who(owner)} on {replica} is gone: nobody came back in time."
            return Line(replica, "circuit.expired", "info", text, data, at)
        text = f"{_who(owner)} left the page; {replica} let its memory go."
        browser = owner.visitor and not owner.visitor.startswith("visitor-")
        return Line(replica, "visitor.left" if browser else "circuit.closed", "info", text, data, at)

    # what .NET logs

    def _dotnet_said(self, replica: str, entry: Entry) -> Line:
        if asked := opens_transport(entry):
            self._requests.keep((replica, entry.request), asked)
            return nothing(replica)
        owner = self._requests.get((replica, entry.request), _NOTHING)
        circuit = str(entry.values.get("CircuitId"))
        said = f"{entry.category}: {entry.said}"
        if said == "CircuitFactory: Created circuit {CircuitId} for connection {ConnectionId}":
            self._own(circuit, replica, owner)
            return self._both("started", circuit, replica, entry.at, {"request": entry.request})
        if said == "CircuitRegistry: Reconnect to circuit with id {CircuitId} succeeded.":
            self._own(circuit, replica, owner)
            return self._both("resumed", circuit, replica, entry.at, {})
        if said.startswith("CircuitRegistry: Pausing circuit with id {CircuitId}"):
            self._pausing.keep(circuit, True)
            if visitor := self._owner(circuit).visitor:
                self._carry(visitor, replica, circuit)
        elif said.startswith("ICircuitPersistenceProvider: Circuit state found"):
            self._restoring.keep((replica, entry.request), circuit)
        elif said.startswith("ICircuitPersistenceProvider: Failed to find persisted circuit"):
            return self._unknown(replica, owner, circuit, entry)
        elif said.startswith(_NOT_FOUND):
            self._tried.keep((replica, entry.request), True)
        elif said.startswith("ComponentHub: ResumeCircuit received an invalid circuit id"):
            return self._unreadable(replica, owner, entry)
        elif said == "ComponentHub: Circuit initialization failed" and "key ring" in entry.exception:
            return self._page_rejected(replica, owner, entry)
        return _warning(replica, entry) if entry.level in _WARNED else nothing(replica)

    def _own(self, circuit: str, replica: str, owner: Asked) -> None:
        self._owners.keep(circuit, (replica, owner))
        if owner.visitor:
            self._last.keep(owner.visitor, circuit)

    def _unknown(self, replica: str, owner: Asked, circuit: str | None, entry: Entry) -> Line:
        text = f"{_who(owner)} asked {replica} for a memory that {replica} does not hold."
        return Line(replica, "circuit.rejected", "warning", text, _data(owner, replica, circuit), entry.at)

    def _unreadable(self, replica: str, owner: Asked, entry: Entry) -> Line:
        """Another key signed the circuit's name: it is not held here, and what was carried cannot be read."""
        carried = self._carried.pop(owner.visitor, None)
        if carried is None or self._tried.pop((replica, entry.request), False):
            return self._unknown(replica, owner, self._last.get(owner.visitor), entry)
        text = (
            f"{replica} cannot read the memory that {_who(owner)} brought: {carried['from']} has another key."
        )
        data = _data(owner, replica, carried["paused"]) | carried
        return Line(replica, "circuit.move_refused", "warning", text, data, entry.at)

    def _page_rejected(self, replica: str, owner: Asked, entry: Entry) -> Line:
        signer = self._pages.get(owner.visitor) if owner.visitor else None
        signed = f"{signer} signed its page with another key" if signer else "another key signed its page"
        text = f"{replica} refused {_who(owner)}: {signed}."
        data = _data(owner, replica, None) | {"page": signer}
        return Line(replica, "page.rejected", "warning", text, data, entry.at)

    # events of two halves

    def _both(self, what: str, circuit: str, replica: str, at: str, half: dict[str, Any]) -> Line:
        other = self._halves.pop((what, circuit), None)
        if other is None:
            self._halves.keep((what, circuit), (at, half))
            return nothing(replica)
        known = other[1] | half
        if what == "resumed":
            return self._resumed(replica, circuit, max(at, other[0]), known.get("count", 0))
        return self._started(replica, circuit, max(at, other[0]), known)

    def _resumed(self, replica: str, circuit: str, at: str, count: int) -> Line:
        self._left.pop(circuit, None)
        owner = self._owner(circuit)
        text = f"{_who(owner)} is back on {replica}, its memory was kept: count {count}."
        return Line(
            replica, "circuit.resumed", "info", text, _data(owner, replica, circuit) | {"count": count}, at
        )

    def _started(self, replica: str, circuit: str, at: str, known: dict[str, Any]) -> Line:
        owner = self._owner(circuit)
        data = _data(owner, replica, circuit) | {"count": known.get("count", 0)}
        line = Line(replica, "circuit.started", "info", "", data, at)
        carried = self._carried.pop(owner.visitor, None) if owner.visitor else None
        before = self._restoring.pop((replica, known.get("request")), None)
        if carried:
            text = f"{_who(owner)} is on {replica} now and brought its memory from {carried['from']}."
            return replace(line, kind="circuit.moved", text=text, data=data | carried)
        if before:
            text = f"{_who(owner)} got its memory back on {replica}: it was put aside when its time was over."
            return replace(line, kind="circuit.restored", text=text, data=data | {"before": before})
        return replace(line, text=f"{_who(owner)} has a new memory on {replica}.")


def nothing(replica: str) -> Line:
    """A line that is no news."""
    return Line(replica, "output.line", "info", "")


def _data(owner: Asked, replica: str, circuit: str | None) -> dict[str, Any]:
    return {
        "connection": owner.connection,
        "visitor": owner.visitor,
        "transport": owner.transport,
        "protocol": "blazorpack",
        "circuit": circuit,
        "replica": replica,
    }


def _who(owner: Asked) -> str:
    return owner.visitor or "A visitor without a name"


def _warning(replica: str, entry: Entry) -> Line:
    first = entry.exception.partition("\n")[0].strip()
    text = f"{entry.category}: {entry.message}{f' {first}' if first else ''}"
    return Line(replica, "output.line", _WARNED[entry.level], text, {"stream": "stderr"}, entry.at)  # type: ignore[arg-type]


def _between(before: str, after: str) -> float:
    """Seconds from one time of a line to another; 0 when one cannot be read."""
    try:
        begun, ended = (datetime.fromisoformat(at.replace("Z", "+00:00")) for at in (before, after))
        return (ended - begun).total_seconds()
    except ValueError:
        return 0.0
