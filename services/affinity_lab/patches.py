"""What each line of a lab program changes in the state: who is pinned where, who was refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from services.events.log import Patch
from services.workspaces.tail import Line

_BROWSERS = 300
"""So many real browsers are shown beside the crowd."""

State = Mapping[str, Any]
Change = dict[str, Any]


def patch_of(line: Line) -> Patch | None:
    """The patch of a line; None for lines that the dashboard says itself, in words that name who asked."""
    if line.kind in ("affinity.changed", "endpoints.changed", "crowd.changed"):
        return None
    return lambda state: _change(state, line)


def _change(state: State, line: Line) -> Change:
    change: Change = {}
    if line.source in state.get("replicas", {}):
        counts = {
            key: line.data[key] for key in ("connections", "circuits") if isinstance(line.data.get(key), int)
        }
        if counts:
            change["replicas"] = {line.source: counts}
    # a late visitors.ready, which counts nobody, would unask for the visitors that were asked for meanwhile
    if line.kind != "visitors.ready" and isinstance(crowd := line.data.get("crowd"), dict):
        change["visitors"] = {key: crowd[key] for key in ("count", "connected", "failed") if key in crowd}
    if fold := _FOLDS.get(line.kind):
        change |= fold(state, line)
    if "circuits" in change and "replicas" not in change:
        change |= _counted(state, change, line.source)
    return change


def _counted(state: State, change: Change, replica: str) -> Change:
    """How many circuits the replica holds, for an app whose lines do not say it."""
    if replica not in state.get("replicas", {}):
        return {}
    before = {key: held for key, held in state.get("circuits", {}).items() if held.get("replica") == replica}
    after = {key: before.get(key, {}) | held if held else None for key, held in change["circuits"].items()}
    held = [each for each in (before | after).values() if each and each.get("replica") == replica]
    connected = sum(1 for each in held if each.get("connected"))
    return {"replicas": {replica: {"connections": connected, "circuits": len(held)}}}


def memory_gone(state: State, replica: str) -> Change:
    """The replica is gone: so are the circuits that it held, and everyone's way back to them."""
    lost = [key for key, circuit in state.get("circuits", {}).items() if circuit.get("replica") == replica]
    waiting = {"circuit": None, "replica": None, "status": "waiting", "memory": "lost"}
    people = {
        name: dict(waiting)
        for name, person in state.get("people", {}).items()
        if person.get("circuit") in lost or person.get("replica") == replica
    }
    return {"circuits": dict.fromkeys(lost), "people": people}


def _endpoint_ejected(state: State, line: Line) -> Change:
    return _health(state, line.source, False)


def _endpoint_readmitted(state: State, line: Line) -> Change:
    return _health(state, line.source, True)


def _health(state: State, replica: str, healthy: bool) -> Change:
    return {"replicas": {replica: {"healthy": healthy}}} if replica in state.get("replicas", {}) else {}


def _circuit_started(state: State, line: Line) -> Change:
    visitor, circuit = line.data.get("visitor"), str(line.data.get("circuit"))
    held = {"replica": line.source, "visitor": visitor, "connected": True, "count": line.data.get("count", 0)}
    before = _person(state, visitor)
    lost = before.get("memory") == "lost" and (
        before.get("status") != "connected" or before.get("circuit") == circuit  # the crowd said so first
    )
    memory = "lost" if lost else "new"
    here = {"circuit": circuit, "replica": line.source, "status": "connected", "memory": memory}
    return {"circuits": {circuit: held}} | _people(state, visitor, here | _by(line))


def _circuit_resumed(state: State, line: Line) -> Change:
    visitor, circuit = line.data.get("visitor"), str(line.data.get("circuit"))
    held = {"replica": line.source, "visitor": visitor, "connected": True, "count": line.data.get("count", 0)}
    here = {"circuit": circuit, "replica": line.source, "status": "connected", "memory": "kept"}
    return {"circuits": {circuit: held}} | _people(state, visitor, here | _by(line))


def _by(line: Line) -> Change:
    """The transport, where the line has it: Blazor's have no other place for it."""
    return {"transport": line.data["transport"]} if line.data.get("transport") else {}


def _circuit_paused(state: State, line: Line) -> Change:
    """Its memory is on its way, in the visitor's own hands."""
    circuit, visitor = str(line.data.get("circuit")), line.data.get("visitor")
    carries = {"circuit": None, "replica": None, "status": "waiting", "memory": "carried", "transport": None}
    owner = _people(state, visitor, carries) if _person(state, visitor).get("circuit") == circuit else {}
    return {"circuits": {circuit: None}} | owner


def _circuit_closed(state: State, line: Line) -> Change:
    return {"circuits": {str(line.data.get("circuit")): None}}


def _circuit_rejected(state: State, line: Line) -> Change:
    return _people(state, line.data.get("visitor"), {"status": "waiting", "memory": "lost"})


def _move_refused(state: State, line: Line) -> Change:
    """It is connected to nothing that it could use; Blazor's page stays as it is, dead."""
    lost = {"status": "failed", "memory": "lost", "circuit": None, "replica": None}
    return _people(state, line.data.get("visitor"), lost)


