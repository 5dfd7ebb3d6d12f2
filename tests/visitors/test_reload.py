"""Visitors who load the page again: their browser and its cookies go on, their circuit does not."""

import pytest

pytestmark = pytest.mark.local


@pytest.mark.parametrize("transport", ["WebSockets", "LongPolling"])
def test_a_page_that_is_loaded_again_reaches_the_replica_of_its_cookie(lab, transport):
    lab.balancer.set("cookie")
    lab.visit(6, transport=transport)
    lab.crowd.wait_until(connected=6)
    before = lab.crowd.by_name()
    status, answer = lab.crowd.ask("POST", "/control/reload", {})
    assert (status, answer) == (200, {"reloading": 6})
    lab.crowd.wait_for("visitor.connected", count=6, memory="lost")
    lab.crowd.wait_until(count=6, connected=6)
    after = lab.crowd.by_name()
    assert {name: one["replica"] for name, one in after.items()} == {
        name: one["replica"] for name, one in before.items()
    }
    assert not {one["circuit"] for one in after.values()} & {one["circuit"] for one in before.values()}
    for kind in ("visitor.failed", "visitor.left", "visitor.reconnecting"):
        assert not lab.crowd.of(kind)


def test_who_leaves_while_it_loads_again_is_gone(lab):
    lab.balancer.set("cookie")
    lab.visit(6)
    lab.crowd.wait_until(connected=6)
    lab.crowd.ask("POST", "/control/reload", {})
    lab.crowd.ask("POST", "/control/reload", {})
    lab.visit(2)
    lab.crowd.wait_until(count=2, connected=2)
    assert sorted(lab.crowd.by_name()) == ["visitor-1", "visitor-2"]
    assert len(lab.crowd.of("visitor.left")) == 4
