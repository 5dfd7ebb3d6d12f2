"""The three failures that differ, whose memory it is, and how long it is kept."""

import asyncio
from itertools import pairwise

import pytest

from services.wire.messages import Invocation
from tests.circuit.replica_process import RunningReplica, until
from tests.circuit.speaker import EVERY_WAY, connect, negotiate, speaker

every_way = pytest.mark.parametrize(("transport", "protocol"), EVERY_WAY)


async def descriptor_of(session, replica):
    """What the page of that replica carries."""
    async with session.get(replica.url) as response:
        page = await response.text()
    return page.partition('data-descriptor="')[2].partition('"')[0]


@pytest.mark.parametrize("transport", ["WebSockets", "ServerSentEvents", "LongPolling"])
async def test_a_connection_negotiated_elsewhere_is_unknown_here(start_replica, http, transport):
    one, two = start_replica("replica-1"), start_replica("replica-2")
    async with http() as session:
        token = (await negotiate(session, one.url))["connectionToken"]
        accept = "text/event-stream" if transport == "ServerSentEvents" else "*/*"
        async with session.get(f"{two.url}/_blazor?id={token}", headers={"Accept": accept}) as response:
            assert (response.status, await response.text()) == (404, "No Connection with that ID")
        client = speaker(session, one.url, transport, "json", token)
        assert (await client.start()).error is None


@every_way
async def test_a_circuit_of_another_replica_is_unknown_here(start_replica, http, transport, protocol):
    one, two = start_replica("replica-1"), start_replica("replica-2")
    async with http("visitor-7") as session:
        first = await connect(session, one.url, transport, protocol)
        circuit = await first.call("StartCircuit")
        second = await connect(session, two.url, transport, protocol)
        assert await second.call("ConnectCircuit", circuit) is False
        assert (await second.ask("Increment")).error == "Circuit not initialized."
        rejected = await two.told("circuit.rejected")
        wanted = {"visitor": "visitor-7", "circuit": circuit, "replica": "replica-2", "circuits": 0}
        assert rejected["level"] == "warning" and wanted.items() <= rejected["data"].items()
        assert await first.call("Increment") == 1


async def test_a_page_of_another_replica_starts_no_circuit(start_replica, http):
    one, two = start_replica("replica-1"), start_replica("replica-2")
    async with http("visitor-7") as session:
        descriptor = await descriptor_of(session, one)
        client = await connect(session, two.url)
        error = (await client.ask("StartCircuit", descriptor)).error
        assert error.startswith("The circuit failed to initialize. replica-1 signed the page")
        rejected = await two.told("page.rejected", page="replica-1", visitor="visitor-7")
        assert (rejected["level"], rejected["data"]["circuits"]) == ("warning", 0)
        assert await (await connect(session, one.url)).call("StartCircuit", descriptor)


async def test_replicas_that_share_a_key_read_each_others_pages(start_replica, http):
    one, two = (start_replica(f"replica-{n}", LAB_PAGE_KEY="shared by both") for n in (1, 2))
    async with http() as session:
        descriptor = await descriptor_of(session, one)
        assert await (await connect(session, two.url)).call("StartCircuit", descriptor)


async def test_another_start_of_a_replica_cannot_read_its_old_pages(start_replica, http):
    async with http() as session:
        descriptor = await descriptor_of(session, start_replica())
        client = await connect(session, start_replica().url)
        assert "Another start of replica-1" in (await client.ask("StartCircuit", descriptor)).error


@pytest.mark.parametrize(
    "forged", ["", "x", "a.b", "e30=.e30=", "WyJ4Il0=.eA==", "é", 5, [], {}, True, "x" * 2000, "🔑.🔑"]
)
async def test_a_forged_descriptor_starts_no_circuit(replica, http, forged):
    async with http() as session:
        client = await connect(session, replica.url, protocol="messagepack")
        assert "failed to initialize" in (await client.ask("StartCircuit", forged)).error
        assert await client.call("StartCircuit", await descriptor_of(session, replica))