def _circuit_gone(state: State, line: Line) -> Change:
    circuit, visitor = str(line.data.get("circuit")), line.data.get("visitor")
    nobody = {"circuit": None, "replica": None, "memory": "lost"}
    owner = _people(state, visitor, nobody) if _person(state, visitor).get("circuit") == circuit else {}
    return {"circuits": {circuit: None}} | owner


def _connection_opened(state: State, line: Line) -> Change:
    return _people(state, line.data.get("visitor"), {"transport": line.data.get("transport")})


def _connection_closed(state: State, line: Line) -> Change:
    visitor, circuit = line.data.get("visitor"), line.data.get("circuit")
    change: Change = {}
    if circuit in state.get("circuits", {}):
        change["circuits"] = {circuit: {"connected": False}}
    person = _person(state, visitor)
    if not person or (person.get("circuit") and person["circuit"] != circuit):
        return change
    if line.data.get("reason") == "client" and person.get("kind") == "browser":
        return change | {"people": {visitor: None}}
    return change | _people(state, visitor, {"status": "waiting", "transport": None})


def _connection_refused(state: State, line: Line) -> Change:
    visitor = line.data.get("visitor")
    if _person(state, visitor).get("status") == "connected":
        return {}
    return _people(state, visitor, {"status": "refused"})


def _visitor_failed(state: State, line: Line) -> Change:
    return _people(state, line.data.get("visitor"), {"status": "failed", "transport": None})


def _visitor_connected(state: State, line: Line) -> Change:
    found = {
        key: line.data[key] for key in ("memory", "transport", "circuit", "replica") if line.data.get(key)
    }
    return _people(state, line.data.get("visitor"), {"status": "connected"} | found)


def _visitor_reconnecting(state: State, line: Line) -> Change:
    return _people(state, line.data.get("visitor"), {"status": "waiting", "transport": None})


def _visitor_left(state: State, line: Line) -> Change:
    """A page says goodbye also when it never was connected; who is connected says it by closing."""
    visitor, circuit = line.data.get("visitor"), line.data.get("circuit")
    person = _person(state, visitor)
    browser = person.get("kind") == "browser"  # of a virtual one the crowd says it, and only at its end
    gone: Change = {"circuits": {circuit: None}} if circuit in state.get("circuits", {}) else {}
    if browser and person.get("status") == "connected":
        return gone
    coming = browser and person.get("memory") == "lost" and person.get("status") == "waiting"
    if coming or (circuit and person.get("circuit") != circuit):
        return gone  # the page that it left was an older one: it loads it again
    return gone | ({"people": {visitor: None}} if isinstance(visitor, str) else {})


_FOLDS: dict[str, Callable[[State, Line], Change]] = {
    "endpoint.ejected": _endpoint_ejected,
    "endpoint.readmitted": _endpoint_readmitted,
    "circuit.started": _circuit_started,
    "circuit.resumed": _circuit_resumed,
    "circuit.moved": _circuit_resumed,
    "circuit.restored": _circuit_resumed,
    "circuit.paused": _circuit_paused,
    "circuit.closed": _circuit_closed,
    "circuit.move_refused": _move_refused,
    "circuit.rejected": _circuit_rejected,
    "circuit.expired": _circuit_gone,
    "circuit.forgotten": _circuit_gone,
    "connection.opened": _connection_opened,
    "connection.closed": _connection_closed,
    "connection.refused": _connection_refused,
    "page.rejected": _visitor_failed,
    "visitor.failed": _visitor_failed,
    "visitor.connected": _visitor_connected,
    "visitor.reconnecting": _visitor_reconnecting,
    "visitor.left": _visitor_left,
}


def _person(state: State, visitor: Any) -> Mapping[str, Any]:
    found = state.get("people", {}).get(visitor) if isinstance(visitor, str) else None
    return found or {}


def _people(state: State, visitor: Any, change: Change) -> Change:
    """A change to one visitor; nothing for a client without a name, and for one that has left.

    The lines of a visitor come from three programs; one that is late must not bring it back to life.
    """
    if not isinstance(visitor, str) or not visitor:
        return {}
    number = visitor.removeprefix("visitor-")
    virtual = number != visitor
    asked = state.get("visitors", {}).get("count", 0)
    if virtual and visitor not in state.get("people", {}) and not (number.isdigit() and int(number) <= asked):
        return {}
    if visitor in state.get("people", {}):
        return {"people": {visitor: change}}
    newcomer = {"kind": "virtual" if virtual else "browser", "status": "waiting"}
    return {"people": {visitor: newcomer | change} | _crowded_out(state)}


def _crowded_out(state: State) -> Change:
    """Anybody may come with a new name; when too many have, one that is not connected is forgotten."""
    people = state.get("people", {})
    if len(people) < state.get("visitors", {}).get("count", 0) + _BROWSERS:
        return {}
    idle = (
        name
        for name, person in people.items()
        if person.get("kind") == "browser" and person.get("status") != "connected"
    )
    return dict.fromkeys(itertools.islice(idle, 1))
