"""How Blazor's lines become the lab's: the two streams of one replica in any order."""

import json

import pytest

from services.blazor.telling import Telling
from services.workspaces.tail import read_line

CIRCUITS = "Microsoft.AspNetCore.Components.Server.Circuits"
HUB = "Microsoft.AspNetCore.Components.Server.ComponentHub"
CREATED = f"{CIRCUITS}.CircuitFactory", "Created circuit {CircuitId} for connection {ConnectionId}"
BACK = f"{CIRCUITS}.CircuitRegistry", "Reconnect to circuit with id {CircuitId} succeeded."
PAUSING = (
    f"{CIRCUITS}.CircuitRegistry",
    "Pausing circuit with id {CircuitId} from connection {ConnectionId}.",
)
UNREADABLE = HUB, "ResumeCircuit received an invalid circuit id '{CircuitIdSecret}'"
NOT_FOUND = HUB, "ConnectAsync received an invalid circuit id '{CircuitIdSecret}'"
FAILED = HUB, "Circuit initialization failed"


class Replicas:
    """What replicas write, told line by line; `heard` has what is news."""

    def __init__(self):
        self.telling = Telling(lambda circuit: None)
        self.heard = []

    def write(self, text, replica="replica-1"):
        line = self.telling.told(read_line(text, replica))
        if line.text:
            self.heard.append(line)
        return line

    def app(self, kind, circuit="c1", replica="replica-1", at="2026-11-24T20:00:00.000Z", **data):
        body = {"at": at, "kind": kind, "text": "…", "data": {"circuit": circuit, "count": 0} | data}
        return self.write(json.dumps(body), replica)

    def dotnet(self, said, request="r1", replica="replica-1", exception=None, **values):
        category, form = said
        return self.write(
            json.dumps({
                "Timestamp": "2026-11-24T20:00:00.000Z",
                "LogLevel": "Debug",
                "Category": category,
                "Message": form,
                "Exception": exception,
                "State": values | {"{OriginalFormat}": form},
                "Scopes": [{"ConnectionId": "tcp"}, {"RequestId": request}],
            }),
            replica,
        )  # fmt: skip

    def opens(self, visitor="browser-1", id="token", request="r1", replica="replica-1"):
        identity = f"application/x-labdeck; visitor={visitor}; request=0123abcd-{request[1:]}"
        self.dotnet(
            ("Microsoft.AspNetCore.Hosting.Diagnostics", "Request starting {Protocol} {Method}"),
            request, replica,
            Method="GET", Path="/_blazor", QueryString=f"?id={id}" if id else "", ContentType=identity,
        )  # fmt: skip

    def starts(self, circuit="c1", request="r1", replica="replica-1"):
        self.dotnet(CREATED, request, replica, CircuitId=circuit)
        self.app("circuit.started", circuit, replica)
        self.app("circuit.connected", circuit, replica)

    def kinds(self):
        return [line.kind for line in self.heard]


@pytest.fixture
def replicas():
    return Replicas()


@pytest.mark.parametrize("log_first", [True, False])
def test_a_circuit_is_told_once_with_its_visitor_whichever_stream_is_read_first(replicas, log_first):
    replicas.opens()
    parts = [lambda: replicas.dotnet(CREATED, CircuitId="c1"), lambda: replicas.app("circuit.started")]
    for part in parts if log_first else reversed(parts):
        part()
    replicas.app("circuit.connected")
    assert replicas.kinds() == ["circuit.started"]
    data = replicas.heard[0].data
    assert (data["visitor"], data["connection"], data["circuit"]) == ("browser-1", "token", "c1")


def test_without_negotiate_the_connection_has_the_balancers_name_for_the_request(replicas):
    replicas.opens(id=None)
    replicas.starts()
    assert replicas.heard[0].data["connection"] == "0123abcd-1"


def test_a_reconnect_is_told_with_the_count(replicas):
    replicas.opens()
    replicas.starts()
    replicas.app("circuit.disconnected", count=3)
    replicas.opens(id="second", request="r2")
    replicas.app("circuit.connected", count=3)
    replicas.dotnet(BACK, "r2", CircuitId="c1")
    assert replicas.kinds() == ["circuit.started", "connection.closed", "circuit.resumed"]
    assert (replicas.heard[2].data["connection"], replicas.heard[2].data["count"]) == ("second", 3)


@pytest.mark.parametrize(("seconds", "kind"), [("00.050", "visitor.left"), ("05.000", "circuit.expired")])
def test_a_goodbye_is_told_from_a_time_that_is_over(replicas, seconds, kind):
    replicas.opens()
    replicas.starts()
    replicas.app("circuit.disconnected")
    replicas.app("circuit.closed", at=f"2026-11-24T20:00:{seconds}Z")
    assert replicas.kinds()[-1] == kind


@pytest.mark.parametrize("slow", [True, False])
def test_a_memory_that_moves_is_no_new_one_even_when_the_old_replica_is_read_late(replicas, slow):
    replicas.opens()
    replicas.starts()
    replicas.app("circuits.asked_to_move", asked=1, held=1)

    def leave():
        replicas.dotnet(PAUSING, CircuitId="c1")
        replicas.app("circuit.disconnected")
        replicas.app("circuit.closed")

    if not slow:
        leave()
    replicas.opens(request="r9", replica="replica-2")
    replicas.starts("c2", "r9", "replica-2")
    if slow:
        leave()
    moved = next(line for line in replicas.heard if line.kind == "circuit.moved")
    assert (moved.source, moved.data["from"], moved.data["paused"]) == ("replica-2", "replica-1", "c1")
    assert "circuit.paused" in replicas.kinds()


def test_what_cannot_be_read_is_a_refused_move_or_an_unknown_circuit(replicas):
    replicas.opens()
    replicas.starts()
    replicas.app("circuits.asked_to_move", asked=1, held=1)
    replicas.opens(request="r9", replica="replica-2")
    assert replicas.dotnet(UNREADABLE, "r9", "replica-2").kind == "circuit.move_refused"
    replicas.opens(request="r10", replica="replica-2")
    replicas.dotnet(NOT_FOUND, "r10", "replica-2")
    rejected = replicas.dotnet(UNREADABLE, "r10", "replica-2")
    assert (rejected.kind, rejected.data["circuit"]) == ("circuit.rejected", "c1")


def test_a_page_from_elsewhere_names_who_served_it(replicas):
    served = {"kind": "page.served", "text": "…", "source": "replica-3", "data": {"visitor": "browser-1"}}
    replicas.write(json.dumps(served), "balancer")
    replicas.opens()
    line = replicas.dotnet(FAILED, exception="CryptographicException: not found in the key ring.")
    assert (line.kind, line.data["page"], line.source) == ("page.rejected", "replica-3", "replica-1")


def test_what_is_no_line_of_these_stays_as_it_was_written(replicas):
    for text in ("plain words", '{"half": ', "[1]", '{"Category": 7}'):
        assert replicas.write(text).text == text
