"""What theory expects of a cell: how many requests of one visitor must reach the same replica by chance.

A visitor connects with requests in this order (aspnetcore, `src/SignalR/docs/specs/TransportProtocols.md`;
our own `services/visitors` does the same, which its tests compare with Microsoft's client):

1. `GET /`: the replica that serves the page signs it with its own key, unless the keys are shared.
2. `POST negotiate`: the replica that answers holds the connection, and nobody else knows its id.
3. The transport is opened with that id: a WebSocket, the GET of server-sent events, or the first poll.
   Another replica answers 404. *Auto* then negotiates anew and tries the next of WebSockets, server-sent
   events, long polling; a client that is set to one transport gives up this attempt. Without negotiate
   there is no id, and any replica takes the WebSocket.
4. The handshake, then calls: `GetConnection`, then `StartCircuit` or `ConnectCircuit`, then `GetState`. On a
   WebSocket all of it is on the one connection that is open. With server-sent events each message is a POST
   of its own, a first ping after the handshake among them; with long polling a POST and the poll that fetches
   the answer. Each of them has to reach the holder as well, and after a 404 the client does not fall back to
   another transport.

Without affinity each request is dealt out by itself. Random: a request reaches a given replica with 1/N.
Round robin deals in turn, and what the *same* visitor gets next depends on how many requests of others came
between: where they come between at random it is 1/N as well (`same`); a visitor that is alone never gets
the same replica twice in a row, so with N > 1 it never connects. Visitors that all begin at the same moment
are neither: they move in step, and measured rates scatter around 1/N more than chance alone would have them
do. Least request depends on what is open where; theory has no number.

With affinity (cookie; address) every request of a visitor reaches one replica, and all is certain.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

from services.affinity_lab.runs.plan import Cell, Plan
from services.words import say, sentence, together


@dataclass(frozen=True)
class Expected:
    """Shares of the visitors, from 0 to 1, and the reason in one sentence."""

    back: float
    kept: float
    why: str

    def as_dict(self) -> dict[str, Any]:
        return {"back": round(self.back, 6), "kept": round(self.kept, 6), "why": self.why}


@dataclass(frozen=True)
class _Way:
    """One transport that may be the one that opens: how likely, and what each exchange on it costs."""

    opens: float
    hands: int
    """Requests until hands are shaken, after the one that opened it."""
    call: int
    """Requests for a call and its answer."""


def expected(plan: Plan, cell: Cell) -> Expected | None:
    """None where theory has no number.

    >>> expected(Plan(algorithm="random"), Cell("none", "WebSockets", "first_connect")).back == 1 / 9
    True
    """
    replicas = plan.replicas - 1 if cell.situation in ENDED else plan.replicas
    if replicas < 1:
        return Expected(0.0, 0.0, say("The only replica has ended."))
    if plan.app == "blazor" and polls_go_elsewhere(cell):
        return Expected(
            1.0, 0.0, say("By source IP the next poll goes to another replica, which answers 404.")
        )
    if cell.affinity != "none":
        return _certain(cell)
    if plan.algorithm == "least_request":
        return None
    if plan.app == "blazor" and cell.transport in _UNCOUNTED:
        return None
    same = same_replica(replicas, plan)
    page = 1.0 if cell.readable else same
    if cell.situation in ("first_connect", "page_reload"):
        return Expected(first_visit(cell.transport, same, page), 0.0, _why_first(cell, replicas, plan))
    attempts = TRIES_ONLINE if cell.situation == "away" else plan.attempts
    finds = _finds(cell, replicas)
    back, kept = coming_back(cell.transport, same, page, finds, attempts)
    return Expected(back, kept, _why_back(cell, replicas, plan))


def polls_go_elsewhere(cell: Cell) -> bool:
    """Whether those who poll cannot send a last word to a replica that drains: a hash knows no draining.

    The circuit app's visitors need none, its request to move brings the memory along.
    """
    return (cell.affinity, cell.transport, cell.situation) == ("source_ip", "LongPolling", "drain")


def _finds(cell: Cell, replicas: int) -> float:
    """How likely the replica that answers has the memory, or can read it where it is."""
    if cell.situation == "drain":
        return 1.0 if cell.readable else 0.0
    if cell.situation == "away" and cell.keys == "store":
        return 1.0
    return 0.0 if cell.situation in ENDED else 1 / replicas


TRIES_ONLINE = 2
"""Tries of somebody who was away that are waited for, once there is a network again."""
ENDED = ("replica_death", "replica_stop", "drain")
"""Situations after which there is one replica less."""


def same_replica(replicas: int, plan: Plan) -> float:
    """How likely the next request of a visitor reaches a given replica."""
    alone = plan.algorithm == "round_robin" and plan.n == 1 and replicas > 1
    return 0.0 if alone else 1 / replicas


def first_visit(transport: str, same: float, page: float) -> float:
    """From the page to a circuit: opened, hands shaken, three calls, and a page that can be read there."""
    return sum(way.opens * same ** (way.hands + 3 * way.call) for way in _ways(transport, same)) * page


def coming_back(transport: str, same: float, page: float, finds: float, attempts: int) -> tuple[float, float]:
    """(back, of these with memory). `finds`: how likely the replica that answers is the one with the memory.

    One attempt ends in one of three ways. *Kept*: opened, hands shaken, the second call asked of the holder,
    and the third. *Rejected*: the same asked of another replica; the client takes that as final and loads the
    page, and all depends on that first visit. Else it tries again, up to `attempts` times.
    """
    ways = _ways(transport, same)
    asked = sum(way.opens * same ** (way.hands + 2 * way.call) for way in ways)
    kept = sum(way.opens * same ** (way.hands + 3 * way.call) for way in ways) * finds
    rejected = asked * (1 - finds)
    again = 1 - kept - rejected
    tries = sum(again**number for number in range(attempts))
    return (kept + rejected * first_visit(transport, same, page)) * tries, kept * tries


def _ways(transport: str, same: float) -> list[_Way]:
    """`skip` opens anywhere; `auto` tries each, with a new negotiate after the one before was refused."""
    if transport == "skip":
        return [_Way(1.0, 0, 0)]
    costs = {"WebSockets": (0, 0), "ServerSentEvents": (2, 1), "LongPolling": (2, 2)}
    if transport != "auto":
        return [_Way(same, *costs[transport])]
    return [_Way((1 - same) ** number * same, *each) for number, each in enumerate(costs.values())]


def _certain(cell: Cell) -> Expected:
    by_cookie = cell.affinity == "cookie"
    if cell.situation == "drop":
        return Expected(
            1.0,
            1.0,
            (
                say("The cookie leads each request to the replica that holds the memory.")
                if by_cookie
                else say("The address leads each request to the replica that holds the memory.")
            ),
        )
    if cell.situation == "replica_death":
        why = say(
            "Once the balancer has noticed, another replica takes over; the memory died with the replica."
        )
        return Expected(1.0, 0.0, why)
    if cell.situation == "replica_stop":
        why = say("Another replica takes over at once; the memory ended with the replica.")
        return Expected(1.0, 0.0, why)
    if cell.situation == "drain":
        return Expected(1.0, 1.0 if cell.readable else 0.0, _why_moved(cell))
    if cell.situation == "away":
        why = say("The replica has put the memory aside, and whoever comes back to it gets it.")
        return Expected(1.0, 1.0, why)
    leads = (
        say("The cookie leads each request to the same replica.")
        if by_cookie
        else say("The address leads each request to the same replica.")
    )
    new = say("A page that is loaded again begins with a new memory.")
    return Expected(1.0, 0.0, leads if cell.situation == "first_connect" else together(leads, new))


def _why_first(cell: Cell, replicas: int, plan: Plan) -> str:
    needs = [_opens(cell.transport, replicas), _MESSAGES.get(cell.transport, "")]
    if not cell.readable:
        needs.append(say("the page must come from the replica that is connected to (1/%(n)s)", n=replicas))
    if replicas == 1:
        return say("There is only one replica to reach.")
    return together(_sentence(needs), _alone(replicas, plan))


def _why_back(cell: Cell, replicas: int, plan: Plan) -> str:
    if replicas == 1 and cell.situation in ("replica_death", "replica_stop"):
        return say("One replica is left: everybody reaches it, and none has its memory.")
    if replicas == 1 and cell.situation == "drain":
        return _why_moved(cell)
    if replicas == 1:
        return say("There is only one replica to reach.")
    needs = [_opens(cell.transport, replicas), _MESSAGES.get(cell.transport, "")]
    if cell.situation == "drain":
        end = _why_moved(cell)
    elif cell.situation == "away" and cell.keys == "store":
        end = say("What expired is in the store, where each replica finds it.")
    elif cell.situation in ENDED:
        end = say("The memory is gone, so the page is loaded again, among %(n)s replicas.", n=replicas)
    else:
        end = say(
            "One in %(n)s of these finds its memory; the others load the page, as at a first connect.",
            n=replicas,
        )
    if plan.attempts > 1 and cell.situation != "away" and cell.transport != "skip":
        needs[0] = say("in one of %(n)s tries %(must)s", n=plan.attempts, must=needs[0])
    return together(_sentence(needs), end, _alone(replicas, plan))


def _why_moved(cell: Cell) -> str:
    if cell.readable:
        return say("The browser brings its memory along, signed, and the keys to read it are shared.")
    return say("The browser brings its memory along, but no other replica can read what this one signed.")


_UNCOUNTED = ("auto", "LongPolling")
"""By long polling Blazor's script sends as many messages as there is to draw: nobody counted them."""


def _opens(transport: str, n: int) -> str:
    return {
        "auto": say("one of three transports must open where it was negotiated (1/%(n)s each)", n=n),
        "WebSockets": say("negotiate and connect must reach the same replica (1/%(n)s)", n=n),
        "skip": say("any replica takes the WebSocket"),
        "ServerSentEvents": say("negotiate and stream must reach the same replica (1/%(n)s)", n=n),
        "LongPolling": say("negotiate and first poll must reach the same replica (1/%(n)s)", n=n),
    }[transport]


_MESSAGES = {
    "ServerSentEvents": say("so must each message after it, a request of its own"),
    "LongPolling": say("so must each message and each poll after it"),
}


def _sentence(needs: list[str]) -> str:
    text = reduce(_and, filter(None, needs))
    return sentence(text)


def _and(some: str, one: str) -> str:
    return say("%(some)s, and %(one)s", some=some, one=one)


def _alone(replicas: int, plan: Plan) -> str:
    alone = same_replica(replicas, plan) == 0
    return say("Round robin never deals one visitor alone the same replica twice in a row.") if alone else ""
