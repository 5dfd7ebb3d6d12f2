"""Who is pinned where: what the lines of the lab programs change in the state."""

from services.affinity_lab.patches import memory_gone, patch_of
from services.events.patch import merge
from services.workspaces.tail import Line


class Told:
    """The state after lines were told in order."""

    def __init__(self):
        self.state = {
            "replicas": {"replica-1": {}, "replica-2": {}},
            "people": {},
            "circuits": {},
            "visitors": {"count": 20},
        }

    def line(self, source, kind, **data):
        merge(self.state, patch_of(Line(source, kind, "info", "", data))(self.state))
        return self

    def person(self, name="visitor-7"):
        return self.state["people"][name]


def started():
    return Told().line(
        "replica-1", "circuit.started", visitor="visitor-7", circuit="c1", connections=1, circuits=1
    )


def test_a_started_circuit_pins_its_visitor():
    told = started()
    assert told.person() == {
        "kind": "virtual",
        "circuit": "c1",
        "replica": "replica-1",
        "status": "connected",
        "memory": "new",
    }
    assert told.state["circuits"]["c1"]["connected"] is True
    assert told.state["replicas"]["replica-1"] == {"connections": 1, "circuits": 1}


def test_whoever_is_heard_of_for_the_first_time_waits():
    told = Told().line("replica-1", "connection.opened", visitor="visitor-7", transport="WebSockets")
    assert told.person() == {"kind": "virtual", "status": "waiting", "transport": "WebSockets"}


def test_a_dropped_visitor_waits_and_its_memory_too():
    told = started().line(
        "replica-1", "connection.closed", visitor="visitor-7", circuit="c1", reason="dropped", connections=0
    )
    assert (told.person()["status"], told.person()["replica"]) == ("waiting", "replica-1")
    assert told.state["circuits"]["c1"]["connected"] is False
    assert told.state["replicas"]["replica-1"]["connections"] == 0


def test_a_visitor_that_comes_back_keeps_its_memory():
    told = started().line(
        "replica-1", "connection.closed", visitor="visitor-7", circuit="c1", reason="dropped"
    )
    told.line("replica-1", "circuit.resumed", visitor="visitor-7", circuit="c1", count=4)
    assert (told.person()["status"], told.person()["memory"]) == ("connected", "kept")
    assert told.state["circuits"]["c1"]["count"] == 4


def test_a_visitor_at_another_replica_has_lost_its_memory_and_the_old_one_is_abandoned():
    told = started().line(
        "replica-1", "connection.closed", visitor="visitor-7", circuit="c1", reason="dropped"
    )
    told.line("replica-2", "circuit.rejected", visitor="visitor-7", circuit="c1")
    told.line("replica-2", "circuit.started", visitor="visitor-7", circuit="c2")
    assert (told.person()["replica"], told.person()["memory"]) == ("replica-2", "lost")
    assert told.state["circuits"]["c1"] == {
        "replica": "replica-1",
        "visitor": "visitor-7",
        "connected": False,
        "count": 0,
    }


def test_a_lost_memory_stays_lost_when_the_visitor_says_so_before_the_replica():
    told = started()
    merge(told.state, memory_gone(told.state, "replica-1"))
    told.line(
        "visitors", "visitor.connected", visitor="visitor-7", circuit="c2", replica="replica-2", memory="lost"
    )
    told.line("replica-2", "circuit.started", visitor="visitor-7", circuit="c2")
    assert told.person()["memory"] == "lost"


def test_the_end_of_an_old_connection_does_not_disconnect_the_new_one():
    told = started().line("replica-2", "circuit.started", visitor="visitor-7", circuit="c2")
    told.line("replica-1", "connection.closed", visitor="visitor-7", circuit="c1", reason="timeout")
    assert told.person()["status"] == "connected"


def test_a_refused_visitor_is_refused_but_not_while_it_is_connected():
    told = Told().line("replica-2", "connection.refused", visitor="browser-1", holder="replica-1")
    assert told.person("browser-1") == {"kind": "browser", "status": "refused"}
    assert (
        started().line("replica-2", "connection.refused", visitor="visitor-7").person()["status"]
        == "connected"
    )


def test_a_browser_that_closes_its_page_is_gone():
    told = Told().line("replica-1", "circuit.started", visitor="browser-1", circuit="c1")
    told.line("replica-1", "connection.closed", visitor="browser-1", circuit="c1", reason="client")
    assert told.state["people"] == {}
    assert told.state["circuits"]["c1"]["connected"] is False


def test_a_replica_that_is_gone_takes_its_circuits_along():
    told = started().line("replica-2", "circuit.started", visitor="visitor-8", circuit="c2")
    merge(told.state, memory_gone(told.state, "replica-1"))
    assert told.state["circuits"].keys() == {"c2"}
    assert told.person() == {"kind": "virtual", "status": "waiting", "memory": "lost"}
    assert told.person("visitor-8")["status"] == "connected"


def test_the_crowd_counts_itself():
    told = Told().line(
        "visitors", "visitor.failed", visitor="visitor-1", crowd={"count": 3, "connected": 1, "failed": 2}
    )
    assert told.state["visitors"] == {"count": 3, "connected": 1, "failed": 2}
    assert told.person("visitor-1")["status"] == "failed"


def test_a_client_without_a_name_changes_only_counts():
    told = Told().line("replica-1", "circuit.started", visitor=None, circuit="c1", connections=1)
    assert told.state["people"] == {}
    assert told.state["replicas"]["replica-1"]["connections"] == 1


def test_lines_that_the_dashboard_says_itself_are_dropped():
    assert patch_of(Line("balancer", "affinity.changed", "info", "", {})) is None


def test_a_late_line_does_not_bring_a_visitor_back_to_life():
    told = started().line("visitors", "visitor.left", visitor="visitor-7", crowd={"count": 0})
    told.line("replica-2", "connection.opened", visitor="visitor-7", connections=1)
    told.line("replica-2", "connection.refused", visitor="visitor-8")
    assert told.state["people"] == {}


def test_a_browser_that_was_refused_is_gone_when_its_page_is():
    told = Told().line("replica-2", "connection.refused", visitor="browser-1")
    assert told.line("replica-1", "visitor.left", visitor="browser-1").state["people"] == {}


def test_a_goodbye_that_comes_after_the_next_page_does_not_take_that_away():
    told = Told().line("replica-1", "circuit.started", visitor="browser-1", circuit="c1")
    assert told.line("replica-2", "visitor.left", visitor="browser-1").person("browser-1")["circuit"] == "c1"


def test_a_late_line_that_counts_nobody_unasks_for_nobody():
    """The crowd's first line may be read after visitors were asked for; the next one is of visitor-1."""
    state = {"visitors": {"count": 2}, "people": {}}
    ready = Line(
        "visitors", "visitors.ready", "info", "x", {"crowd": {"count": 0, "connected": 0, "failed": 0}}
    )
    assert patch_of(ready)(state) == {}


def test_a_virtual_visitor_that_leaves_after_it_lost_its_memory_is_gone():
    """Its connection is told as closed before the crowd tells that it left."""
    told = started().line("visitors", "visitor.connected", visitor="visitor-7", memory="lost", circuit="c1")
    told = told.line("replica-1", "connection.closed", visitor="visitor-7", circuit="c1")
    assert told.person("visitor-7")["status"] == "waiting"
    assert "visitor-7" not in told.line("visitors", "visitor.left", visitor="visitor-7").state["people"]
