"""The ways to fail, in words: why it happened, what would have helped. docs/failures.md tells the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from services.words import say

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

COOKIE, SOURCE_IP = say("Cookie affinity"), say("Source IP")
SKIP, AGAIN, KEYS = say("WebSockets without negotiate"), say("Trying again"), say("Shared keys")


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
    asked = asked or say("the replica")
    if holder == asked:
        reason = say(
            "%(asked)s opened this connection itself, but it has ended there. A new one must be negotiated.",
            asked=asked,
        )
        return Verdict("connection_unknown", say("The connection is over."), reason, _OVER)
    who = (
        say("%(holder)s holds the connection", holder=holder)
        if holder
        else say("it did not open the connection")
    )
    reason = say(
        "%(asked)s was asked, but %(who)s. The page is not missing: the memory is elsewhere.",
        asked=asked,
        who=who,
    )
    return Verdict("connection_unknown", say("Wrong number."), reason, _WRONG_NUMBER)


def circuit_unknown(asked: str | None, holder: str | None, fate: Fate) -> Verdict:
    """Connected, but this replica has no memory of the visitor."""
    where = where_it_is(asked, holder, fate)
    reason = say(
        "The connection works, but %(asked)s has no memory of this visitor: %(where)s.",
        asked=asked,
        where=where,
    )
    helped = _ELSEWHERE if fate in ("held", "unknown") else _GIVEN_UP if fate in _GIVES_UP else _DEAD
    return Verdict("circuit_unknown", say("Connected, not remembered."), reason, helped)


def page_from_elsewhere(asked: str | None, signer: str | None) -> Verdict:
    """A replica could not read the page, because another key signed it."""
    title = say("A page from elsewhere.")
    if signer is None:
        reason = say("%(asked)s cannot read what the page carries: no replica signed it.", asked=asked)
        return Verdict("page_from_elsewhere", title, reason, _OLD_KEY)
    if signer == asked:
        reason = say(
            "%(asked)s was started anew since it made the page, and its new key cannot read the old page.",
            asked=asked,
        )
        return Verdict("page_from_elsewhere", title, reason, _OLD_KEY)
    reason = say(
        "%(signer)s made the page and signed it with a key of its own; %(asked)s was asked to "
        "start it and does not have that key.",
        signer=signer,
        asked=asked,
    )
    return Verdict("page_from_elsewhere", title, reason, _OTHER_KEY)


def memory_unreadable(asked: str | None, signer: str | None) -> Verdict:
    """The visitor was asked to take its memory elsewhere, and nobody there can read it."""
    reason = say(
        "%(signer)s gave its memory along, signed with a key of its own; %(asked)s does not have "
        "that key, so it cannot trust what was brought.",
        signer=signer or say("The old replica"),
        asked=asked,
    )
    return Verdict("memory_unreadable", say("Brought along, not readable."), reason, _BROUGHT)


def no_replica(status: int | None, asked: str | None) -> Verdict:
    """The balancer itself gave up."""
    who = say("%(asked)s did not answer", asked=asked) if asked else say("it found no replica to ask")
    return Verdict(
        "no_replica",
        say("Nobody answered."),
        say("The balancer said %(status)s: %(who)s.", status=status, who=who),
        _NOBODY,
    )


def where_it_is(asked: str | None, holder: str | None, fate: Fate) -> str:
    """Half a sentence on a circuit: `replica-1 holds it`, `replica-1 held it and was killed`."""
    if holder is None:
        return say("no replica is known to hold it")
    if fate == "held":
        return say("%(holder)s holds it", holder=holder)
    self_ = say(" itself") if holder == asked else ""
    return say("%(holder)s held it%(self)s %(value)s", holder=holder, self=self_, value=_BECAME[fate])


_GIVES_UP = ("expired", "forgotten")
_BECAME: dict[str, str] = {
    "killed": say("and was killed"),
    "died": say("and died"),
    "stopped": say("and was stopped"),
    "expired": say("and gave it up, because nobody came back in time"),
    "forgotten": say("until it was thrown away on request"),
    "unknown": say("once"),
}


def _remedies(**given: tuple[Helps, str]) -> tuple[Remedy, ...]:
    names = {"cookie": COOKIE, "source_ip": SOURCE_IP, "skip": SKIP, "again": AGAIN, "keys": KEYS}
    return tuple(Remedy(what, *given[key]) for key, what in names.items())


_WRONG_NUMBER = _remedies(
    cookie=("cures", say("Both requests reach the replica that opened the connection.")),
    source_ip=("cures", say("The same, but all who share its address land on one replica.")),
    skip=(
        "partly",
        say("No id that could be unknown. But the page may be from elsewhere, and memory is luck."),
    ),
    again=("no", say("Every try negotiates anew and draws lots again.")),
    keys=("no", say("Keys let a replica read a page. The connection is in one replica's memory alone.")),
)
_OVER = _remedies(
    cookie=("no", say("The right replica was asked. It has ended the connection.")),
    source_ip=("no", say("The right replica was asked.")),
    skip=("no", say("A new WebSocket would be a new connection, as a new negotiate is.")),
    again=("cures", say("Negotiating again makes a new connection.")),
    keys=("no", say("Keys have nothing to do with connections.")),
)
_ELSEWHERE = _remedies(
    cookie=("cures", say("It leads back to the replica that has the memory.")),
    source_ip=("cures", say("The same, as long as its address and the list of replicas stay the same.")),
    skip=("no", say("It saves the negotiate. Which replica is asked is still chance.")),
    again=("no", say("The client takes the answer as final and starts with a new memory.")),
    keys=("no", say("Keys let replicas read each other's pages, not each other's memory.")),
)
_DEAD = _remedies(
    cookie=(
        "no",
        say("It leads to where the memory was. That is gone; another replica takes over, without it."),
    ),
    source_ip=("no", say("The address leads to another replica now, without the memory.")),
    skip=("no", say("No way of connecting brings the memory back.")),
    again=("no", say("It starts anew, with a new memory.")),
    keys=("no", say("The memory was in one process alone, and keys hold no memory.")),
)
_GIVEN_UP = _remedies(
    cookie=("no", say("It leads to the right replica, but that one has forgotten.")),
    source_ip=("no", say("It leads to the right replica, but that one has forgotten.")),
    skip=("no", say("No way of connecting brings the memory back.")),
    again=("no", say("It starts anew, with a new memory.")),
    keys=("no", say("Keys hold no memory.")),
)
_OTHER_KEY = _remedies(
    cookie=("cures", say("Page and connection reach the same replica, which has the key.")),
    source_ip=("cures", say("The same, but all who share its address land on one replica.")),
    skip=("no", say("It makes this more likely: nothing ties the connection to the page's replica.")),
    again=("no", say("Each load of the page draws lots again.")),
    keys=("cures", say("Every replica reads every page. A drop may still lead away from the memory.")),
)
_OLD_KEY = _remedies(
    cookie=("no", say("It leads to the same replica, which cannot read the page any more.")),
    source_ip=("no", say("It leads to the same replica, which cannot read the page any more.")),
    skip=("no", say("The page stays unreadable, however it connects.")),
    again=("partly", say("A page loaded anew has the new key; it must still be read where it was made.")),
    keys=(
        "partly",
        say("A key kept outside outlives the restart. It cannot mend a page that nobody signed."),
    ),
)
_BROUGHT = _remedies(
    cookie=("no", say("It leads to the replica that is to go. Any other has another key.")),
    source_ip=("no", say("The replica that it leads to is to go. Any other has another key.")),
    skip=("no", say("However it connects, the replica cannot read what it brings.")),
    again=("no", say("Every other replica has a key of its own too.")),
    keys=("cures", say("Every replica reads what another one signed, so the memory moves with its visitor.")),
)
_NOBODY = _remedies(
    cookie=("no", say("A cookie chooses a replica, it cannot start one. A strict one waits for a dead one.")),
    source_ip=("no", say("An address chooses a replica, it cannot start one.")),
    skip=("no", say("There is nobody to connect to.")),
    again=("partly", say("As soon as a replica answers again.")),
    keys=("no", say("There is nobody to read the page.")),
)
