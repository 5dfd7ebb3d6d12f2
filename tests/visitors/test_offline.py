"""Visitors whose network is away: nothing leaves, what is open goes on, and they come back by themselves."""

import pytest
from lab_programs import until

pytestmark = pytest.mark.local


@pytest.mark.parametrize("transport", ["WebSockets", "ServerSentEvents", "LongPolling"])
def test_who_is_cut_off_while_offline_reaches_nobody_and_comes_back_with_its_memory(lab, transport):
    lab.balancer.set("cookie")
    lab.visit(4, transport=transport)
    lab.crowd.wait_until(connected=4)
    homes = {name: one["replica"] for name, one in lab.crowd.by_name().items()}
    assert lab.crowd.ask("POST", "/control/offline", {"offline": True}) == (
        200,
        {"offline": True, "visitors": 4},
    )
    for replica in lab.replicas.values():
        replica.ask("POST", "/control/drop", {})
    lab.crowd.wait_for("visitor.reconnecting", count=4, attempt=2)
    asked = lab.balancer.of("connection.negotiated")
    assert lab.crowd.ask("GET", "/control/state")[1]["connected"] == 0
    lab.crowd.ask("POST", "/control/offline", {"offline": False})
    lab.crowd.wait_for("visitor.connected", count=4, memory="kept")
    assert {name: one["replica"] for name, one in lab.crowd.by_name().items()} == homes
    until(lambda: len(lab.balancer.of("connection.negotiated")) == len(asked) + 4, "only then they asked")


def test_what_is_not_a_choice_of_two_is_refused(lab):
    status, answer = lab.crowd.ask("POST", "/control/offline", {"offline": "yes"})
    assert status == 400 and "offline" in answer["error"]["message"]
