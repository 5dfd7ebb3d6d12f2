"""The ways to fail, in words: why it happened, what would have helped. docs/failures.md tells the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Failure = Literal[
    "connection_unknown", "circuit_unknown", "page_from_elsewhere", "memory_unreadable", "no_replica"
]
Helps = Literal["cures", "partly", "no"]
Fate = Literal["held", "killed", "died", "stopped", "expired", "forgotten", "unknown"]
"""What became of a circuit at the replica that made it."""

GONE: Mapping[str, Fate] = {
    "replica.killed": "killed",
    "replica.died": "died",
    "replica.stopped": "stopped",
    "circuit.expired": "expired",
    "circuit.forgotten": "forgotten",
}
"""The kinds of event that end a circuit."""

COOKIE, SOURCE_IP = "Cookie affinity", "Source IP"
SKIP, AGAIN, KEYS = "WebSockets without negotiate", "Trying again", "Shared keys"


@dataclass(frozen=True)
class Remedy:
    """One thing that people try, and whether it helps against this failure."""

    what: str
    outcome: Helps
    why: str


@dataclass(frozen=True)
class Verdict:
    """What to say about an attempt; `failure` is None when nothing failed."""

    failure: Failure | None
    title: str
    reason: str
    helped: tuple[Remedy, ...] = ()


def connection_unknown(asked: str | None, holder: str | None) -> Verdict:
    """404 on an id: the replica that was asked did not open that connection, or has ended it."""
    asked = asked or "the replica"
    if holder == asked:
        reason = (
            f"{asked} opened this connection itself, but it has ended there. A new one must be negotiated."
        )
        return Verdict("connection_unknown", "The connection is over.", reason, _OVER)
    who = f"{holder} holds the connection" if holder else "it did not open the connection"
    reason = f"{asked} was asked, but {who}. The page is not missing: the memory is elsewhere."
    return Verdict("connection_unknown", "Wrong number.", reason, _WRONG_NUMBER)


def circuit_unknown(asked: str | None, holder: str | None, fate: Fate) -> Verdict:
    """Connected, but this replica has no memory of the visitor."""
    where = where_it_is(asked, holder, fate)
    reason = f"The connection works, but {asked} has no memory of this visitor: {where}."
    helped = _ELSEWHERE if fate in ("held", "unknown") else _GIVEN_UP if fate in _GIVES_UP else _DEAD
    return Verdict("circuit_unknown", "Connected, not remembered.", reason, helped)


def page_from_elsewhere(asked: str | None, signer: str | None) -> Verdict:
    """A replica could not read the page, because another key signed it."""
    title = "A page from elsewhere."
    if signer is None:
        reason = f"{asked} cannot read what the page carries: no replica signed it."
        return Verdict("page_from_elsewhere", title, reason, _OLD_KEY)
    if signer == asked:
        reason = f"{asked} was started anew since it made the page, and its new key cannot read the old page."
        return Verdict("page_from_elsewhere", title, reason, _OLD_KEY)
    reason = (
        f"{signer} made the page and signed it with a key of its own; {asked} was asked to start it "
        "and does not have that key."
    )
    return Verdict("page_from_elsewhere", title, reason, _OTHER_KEY)


def memory_unreadable(asked: str | None, signer: str | None) -> Verdict:
    """The visitor was asked to take its memory elsewhere, and nobody there can read it."""
    reason = (
        f"{signer or 'The old replica'} gave its memory along, signed with a key of its own; "
        f"{asked} does not have that key, so it cannot trust what was brought."
    )
    return Verdict("memory_unreadable", "Brought along, not readable.", reason, _BROUGHT)


def no_replica(status: int | None, asked: str | None) -> Verdict:
    """The balancer itself gave up."""
    who = f"{asked} did not answer" if asked else "it found no replica to ask"
    return Verdict("no_replica", "Nobody answered.", f"The balancer said {status}: {who}.", _NOBODY)


def where_it_is(asked: str | None, holder: str | None, fate: Fate) -> str:
    """Half a sentence on a circuit: `replica-1 holds it`, `replica-1 held it and was killed`."""
    if holder is None:
        return "no replica is known to hold it"
    if fate == "held":
        return f"{holder} holds it"
    self_ = " itself" if holder == asked else ""
    return f"{holder} held it{self_} {_BECAME[fate]}"


_GIVES_UP = ("expired", "forgotten")
_BECAME: dict[str, str] = {
    "killed": "and was killed",
    "died": "and died",
    "stopped": "and was stopped",
    "expired": "and gave it up, because nobody came back in time",
    "forgotten": "until it was thrown away on request",
    "unknown": "once",
}


def _remedies(**given: tuple[Helps, str]) -> tuple[Remedy, ...]:
    names = {"cookie": COOKIE, "source_ip": SOURCE_IP, "skip": SKIP, "again": AGAIN, "keys": KEYS}
    return tuple(Remedy(what, *given[key]) for key, what in names.items())


_WRONG_NUMBER = _remedies(
    cookie=("cures", "Both requests reach the replica that opened the connection."),
    source_ip=("cures", "The same, but all who share its address land on one replica."),
    skip=("partly", "No id that could be unknown. But the page may be from elsewhere, and memory is luck."),
    again=("no", "Every try negotiates anew and draws lots again."),
    keys=("no", "Keys let a replica read a page. The connection is in one replica's memory alone."),
)
_OVER = _remedies(
    cookie=("no", "The right replica was asked. It has ended the connection."),
    source_ip=("no", "The right replica was asked."),
    skip=("no", "A new WebSocket would be a new connection, as a new negotiate is."),
    again=("cures", "Negotiating again makes a new connection."),
    keys=("no", "Keys have nothing to do with connections."),
)
_ELSEWHERE = _remedies(
    cookie=("cures", "It leads back to the replica that has the memory."),
    source_ip=("cures", "The same, as long as its address and the list of replicas stay the same."),
    skip=("no", "It saves the negotiate. Which replica is asked is still chance."),
    again=("no", "The client takes the answer as final and starts with a new memory."),
    keys=("no", "Keys let replicas read each other's pages, not each other's memory."),
)
_DEAD = _remedies(
    cookie=("no", "It leads to where the memory was. That is gone; another replica takes over, without it."),
    source_ip=("no", "The address leads to another replica now, without the memory."),
    skip=("no", "No way of connecting brings the memory back."),
    again=("no", "It starts anew, with a new memory."),
    keys=("no", "The memory was in one process alone, and keys hold no memory."),
)
_GIVEN_UP = _remedies(
    cookie=("no", "It leads to the right replica, but that one has forgotten."),
    source_ip=("no", "It leads to the right replica, but that one has forgotten."),
    skip=("no", "No way of connecting brings the memory back."),
    again=("no", "It starts anew, with a new memory."),
    keys=("no", "Keys hold no memory."),
)
_OTHER_KEY = _remedies(
    cookie=("cures", "Page and connection reach the same replica, which has the key."),
    source_ip=("cures", "The same, but all who share its address land on one replica."),
    skip=("no", "It makes this more likely: nothing ties the connection to the page's replica."),
    again=("no", "Each load of the page draws lots again."),
    keys=("cures", "Every replica reads every page. A drop may still lead away from the memory."),
)
_OLD_KEY = _remedies(
    cookie=("no", "It leads to the same replica, which cannot read the page any more."),
    source_ip=("no", "It leads to the same replica, which cannot read the page any more."),
    skip=("no", "The page stays unreadable, however it connects."),
    again=("partly", "A page loaded anew has the new key; it must still be read where it was made."),
    keys=("partly", "A key kept outside outlives the restart. It cannot mend a page that nobody signed."),
)
_BROUGHT = _remedies(
    cookie=("no", "It leads to the replica that is to go. Any other has another key."),
    source_ip=("no", "The replica that it leads to is to go. Any other has another key."),
    skip=("no", "However it connects, the replica cannot read what it brings."),
    again=("no", "Every other replica has a key of its own too."),
    keys=("cures", "Every replica reads what another one signed, so the memory moves with its visitor."),
)
_NOBODY = _remedies(
    cookie=("no", "A cookie chooses a replica, it cannot start one. A strict one waits for a dead one."),
    source_ip=("no", "An address chooses a replica, it cannot start one."),
    skip=("no", "There is nobody to connect to."),
    again=("partly", "As soon as a replica answers again."),
    keys=("no", "There is nobody to read the page."),
)
