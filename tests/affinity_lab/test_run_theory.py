"""What runs expect: against values derived by hand, and against a balancer that deals requests out."""

import math
from itertools import product

import pytest

from services.affinity_lab.runs.plan import (
    AFFINITIES,
    BLAZOR_DELAYS,
    RECONNECT_DELAYS,
    SITUATION_NAMES,
    TRANSPORTS,
    Cell,
    Plan,
)
from services.affinity_lab.runs.theory import expected
from services.visitors.blazor_script import RETRY_DELAYS
from services.visitors.circuit_script import RECONNECT_DELAYS as OF_THE_VISITORS
from tests.affinity_lab import dealing

VISITS = 6000
RANDOM = Plan(algorithm="random")


def share(transport, situation, plan=RANDOM, affinity="none", keys="own"):
    found = expected(plan, Cell(affinity, transport, situation, keys))
    return found.back, found.kept


def test_a_first_visit_by_hand():
    """Over 3 replicas, keys not shared: each match is a third."""
    assert share("skip", "first_connect")[0] == pytest.approx(1 / 3)  # the page
    assert share("WebSockets", "first_connect")[0] == pytest.approx(1 / 9)  # connect, page
    # stream; handshake, ping and three calls; page
    assert share("ServerSentEvents", "first_connect")[0] == pytest.approx(3**-7)
    # poll; handshake and three calls, each a message and a poll; page
    assert share("LongPolling", "first_connect")[0] == pytest.approx(3**-10)
    auto = (1 / 3 + 2 / 3 * 1 / 3 * 3**-5 + 4 / 9 * 1 / 3 * 3**-8) / 3
    assert share("auto", "first_connect")[0] == pytest.approx(auto)
    assert share("skip", "first_connect", keys="shared")[0] == 1
    assert share("WebSockets", "first_connect", keys="shared")[0] == pytest.approx(1 / 3)


def test_coming_back_by_hand():
    """One try by WebSocket over 3: a third connects, a third of these is home, the others visit anew."""
    once = Plan(algorithm="random", attempts=1)
    assert share("WebSockets", "drop", once) == pytest.approx((1 / 9 + 2 / 9 * 1 / 9, 1 / 9))
    assert share("skip", "drop", once) == pytest.approx((1 / 3 + 2 / 3 * 1 / 3, 1 / 3))
    twice = 1 + 2 / 3  # who did not connect at all tries again
    back, kept = share("WebSockets", "drop", once)
    assert share("WebSockets", "drop") == pytest.approx((back * twice, kept * twice))


def test_a_dead_replica_leaves_one_fewer_and_no_memory():
    assert share("skip", "replica_death") == pytest.approx((1 / 2, 0))
    assert share("WebSockets", "replica_death", Plan(replicas=2, algorithm="random")) == (1, 0)
    assert share("WebSockets", "replica_death", Plan(replicas=1), "cookie") == (0, 0)


@pytest.mark.parametrize("transport, situation", list(product(TRANSPORTS, SITUATION_NAMES)))
def test_with_affinity_and_with_one_replica_all_is_certain(transport, situation):
    for affinity in AFFINITIES[1:]:
        kept = 1 if situation == "drop" else 0
        assert share(transport, situation, affinity=affinity) == (1, kept)
    if situation != "replica_death":
        assert share(transport, situation, Plan(replicas=1))[0] == pytest.approx(1)


def test_a_drained_replica_s_memory_is_kept_by_who_can_read_it_and_an_expired_one_by_the_store():
    for keys, kept in (("own", 0), ("shared", 1), ("store", 1)):
        assert share("WebSockets", "drain", affinity="cookie", keys=keys) == (1, kept)
    assert share("skip", "drain", keys="shared") == (1, 1)
    assert share("skip", "drain") == pytest.approx((1 / 2, 0))
    for keys, kept in (("shared", 1 / 3), ("store", 1)):
        assert share("skip", "away", keys=keys) == pytest.approx((1, kept))
        assert share("skip", "away", affinity="cookie", keys=keys) == (1, 1)


def test_theory_has_no_number_for_least_request():
    assert expected(Plan(algorithm="least_request"), Cell("none", "auto", "drop")) is None


def test_the_tries_are_those_of_the_visitors():
    assert RECONNECT_DELAYS == OF_THE_VISITORS
    assert RETRY_DELAYS[: len(BLAZOR_DELAYS)] == BLAZOR_DELAYS


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("deal", [dealing.by_chance, dealing.in_turn])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_what_is_expected_is_what_comes_of_requests_that_mix(transport, deal, shared):
    keys = "shared" if shared else "own"
    first = dealing.mixed(lambda _: dealing.visiting(transport, shared), deal(3), VISITS)
    near(first.count("new"), share(transport, "first_connect", keys=keys)[0])
    back = dealing.mixed(lambda n: dealing.coming_back(transport, shared, n % 3, 2), deal(3), VISITS)
    near(back.count("kept") + back.count("lost"), share(transport, "drop", keys=keys)[0])
    near(back.count("kept"), share(transport, "drop", keys=keys)[1])
    dead = dealing.mixed(lambda _: dealing.coming_back(transport, shared, None, 2), deal(2), VISITS)
    near(dead.count("lost"), share(transport, "replica_death", keys=keys)[0])
    assert share(transport, "replica_stop", keys=keys) == share(transport, "replica_death", keys=keys)
    moved = dealing.mixed(lambda _: dealing.coming_back(transport, shared, None, 2, shared), deal(2), VISITS)
    near(moved.count("kept") + moved.count("lost"), share(transport, "drain", keys=keys)[0])
    near(moved.count("kept"), share(transport, "drain", keys=keys)[1])


def near(count, expected_share):
    """Within five standard deviations of what chance alone gives; the dice are loaded with a seed."""
    spread = math.sqrt(VISITS * expected_share * (1 - expected_share))
    assert abs(count - VISITS * expected_share) <= 5 * spread + 1, (count / VISITS, expected_share)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_round_robin_never_lets_a_visitor_in_that_is_alone(transport):
    """No request of others comes between, so that each reaches the next replica."""
    alone = Plan(n=1, algorithm="round_robin")
    visits = dealing.mixed(lambda _: dealing.visiting(transport, False), dealing.in_turn(3), 50, at_once=1)
    assert visits.count("new") == 50 * share(transport, "first_connect", alone)[0] == 0
    assert "alone" in expected(alone, Cell("none", transport, "first_connect")).why


def test_visitors_in_step_all_get_in_or_none_as_their_number_has_it():
    """Why measured shares scatter: the requests of 21 that come at once shift by 21, a multiple of 3."""

    def let_in(count):
        found = dealing.in_step(lambda _: dealing.visiting("WebSockets", False), dealing.in_turn(3), count)
        return found.count("new")

    assert (let_in(21), let_in(20), let_in(22)) == (21, 0, 0)
