"""The three failures and success, told of real visitors behind a real Envoy, from the dashboard's own log."""

import pytest

from tests.dashboard import Dashboard
from tests.waiting import wait_for

pytestmark = pytest.mark.local

WAYS = {
    "WebSockets": {"transport": "WebSockets"},
    "ServerSentEvents": {"transport": "ServerSentEvents"},
    "LongPolling": {"transport": "LongPolling"},
    "skip": {"transport": "WebSockets", "skip_negotiation": True},
}
each_way = pytest.mark.parametrize("way", WAYS)
each_negotiated = pytest.mark.parametrize("way", list(WAYS)[:3])


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """One dashboard for all tests of this file, with three replicas."""
    dashboard = Dashboard("local", tmp_path_factory.mktemp("stories") / "state").start()
    dashboard.launch_lab()
    yield dashboard
    dashboard.stop()


@pytest.fixture
def send(lab):
    """Sends fresh visitors, whose failed pages stay as they are; answers the seq before them."""

    def send(count, affinity, way):
        lab.done(lab.put("/visitors", {"count": 0}))
        lab.put("/affinity", {"mode": affinity})
        began = lab.get()["seq"]
        plain = {"skip_negotiation": False, "reload_seconds": 3600, "protocol": "json"}
        lab.done(lab.put("/visitors", {"count": count, **plain, **WAYS[way]}))
        return began

    yield send
    lab.done(lab.put("/visitors", {"count": 0}))


def first(lab, kind, after):
    """The first such line after that seq."""
    return wait_for(lambda: lab.events(after=after, kind=kind), 30, told=lab.told)[0]


def story(lab, line, **query):
    """The story of the line's visitor."""
    return lab.get(f"/visitors/{line['data']['visitor']}/story", **query)


@each_negotiated
def test_a_connection_that_is_unknown(lab, send, way):
    line = first(lab, "connection.refused", send(1, "none", way))
    begun = ["GET /", "POST negotiate"]  # the balancer's lines and the replica's are read one after the other
    wait_for(
        lambda: (
            (now := story(lab, line))["outcome"] == "failed"
            and [step["request"] for step in now["steps"]][:2] == begun
        ),
        told=lab.told,
    )
    told = story(lab, line)
    assert told["verdict"]["failure"] == "connection_unknown"
    refused = next(step for step in told["steps"] if step["refused"])
    assert (refused["asked"], refused["holder"]) == (line["data"]["replica"], line["data"]["holder"])
    assert refused["asked"] != refused["holder"] and refused["status"] == 404
    assert {step["cookie"] for step in told["steps"]} == {None}
    assert f"{refused['asked']} was asked, but {refused['holder']} holds" in told["text"]


@each_way
def test_success_with_a_cookie(lab, send, way):
    line = first(lab, "visitor.connected", send(1, "cookie", way))
    opened = 101 if way in ("WebSockets", "skip") else 200
    wait_for(  # the balancer's lines and the replica's are read one after the other
        lambda: (now := story(lab, line))["outcome"] == "connected" and now["steps"][-2]["status"] == opened,
        told=lab.told,
    )
    told = story(lab, line)
    assert (told["verdict"]["failure"], told["verdict"]["helped"]) == (None, [])
    page, *rest, call = told["steps"]
    assert (page["request"], page["cookie"], call["request"]) == ("GET /", None, "StartCircuit")
    assert {(step["cookie"]["replica"], step["asked"]) for step in rest} == {(page["asked"], page["asked"])}
    assert [step["status"] for step in rest][-1] == opened
    lab.done(lab.put("/visitors", {"count": 0}))
    wait_for(lambda: lab.events(after=line["seq"], kind="visitor.left"), told=lab.told)
    assert story(lab, line, before=line["seq"] + 1)["outcome"] == "connected"


def test_a_page_from_elsewhere(lab, send):
    line = first(lab, "page.rejected", send(1, "none", "skip"))
    told = story(lab, line)
    assert (told["outcome"], told["verdict"]["failure"]) == ("failed", "page_from_elsewhere")
    assert told["steps"][0]["asked"] == told["steps"][-1]["holder"] != told["steps"][-1]["asked"]
    signer, asked = told["steps"][-1]["holder"], told["steps"][-1]["asked"]
    assert line["text"].count(signer) == 1 and line["text"].count(asked) == 2
    assert told["verdict"]["reason"].startswith(f"{signer} made the page")


def test_a_circuit_that_is_unknown_while_another_replica_holds_it(lab, send):
    """Pinned and connected; then the cookie counts no more, and a drop leads to the next one."""
    began = send(1, "cookie", "skip")
    first(lab, "visitor.connected", began)
    lab.put("/affinity", {"mode": "none"})
    homes = {name: person["replica"] for name, person in lab.get()["people"].items()}
    lab.post("/connections/drop")
    line = first(lab, "circuit.rejected", began)
    asked, holder = line["source"], homes[line["data"]["visitor"]]
    assert (line["data"]["holder"], line["data"]["fate"]) == (holder, "held")
    assert line["text"] == f"{asked} has no memory of {line['data']['visitor']}: {holder} holds it."
    mine = {"before": line["seq"] + 1}
    wait_for(lambda: story(lab, line, **mine)["outcome"] in ("failed", "memory_lost"), told=lab.told)
    told = story(lab, line, **mine)
    assert told["verdict"]["failure"] in ("circuit_unknown", "page_from_elsewhere")
    step = next(step for step in told["steps"] if step["refused"])
    assert (step["asked"], step["holder"], step["fate"]) == (asked, holder, "held")
    assert told["steps"][0]["cookie"]["ignored"] is True and told["steps"][0]["cookie"]["replica"] == holder


def test_a_circuit_that_died_with_its_replica(lab, send):
    began = send(3, "cookie", "WebSockets")
    wait_for(lambda: len(lab.events(after=began, kind="visitor.connected")) == 3, told=lab.told)
    began = lab.get()["seq"]
    lab.done(lab.post("/replicas/replica-1/kill"))
    line = first(lab, "circuit.rejected", began)
    assert (line["data"]["holder"], line["data"]["fate"]) == ("replica-1", "killed")
    assert line["text"].endswith("replica-1 held it and was killed.")
    wait_for(lambda: story(lab, line)["outcome"] == "memory_lost", told=lab.told)
    told = story(lab, line)
    assert told["verdict"]["failure"] == "circuit_unknown"
    assert {remedy["outcome"] for remedy in told["verdict"]["helped"]} == {"no"}
    assert "and began anew on replica-" in told["verdict"]["reason"]
    lab.done(lab.post("/replicas/replica-1/start"))