async def test_a_descriptor_with_another_name_in_it_is_not_ours(replica, http):
    async with http() as session:
        body, _, signature = (await descriptor_of(session, replica)).partition(".")
        forged = body[:-4] + ("A" * 4) + "." + signature
        client = await connect(session, replica.url)
        assert "failed to initialize" in (await client.ask("StartCircuit", forged)).error


async def test_a_circuit_belongs_to_the_connection_that_took_it_last(replica, http):
    async with http() as session:
        older, newer = await connect(session, replica.url), await connect(session, replica.url)
        circuit = await older.call("StartCircuit")
        await older.call("Increment")
        assert await newer.call("ConnectCircuit", circuit) is True
        assert await newer.call("ConnectCircuit", circuit) is True
        assert (await older.ask("Increment")).error == "Circuit not initialized."
        assert await newer.call("Increment") == 2
        await older.close()
        await replica.told("connection.closed")
        state = await replica.control("GET", "state")
        assert [(c["circuit"], c["connected"], c["count"]) for c in state["circuits"]] == [(circuit, True, 2)]


async def test_a_circuit_without_a_connection_expires(start_replica, http):
    replica = start_replica(LAB_RETENTION_SECONDS="0.5")
    async with http("visitor-7") as session:
        client = await connect(session, replica.url)
        circuit = await client.call("StartCircuit")
        await client.close()
        expired = await replica.told("circuit.expired", circuit=circuit)
        assert (expired["data"]["visitor"], expired["data"]["circuits"]) == ("visitor-7", 0)
        assert await (await connect(session, replica.url)).call("ConnectCircuit", circuit) is False


async def test_a_circuit_that_is_in_use_never_expires(start_replica, http):
    replica = start_replica(LAB_RETENTION_SECONDS="0.2")
    async with http() as session:
        used, left = await connect(session, replica.url), await connect(session, replica.url)
        await used.call("StartCircuit")
        lost = await left.call("StartCircuit")
        await left.close()
        await replica.told("circuit.expired", circuit=lost)
        assert await used.call("Increment") == 1


async def test_a_circuit_that_was_taken_up_again_does_not_expire(start_replica, http):
    replica = start_replica(LAB_RETENTION_SECONDS="0.5")
    async with http() as session:
        first, other = await connect(session, replica.url), await connect(session, replica.url)
        circuit, lost = await first.call("StartCircuit"), await other.call("StartCircuit")
        await first.close()
        await replica.told("connection.closed", circuit=circuit)
        again = await connect(session, replica.url)
        assert await again.call("ConnectCircuit", circuit) is True
        await other.close()
        await replica.told("circuit.expired", circuit=lost)
        assert await again.call("Increment") == 1


async def test_where_only_so_many_circuits_may_wait_the_oldest_goes(start_replica, http):
    replica = start_replica(LAB_RETAINED_CIRCUITS="10")
    async with http() as session:
        circuits = []
        for number in range(12):
            client = await connect(session, replica.url)
            circuits.append(await client.call("StartCircuit"))
            await client.close()
            await until(lambda n=number: replica.kinds().count("connection.closed") == n + 1)
        assert [e["data"]["circuit"] for e in replica.events if e["kind"] == "circuit.expired"] == circuits[
            :2
        ]
        client = await connect(session, replica.url)
        assert await client.call("ConnectCircuit", circuits[1]) is False
        assert await client.call("ConnectCircuit", circuits[2]) is True


async def test_forget_loses_one_circuit_or_all(replica, http):
    async with http() as session:
        clients = [await connect(session, replica.url) for _ in range(3)]
        circuits = [await client.call("StartCircuit") for client in clients]
        assert await replica.control("POST", "forget", {"circuit": "none"}) == {"forgotten": 0}
        assert await replica.control("POST", "forget", {"circuit": circuits[0]}) == {"forgotten": 1}
        await replica.told("circuit.forgotten", circuit=circuits[0], circuits=2)
        assert (await clients[0].ask("Increment")).error == "Circuit not initialized."
        assert await clients[1].call("Increment") == 1
        assert await replica.control("POST", "forget") == {"forgotten": 2}
        assert await clients[1].call("ConnectCircuit", circuits[1]) is False


