"""The requests of an attempt, one step each: who was asked, who holds, what was answered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from services.affinity_lab.attempts import Attempt, Leg
from services.events.event import Event
from services.words import say, together

Kind = Literal["page", "negotiate", "connect", "send", "call", "other", "late"]
MOST = 60
_TRANSPORTS = {
    "WebSockets": "WebSocket",
    "ServerSentEvents": say("server-sent events"),
    "LongPolling": say("long polling"),
}
_FAILED = (
    "connection.refused",
    "circuit.rejected",
    "circuit.move_refused",
    "page.rejected",
    "request.failed",
)


@dataclass(frozen=True)
class Step:
    """One request with its answer; calls of the hub travel on a connection and have no status."""

    line: Event
    kind: Kind
    request: str
    asked: str | None
    holder: str | None
    status: int | None
    answer: str
    failed: bool
    has_id: bool = True
    """False for a WebSocket that was opened without a negotiate."""

    @property
    def at(self) -> str:
        return self.line.at

    @property
    def cookie(self) -> dict[str, Any] | None:
        return self.line.data.get("cookie")

    @property
    def transport(self) -> str | None:
        return self.line.data.get("transport")

    @property
    def sentence(self) -> str:
        """`POST negotiate, no cookie, asked replica-1: 200, connection AWfXq2….`"""
        asked = say("asked %(replica)s", replica=self.asked) if self.asked else say("asked nobody")
        cookie = "" if self.kind == "call" else cookie_words(self.cookie)
        answer = together(str(self.status or ""), self.answer, by=", ")
        if self._elsewhere:
            holder = together(str(self.holder), _HOLDS.get(self.line.kind, ""))
            answer = together(answer, holder, by="; ")
        return say(
            "%(asked)s: %(answer)s.", asked=together(self.request, cookie, asked, by=", "), answer=answer
        )

    @property
    def _elsewhere(self) -> bool:
        return self.failed and self.holder not in (None, self.asked)

    def as_dict(self) -> dict[str, Any]:
        """As the API answers it."""
        return {
            "seq": self.line.seq,
            "at": self.at,
            "kind": self.kind,
            "request": self.request,
            "cookie": self.cookie,
            "cookie_words": None if self.kind == "call" else cookie_words(self.cookie),
            "asked": self.asked,
            "holder": self.holder,
            "fate": self.line.data.get("fate"),
            "status": self.status,
            "answer": self.answer,
            "refused": self.failed,
            "sentence": self.sentence,
        }


_HOLDS = {
    "connection.refused": say("holds the connection"),
    "circuit.rejected": say("held the memory"),
    "circuit.move_refused": say("signed what was brought"),
    "page.rejected": say("signed the page"),
}


def steps_of(attempt: Attempt) -> list[Step]:
    """In the order in which they happened, at most `MOST`."""
    found = [_step(leg, line) for leg in attempt.legs for line in leg.lines]
    return [step for step in found if step][:MOST]


def cookie_words(cookie: dict[str, Any] | None) -> str:
    """`no cookie`, `cookie for replica-1`, and what was wrong with it."""
    if cookie is None:
        return say("no cookie")
    whose = cookie.get("replica") or say("no replica that runs")
    if cookie.get("ignored"):
        return say("old cookie for %(whose)s, ignored", whose=whose)
    if cookie.get("expired"):
        return say("expired cookie for %(whose)s", whose=whose)
    return say("cookie for %(whose)s", whose=whose)


def _step(leg: Leg, line: Event) -> Step | None:
    data, asked = line.data, line.data.get("replica") or line.source
    failed = line.kind in _FAILED
    if line.kind == "page.served":
        return Step(line, "page", "GET /", asked, None, 200, say("the page"), failed)
    if line.kind == "connection.negotiated":
        answer = say("connection %(id)s", id=_short(data.get("connection")))
        return Step(line, "negotiate", "POST negotiate", asked, asked, 200, answer, failed)
    if line.kind == "connection.routed":
        return _routed(leg, line, asked)
    if line.kind == "connection.refused":
        kind = _kind_of_refused(leg, data)
        status, said = data.get("status", 404), "No Connection with that ID"
        return Step(line, kind, _asked_for(data), asked, data.get("holder"), status, said, kind != "late")
    if line.kind == "request.failed":
        request = f"{data.get('method')} {data.get('path')}"
        return Step(
            line, "other", request, data.get("replica"), None, data.get("status"), _reason(line), failed
        )
    return _call(line, asked)


def _kind_of_refused(leg: Leg, data: Any) -> Kind:
    """After the end of a connection its own replica refuses what is still on the way: that is no failure."""
    if leg.connected and data.get("holder") == data.get("replica"):
        return "late"
    return "connect" if data.get("method") == "GET" and not leg.has("connection.routed") else "send"


def _routed(leg: Leg, line: Event, asked: str) -> Step:
    by = _TRANSPORTS.get(line.data.get("transport", ""), "")
    status = 101 if by == "WebSocket" else 200
    if leg.has("connection.negotiated"):
        return Step(line, "connect", _asked_for(line.data), asked, asked, status, say("connected"), False)
    answer = say("connected, connection %(id)s", id=_short(line.data.get("connection")))
    return Step(
        line,
        "connect",
        say("GET /_blazor, %(by)s without id", by=by),
        asked,
        asked,
        status,
        answer,
        False,
        False,
    )


def _call(line: Event, asked: str) -> Step | None:
    """What was asked on the connection, once it was open."""
    data = line.data
    connect = f"ConnectCircuit {_short(data.get('circuit'))}"
    if line.kind == "circuit.started":
        return Step(line, "call", "StartCircuit", asked, asked, None, say("a new memory"), False)
    if line.kind == "circuit.resumed":
        answer = say("true, memory kept: count %(count)s", count=data.get("count", 0))
        return Step(line, "call", connect, asked, asked, None, answer, False)
    if line.kind == "circuit.moved":
        answer = say("memory kept: it was brought along from %(replica)s", replica=data.get("from"))
        return Step(line, "call", "ResumeCircuit", asked, asked, None, answer, False)
    if line.kind == "circuit.restored":
        answer = say("memory kept: it had been put aside when its time was over")
        return Step(line, "call", "ResumeCircuit", asked, asked, None, answer, False)
    if line.kind == "circuit.move_refused":
        said = say("what was brought cannot be read")
        return Step(line, "call", "ResumeCircuit", asked, data.get("from"), None, said, True)
    if line.kind == "circuit.rejected":
        return Step(
            line, "call", connect, asked, data.get("holder"), None, say("false, no such memory"), True
        )
    if line.kind == "page.rejected":
        words = "The circuit failed to initialize"  # as Blazor has it
        return Step(line, "call", "StartCircuit", asked, data.get("page"), None, words, True)
    return None


def _asked_for(data: Any) -> str:
    """`GET ?id=AWfXq2…, WebSocket`."""
    method, by = data.get("method", "GET"), _TRANSPORTS.get(data.get("transport", ""), "")
    if method == "POST":
        by = say("a message")
    return together(f"{method} ?id={_short(data.get('connection'))}", by, by=", ")


def _reason(line: Event) -> str:
    """Out of `503 for visitor-7: no replica is healthy (GET /).`"""
    found = re.search(r": (.*) \(", line.text)
    return found[1] if found else say("no answer")


def _short(token: Any) -> str:
    return f"{token[:6]}…" if isinstance(token, str) and len(token) > 6 else str(token)
