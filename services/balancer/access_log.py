"""Envoy's access log, told in the words of the lab: one ordered stream of who asked whom and got what."""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import Any

from services.balancer.access_entry import CHOSEN, ENDED, HUB, OPENED, Entry, read_entry
from services.balancer.endpoints import Names
from services.wire.lines import emit

REMEMBERED = 20_000
"""Connections whose holder is known; the oldest are forgotten."""


class AccessLog:
    """Reads the log line by line, remembers who holds which connection, emits what a learner can use."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._holders: OrderedDict[str, str | None] = OrderedDict()
        self._routed: OrderedDict[str, bool] = OrderedDict()
        self.requests: Counter[str] = Counter()
        """Requests that each replica answered; a WebSocket counts when it opens."""
        self.refused: Counter[str] = Counter()
        """Of these, the ones for a connection that the replica does not know."""

    def read(self, line: bytes) -> None:
        """Take in one line; what is not a line of ours is left out."""
        try:
            entry = read_entry(line, self._names)
        except (ValueError, KeyError, TypeError, AttributeError):
            return
        if entry.connection and not entry.asked_with_id:
            _remember(self._holders, entry.connection, entry.replica)
        if entry.type == ENDED and entry.status != 101:
            self._count(entry)
            self._tell_ended(entry)
        elif entry.type == OPENED:
            self._count(entry)
            self._tell_routed(entry)
        elif entry.type == CHOSEN and entry.replica and entry.replica == self._holder(entry):
            self._tell_routed(entry)

    def _count(self, entry: Entry) -> None:
        if entry.replica:
            self.requests[entry.replica] += 1

    def _holder(self, entry: Entry) -> str | None:
        return self._holders.get(entry.connection or "")

    def _tell_ended(self, entry: Entry) -> None:
        """Static files, messages of a connection and its later polls are not worth a line."""
        to_hub = entry.path == HUB and entry.asked_with_id
        if entry.status >= 500:
            _tell_failed(entry)
        elif entry.status == 404 and to_hub:
            self._tell_refused(entry)
        elif entry.status == 400 and entry.path == f"{HUB}/disconnect" and _is_browser(entry):
            text = f"{entry.visitor} left the page; {entry.replica} does not know what it held."
            emit("visitor.left", text, source=entry.replica, **entry.data())
        elif entry.status != 200:
            return
        elif entry.method == "GET" and entry.path == "/":
            text = f"{entry.replica} served the page to {entry.who}."
            emit("page.served", text, source=entry.replica, **entry.data())
        elif entry.method == "POST" and entry.path == f"{HUB}/negotiate":
            text = f"{entry.replica} opened connection {_short(entry.connection)} for {entry.who}."
            emit("connection.negotiated", text, source=entry.replica, **entry.data())
        elif entry.method == "GET" and to_hub:
            self._tell_routed(entry)

    def _tell_routed(self, entry: Entry) -> None:
        """Once a connection: polls follow each other, and a stream is logged at both ends."""
        if entry.connection is None or entry.connection in self._routed:
            return
        _remember(self._routed, entry.connection, True)
        what = f"{entry.transport} of {entry.who} reached {entry.replica}"
        text = f"{what}, which holds connection {_short(entry.connection)}."
        emit("connection.routed", text, source=entry.replica, **entry.data())

    def _tell_refused(self, entry: Entry) -> None:
        """A goodbye that comes after the end is no news: the client itself expects that 404.

        It is a DELETE, or a POST that overtook nothing: the client waits for neither.
        """
        holder = self._holder(entry)
        if entry.method != "GET" and holder == entry.replica:
            return
        if entry.replica:
            self.refused[entry.replica] += 1
        unknown = f"connection {_short(entry.connection)} is unknown on {entry.replica}"
        text = f"404 for {entry.who}: {unknown}; {_where(holder, entry.replica)}"
        data = entry.data() | {"holder": holder}
        emit("connection.refused", text, level="warning", source=entry.replica, **data)


def _is_browser(entry: Entry) -> bool:
    """Virtual visitors say themselves when they leave."""
    return bool(entry.visitor and entry.visitor.startswith("browser-"))


def _remember(memory: OrderedDict[str, Any], key: str, value: Any) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)


def _where(holder: str | None, asked: str | None) -> str:
    if holder is None:
        return "no replica was seen to open it."
    return "it has ended there." if holder == asked else f"{holder} holds it."


def _tell_failed(entry: Entry) -> None:
    text = f"{entry.status} for {entry.who}: {_reason(entry)} ({entry.method} {entry.path[:80]})."
    emit("request.failed", text, level="warning", source="balancer", **entry.data(flags=entry.flags))


def _reason(entry: Entry) -> str:
    """Envoy's response flags (its documentation, "Access logging", RESPONSE_FLAGS) in plain words."""
    if "UH" in entry.flags:
        return "no replica that may take it is healthy"
    if "UF" in entry.flags or "URX" in entry.flags:
        return f"{entry.replica or 'no replica'} could not be reached"
    if "UC" in entry.flags:
        return f"{entry.replica} broke off"
    return f"{entry.replica} answered so" if entry.replica else "no replica took it"


def _short(connection: str | None) -> str:
    """Enough of a token to tell two apart on a projector."""
    return f"{connection[:6]}…" if connection and len(connection) > 6 else connection or "without an id"