async def test_a_draining_replica_keeps_its_visitors_and_takes_no_new_ones(replica, http):
    async with http() as session:
        client = await connect(session, replica.url)
        circuit = await client.call("StartCircuit")
        async with session.get(f"{replica.url}/healthz") as response:
            assert (response.status, (await response.json())["status"]) == (200, "ok")
        assert await replica.control("POST", "drain") == {"draining": True}
        async with session.get(f"{replica.url}/healthz") as response:
            assert (response.status, (await response.json())["status"]) == (503, "draining")
        assert await client.call("Increment") == 1
        newcomer = await connect(session, replica.url)
        assert "draining" in (await newcomer.ask("StartCircuit")).error
        assert await newcomer.call("ConnectCircuit", circuit) is True


@pytest.mark.parametrize("keys", ["shared", "own"])
async def test_a_memory_moves_with_its_visitor_where_the_other_replica_has_the_key(start_replica, http, keys):
    key = {"LAB_PAGE_KEY": "one for both"} if keys == "shared" else {}
    old, new = start_replica("replica-1", **key), start_replica("replica-2", **key)
    async with http("visitor-7") as session:
        client = await connect(session, old.url)
        circuit = await client.call("StartCircuit")
        await client.call("Increment")
        await client.call("SetNote", "to be kept")
        assert await old.control("POST", "move") == {"asked": 1, "held": 1}
        pause = await client.receive()
        assert isinstance(pause, Invocation) and (pause.target, pause.invocation_id) == ("Pause", None)
        await client.close()
        await old.told("circuit.paused", circuit=circuit, circuits=0)
        newcomer = await connect(session, new.url)
        resumed = await newcomer.call("ResumeCircuit", pause.arguments[0])
        if keys == "own":
            assert resumed is None
            await new.told(
                "circuit.move_refused", paused=circuit, visitor="visitor-7", **{"from": "replica-1"}
            )
            return
        state = await newcomer.call("GetState")
        assert (state["circuit"], state["count"], state["note"]) == (resumed, 1, "to be kept")
        await new.told("circuit.moved", paused=circuit, circuit=resumed, **{"from": "replica-1"})


@pytest.mark.parametrize("state", ["", "x", "e30=.e30=", 7, None, "a" * 9000])
async def test_what_nobody_sealed_is_no_memory(replica, http, state):
    async with http() as session:
        client = await connect(session, replica.url)
        assert await client.call("ResumeCircuit", state) is None
        assert await client.call("StartCircuit")


async def test_the_state_shows_connections_and_circuits(replica, http):
    async with http("visitor-7") as session:
        empty = {"replica": "replica-1", "draining": False, "connections": [], "circuits": []}
        assert await replica.control("GET", "state") == empty
        await negotiate(session, replica.url)
        client = await connect(session, replica.url, "LongPolling", "blazorpack")
        circuit = await client.call("StartCircuit")
        (connection,) = (await replica.control("GET", "state"))["connections"]
        wanted = {
            "visitor": "visitor-7",
            "transport": "LongPolling",
            "protocol": "blazorpack",
            "circuit": circuit,
        }
        assert wanted.items() <= connection.items() and connection["connection"] in client.address
        told = await client.call("GetConnection")
        assert (told["replica"], told["connection_id"]) == ("replica-1", connection["connection_id"])
        await client.close()
        (held,) = (await replica.control("GET", "state"))["circuits"]
        assert held == {"circuit": circuit, "visitor": "visitor-7", "connected": False, "count": 0}


