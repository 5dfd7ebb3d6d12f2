"""A balancer without affinity in a few lines, and visitors as generators: what theory is held against.

A visitor yields at each request, is sent the replica that got it, and returns new, kept, lost or failed.
"""

import itertools
import random

HANDS = {"WebSockets": 0, "skip": 0, "ServerSentEvents": 2, "LongPolling": 2}
CALL = {"WebSockets": 0, "skip": 0, "ServerSentEvents": 1, "LongPolling": 2}
AUTO = ("WebSockets", "ServerSentEvents", "LongPolling")


def visiting(transport, shared):
    """A first visit: page, connection, GetConnection, StartCircuit, GetState."""
    page = yield
    opened = yield from _connecting(transport)
    if opened is None or not (yield from _calls(2, *opened)):
        return "failed"
    if not shared and page != opened[1]:
        return "failed"
    return "new" if (yield from _calls(1, *opened)) else "failed"


def coming_back(transport, shared, home, attempts, anywhere=False):
    """After a drop; `home` has the memory, None when that replica is dead; or it is read `anywhere`."""
    for _ in range(attempts):
        opened = yield from _connecting(transport)
        if opened is None or not (yield from _calls(2, *opened)):
            continue
        if opened[1] != home and not anywhere:
            return "lost" if (yield from visiting(transport, shared)) == "new" else "failed"
        if (yield from _calls(1, *opened)):
            return "kept"
    return "failed"


def _connecting(transport):
    """(transport, replica) with hands shaken; None when that failed."""
    if transport == "skip":
        return "skip", (yield)
    for way in AUTO if transport == "auto" else (transport,):
        negotiated = yield
        if (yield) == negotiated:
            return (way, negotiated) if (yield from _reach(negotiated, HANDS[way])) else None
    return None


def _calls(count, way, holder):
    return (yield from _reach(holder, count * CALL[way]))


def _reach(holder, requests):
    """Whether so many requests reach the holder; the first that does not is the last."""
    for _ in range(requests):
        if (yield) != holder:
            return False
    return True


def by_chance(replicas, seed=7):
    """Each request anywhere."""
    dice = random.Random(seed)
    return lambda: dice.randrange(replicas)


def in_turn(replicas):
    """Round robin."""
    turns = itertools.cycle(range(replicas))
    return lambda: next(turns)


def mixed(make, deal, visits, at_once=40, seed=11):
    """Outcomes where requests of many come between each other at random; `make(number)` is a visitor."""
    dice, found, numbers = random.Random(seed), [], itertools.count()
    there = [_begun(make(next(numbers))) for _ in range(at_once)]
    while len(found) < visits:
        place = dice.randrange(at_once)
        if (outcome := _step(there[place], deal())) is not None:
            found.append(outcome)
            there[place] = _begun(make(next(numbers)))
    return found


def in_step(make, deal, count):
    """Outcomes of `count` visitors who make each request at the same moment, always in the same order."""
    there, found = [_begun(make(number)) for number in range(count)], []
    while there:
        ended = [_step(visitor, deal()) for visitor in there]
        found += [outcome for outcome in ended if outcome is not None]
        there = [visitor for visitor, outcome in zip(there, ended, strict=True) if outcome is None]
    return found


def _begun(visitor):
    next(visitor)
    return visitor


def _step(visitor, replica):
    try:
        visitor.send(replica)
    except StopIteration as end:
        return end.value
    return None