async def test_every_event_carries_absolute_counts_that_follow_each_other(replica, http):
    async with http() as session:
        for transport, protocol in EVERY_WAY:
            client = await connect(session, replica.url, transport, protocol)
            await client.call("StartCircuit")
        await replica.control("POST", "drop")

        def told():
            return [e for e in list(replica.events) if e["kind"].startswith(("connection.", "circuit."))]

        await until(lambda: told()[-1]["data"]["connections"] == 0, "the end of all connections")
        events = told()
        steps = {"connection.opened": (1, 0), "connection.closed": (-1, 0), "circuit.started": (0, 1)}
        for before, after in pairwise(events):
            connections, circuits = steps[after["kind"]]
            assert after["data"]["connections"] == before["data"]["connections"] + connections
            assert after["data"]["circuits"] == before["data"]["circuits"] + circuits


@pytest.mark.parametrize("cookie", ["<script>", "a" * 300, "visitor-7; DROP", "Visitor-7", "…"])
async def test_a_cookie_that_is_no_name_is_nobody(replica, http, cookie):
    async with http() as session:
        headers = {"Cookie": f"labdeck_visitor={cookie}"}
        async with session.ws_connect(f"{replica.url}/_blazor", headers=headers) as socket:
            await socket.send_str('{"protocol":"json","version":1}\x1e')
            opened = await replica.told("connection.opened")
        assert opened["data"]["visitor"] in (None, "visitor-7" if ";" in cookie else None)


async def test_the_page_is_hardened_and_names_its_visitor(replica, http):
    async with http() as session:
        async with session.get(replica.url) as response:
            policy, cookie = response.headers["Content-Security-Policy"], response.headers["Set-Cookie"]
            assert "unsafe" not in policy and "default-src 'none'" in policy and "script-src 'self'" in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            page = await response.text()
        assert "SameSite=Lax" in cookie and "HttpOnly" in cookie and "labdeck_visitor=browser-" in cookie
        name = cookie.partition("=")[2].partition(";")[0]
        assert f'data-visitor="{name}"' in page and 'data-page-replica="replica-1"' in page
        for kind in ("<style", " style=", " onclick=", "<script>"):
            assert kind not in page
        async with session.get(replica.url) as response:
            assert "Set-Cookie" not in response.headers
            assert f'data-visitor="{name}"' in await response.text()


async def test_the_page_serves_its_own_files_and_no_others(replica, http):
    async with http() as session:
        async with session.get(f"{replica.url}/page/main.js") as response:
            assert (response.status, response.content_type) == (200, "text/javascript")
            etag = response.headers["ETag"]
        async with session.get(f"{replica.url}/page/main.js", headers={"If-None-Match": etag}) as response:
            assert response.status == 304
        async with session.get(f"{replica.url}/page/vendor/signalr-10.0.11.min.js") as response:
            assert response.status == 200 and "immutable" in response.headers["Cache-Control"]
        for path in (
            "routes.py",
            "index.html",
            "vendor/VENDOR.md",
            "..%2f__main__.py",
            "%2e%2e/hub.py",
            "",
            "x" * 500,
        ):
            async with session.get(f"{replica.url}/page/{path}") as response:
                assert response.status == 404, path


def test_a_replica_says_what_its_environment_lacks():
    for name, value in [
        ("LAB_CONTROL_KEY", ""),
        ("LAB_LISTEN_PUBLIC", "nowhere"),
        ("LAB_RETENTION_SECONDS", "soon"),
        ("LAB_RETAINED_CIRCUITS", "-1"),
    ]:
        with pytest.raises(AssertionError, match=name):
            RunningReplica("replica-1", {name: value})


async def test_a_taken_port_is_told_with_the_next_move(replica):
    second = RunningReplica(
        "replica-2", {"LAB_LISTEN_PUBLIC": replica.url.removeprefix("http://")}, ready=False
    )
    assert await asyncio.to_thread(second.process.wait, 15) == 1
    failed = await second.told("replica.failed")
    assert (failed["level"], failed["data"]["error"]["kind"]) == ("error", "port_taken")
    assert failed["data"]["error"]["hint"]
