"""Every transport and protocol against a running replica, over real HTTP."""

import asyncio

import aiohttp
import pytest

from services.wire.messages import Close, Completion, Invocation, Ping, StreamInvocation
from tests.circuit.speaker import EVERY_WAY, connect, negotiate, speaker

every_way = pytest.mark.parametrize(("transport", "protocol"), EVERY_WAY)
every_transport = pytest.mark.parametrize("transport", ["WebSockets", "ServerSentEvents", "LongPolling"])
FAST = {"LAB_KEEP_ALIVE_SECONDS": "0.2", "LAB_CLIENT_TIMEOUT_SECONDS": "1", "LAB_HANDSHAKE_SECONDS": "0.5",
        "LAB_DISCONNECT_SECONDS": "0.5", "LAB_POLL_SECONDS": "0.3"}  # fmt: skip


@every_way
async def test_a_circuit_counts_and_keeps_a_note(replica, http, transport, protocol):
    async with http("visitor-7") as session:
        client = await connect(session, replica.url, transport, protocol)
        circuit = await client.call("StartCircuit")
        assert [await client.call("Increment") for _ in range(3)] == [1, 2, 3]
        assert await client.ask("SetNote", "naïve\n✓ " * 50) == Completion("5")
        state = {"replica": "replica-1", "circuit": circuit, "count": 3, "note": "naïve\n✓ " * 50}
        assert await client.call("GetState") == state
        opened = await replica.told("connection.opened")
        wanted = {"visitor": "visitor-7", "transport": transport, "protocol": protocol, "connections": 1}
        assert wanted.items() <= opened["data"].items()
        await client.close()
        closed = await replica.told("connection.closed", reason="client")
        assert (closed["data"]["circuit"], closed["data"]["connections"]) == (circuit, 0)


@every_way
async def test_a_client_that_says_close_is_let_go(replica, http, transport, protocol):
    async with http() as session:
        client = await connect(session, replica.url, transport, protocol)
        await client.send(Close())
        assert await client.ended() == []
        await replica.told("connection.closed", reason="client")


@every_way
async def test_a_drop_breaks_the_connection_and_the_memory_is_kept(replica, http, transport, protocol):
    async with http("visitor-7") as session:
        client = await connect(session, replica.url, transport, protocol)
        circuit = await client.call("StartCircuit")
        await client.call("Increment")
        assert await replica.control("POST", "drop", {"visitor": "visitor-8"}) == {"dropped": 0}
        assert await replica.control("POST", "drop", {"visitor": "visitor-7"}) == {"dropped": 1}
        assert not any(isinstance(message, Close) for message in await client.ended())
        again = await connect(session, replica.url, transport, protocol)
        assert (await again.ask("Increment")).error == "Circuit not initialized."
        assert await again.call("ConnectCircuit", circuit) is True
        assert await again.call("Increment") == 2
        assert (await replica.told("circuit.resumed"))["data"]["count"] == 1


async def test_a_drop_of_one_connection_leaves_the_others(replica, http):
    """By its token, as the balancer's lines name it, or by its public id, as the client knows it."""
    async with http("visitor-7") as session:
        clients = [await connect(session, replica.url, "WebSockets", "json") for _ in range(3)]
        one, two, three = (await replica.control("GET", "state"))["connections"]
        for name in (one["connection"], two["connection_id"]):
            assert await replica.control("POST", "drop", {"connection": name}) == {"dropped": 1}
        assert await replica.control("POST", "drop", {"connection": "nobody"}) == {"dropped": 0}
        assert (await replica.control("GET", "state"))["connections"] == [three]
        for client in clients:
            await client.close()


async def test_a_drop_is_a_tcp_reset_and_not_a_goodbye(replica):
    host, port = replica.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"GET /_blazor HTTP/1.1\r\nHost: lab\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    assert head.startswith("http/1.1 101") and "x-labdeck-connection: " in head
    await replica.control("POST", "drop")
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


async def test_negotiate_answers_version_1_and_names_the_holder_in_a_header(replica, http):
    async with http() as session:
        async with session.post(f"{replica.url}/_blazor/negotiate?negotiateVersion=1") as response:
            answer = await response.json()
            assert response.headers["X-Labdeck-Connection"] == answer["connectionToken"]
        assert answer["negotiateVersion"] == 1
        assert answer["connectionToken"] != answer["connectionId"]
        formats = {offer["transport"]: offer["transferFormats"] for offer in answer["availableTransports"]}
        both = ["Text", "Binary"]
        assert formats == {"WebSockets": both, "ServerSentEvents": ["Text"], "LongPolling": both}


@pytest.mark.parametrize("version", ["0", ""])
async def test_negotiate_version_0_has_one_id_for_all(replica, http, version):
    async with http() as session:
        path = f"/_blazor/negotiate?negotiateVersion={version}" if version else "/_blazor/negotiate"
        async with session.post(replica.url + path) as response:
            answer = await response.json()
        assert answer["negotiateVersion"] == 0 and "connectionToken" not in answer
        client = speaker(session, replica.url, "WebSockets", "json", answer["connectionId"])
        assert (await client.start()).error is None


@pytest.mark.parametrize("version", ["x", "-1", "1.0", "²"])
async def test_negotiate_refuses_a_version_that_is_none(replica, http, version):
    address = f"{replica.url}/_blazor/negotiate?negotiateVersion={version}"
    async with http() as session, session.post(address) as response:
        assert "The client requested" in (await response.json())["error"]


async def test_a_version_from_the_future_is_served_as_the_highest_we_know(replica, http):
    async with http() as session:
        assert (await negotiate(session, replica.url, 7))["negotiateVersion"] == 1


async def test_a_websocket_without_an_id_needs_no_negotiate(replica, http):
    async with http() as session:
        client = speaker(session, replica.url, "WebSockets", "blazorpack")
        assert (await client.start()).error is None
        assert client.socket._response.headers["X-Labdeck-Connection"]
        assert await client.call("StartCircuit")


async def test_an_unknown_id_is_404_with_the_words_of_the_real_server(replica, http):
    async with http() as session:
        address = f"{replica.url}/_blazor?id=of-another-replica"
        for method, accept in [
            ("GET", "*/*"),
            ("GET", "text/event-stream"),
            ("POST", "*/*"),
            ("DELETE", "*/*"),
        ]:
            async with session.request(method, address, headers={"Accept": accept}) as response:
                assert (response.status, await response.text()) == (404, "No Connection with that ID")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(address)
        assert refused.value.status == 404


async def test_a_missing_id_is_400(replica, http):
    async with http() as session:
        for method in ("GET", "POST", "DELETE"):
            async with session.request(method, f"{replica.url}/_blazor") as response:
                assert (response.status, await response.text()) == (400, "Connection ID required")


async def test_a_method_that_the_endpoint_does_not_know_is_405(replica, http):
    async with http() as session:
        for method, path in [("PUT", "/_blazor"), ("GET", "/_blazor/negotiate")]:
            async with session.request(method, replica.url + path) as response:
                assert response.status == 405


async def test_a_transport_cannot_be_changed_nor_taken_twice(replica, http):
    async with http() as session:
        client = await connect(session, replica.url, "WebSockets")
        async with session.get(client.address) as response:
            assert (response.status, await response.text()) == (
                400,
                "Cannot change transports mid-connection",
            )
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(client.address)
        assert refused.value.status == 409
        async with session.post(client.address, data=b"x") as response:
            words = "POST requests are not allowed for WebSocket connections."
            assert (response.status, await response.text()) == (405, words)
        async with session.delete(client.address) as response:
            words = "Cannot terminate this connection using the DELETE endpoint."
            assert (response.status, await response.text()) == (400, words)
        assert await client.call("StartCircuit")


async def test_two_polls_at_once_end_the_older_one(replica, http):
    async with http() as session:
        client = speaker(
            session,
            replica.url,
            "LongPolling",
            "json",
            (await negotiate(session, replica.url))["connectionToken"],
        )
        await client.open()
        older = asyncio.create_task(session.get(client.address))
        await asyncio.wait([older], timeout=0.3)
        newer = asyncio.create_task(session.get(client.address))
        assert (await asyncio.wait_for(older, 10)).status == 204
        await client.carry(b'{"protocol":"json","version":1}\x1e')
        assert await (await asyncio.wait_for(newer, 10)).read() == b"{}\x1e"


async def test_a_poll_without_news_ends_empty_and_the_next_goes_on(start_replica, http):
    replica = start_replica(**FAST)
    async with http() as session:
        client = await connect(session, replica.url, "LongPolling")
        client.listening.cancel()
        for _ in range(2):
            async with session.get(client.address) as response:
                assert (response.status, await response.read()) == (200, b"")


async def test_messages_cut_over_several_posts_and_websocket_messages_are_put_together(replica, http):
    async with http() as session:
        for transport, protocol in [
            ("WebSockets", "messagepack"),
            ("LongPolling", "messagepack"),
            ("ServerSentEvents", "json"),
        ]:
            client = await connect(session, replica.url, transport, protocol)
            frame = client.protocol.encode(Invocation("StartCircuit", (), "1"))
            for at in range(0, len(frame), 7):
                await client.carry(frame[at : at + 7])
            assert (await client.receive()).result


async def test_many_calls_in_one_piece_are_answered_in_order(replica, http):
    async with http() as session:
        client = await connect(session, replica.url, "WebSockets", "blazorpack")
        await client.call("StartCircuit")
        calls = [Invocation("Increment", (), str(number)) for number in range(100, 300)]
        await client.carry(b"".join(map(client.protocol.encode, calls)))
        answers = [await client.receive() for _ in calls]
        assert [answer.result for answer in answers] == list(range(1, 201))


async def test_a_call_without_an_id_is_done_but_not_answered(replica, http):
    async with http() as session:
        client = await connect(session, replica.url)
        await client.call("StartCircuit")
        await client.send(Invocation("Increment"))
        await client.send(Invocation("NoSuchMethod"))
        await client.send(Ping())
        assert await client.call("Increment") == 2


async def test_wrong_calls_are_refused_and_the_connection_goes_on(replica, http):
    async with http() as session:
        client = await connect(session, replica.url)
        assert "Method does not exist." in (await client.ask("__init__")).error
        assert (await client.ask("Increment")).error == "Circuit not initialized."
        assert (await client.ask("SetNote", "x")).error == "Circuit not initialized."
        assert (await client.ask("GetState")).error == "Circuit not initialized."
        await client.call("StartCircuit")
        for target, arguments in [
            ("StartCircuit", ()), ("StartCircuit", (1, 2)), ("ConnectCircuit", ()), ("ConnectCircuit", (5,)),
            ("ConnectCircuit", ("another",)), ("Increment", (1,)), ("SetNote", ()), ("SetNote", (None,)),
            ("SetNote", ("x" * 501,)), ("GetState", ({},)),
        ]:  # fmt: skip
            assert (await client.ask(target, *arguments)).error, target
        await client.send(StreamInvocation("Increment", (), "9"))
        assert "non-streaming" in (await client.receive()).error
        assert await client.call("SetNote", "x" * 500) is None
        assert await client.call("Increment") == 1


@pytest.mark.parametrize("greeting, words", [
    (b'{"protocol":"xml","version":1}\x1e', "The protocol 'xml' is not supported."),
    (b'{"protocol":"json","version":3}\x1e', "The server does not support version 3 of the 'json' protocol."),
    (b"!!!\x1e", "An unexpected error occurred during connection handshake."),
    (b"x" * 40_000, "An unexpected error occurred during connection handshake."),
])  # fmt: skip
@every_transport
async def test_a_handshake_that_cannot_be_is_told_why(replica, http, transport, greeting, words):
    async with http() as session:
        token = (await negotiate(session, replica.url))["connectionToken"]
        client = speaker(session, replica.url, transport, "json", token)
        await client.open()
        client.listening = asyncio.create_task(client._listen())
        await client.carry(greeting)
        assert (await client.greeted).error == words
        assert await client.ended() == []
        assert "connection.opened" not in replica.kinds()


@pytest.mark.parametrize("protocol", ["messagepack", "blazorpack"])
async def test_server_sent_events_carry_no_binary(replica, http, protocol):
    async with http() as session:
        token = (await negotiate(session, replica.url))["connectionToken"]
        greeting = await speaker(session, replica.url, "ServerSentEvents", protocol, token).start()
        assert "does not support 'Binary' transfer format" in greeting.error


@every_way
async def test_a_broken_frame_ends_its_sender_and_nobody_else(replica, http, transport, protocol):
    async with http("visitor-1") as session, http("visitor-2") as other_session:
        other = await connect(other_session, replica.url, transport, protocol)
        await other.call("StartCircuit")
        client = await connect(session, replica.url, transport, protocol)
        await client.carry(b"\x01\xc1" if client.protocol.binary else b"{]\x1e")
        (last,) = await client.ended()
        assert isinstance(last, Close) and "not valid" in last.error and not last.allow_reconnect
        rejected = await replica.told("frame.rejected")
        assert (rejected["level"], rejected["data"]["visitor"]) == ("warning", "visitor-1")
        assert await other.call("Increment") == 1


@pytest.mark.parametrize("size", [40_000, 200_000])
async def test_a_message_over_the_limit_ends_its_sender(replica, http, size):
    async with http() as session:
        client = await connect(session, replica.url)
        await client.call("StartCircuit")
        await client.carry(b"x" * size)
        await client.ended()
        await replica.told("frame.rejected")
        async with session.get(f"{replica.url}/healthz") as response:
            assert response.status == 200


async def test_a_body_over_64_kib_is_413(replica, http):
    async with http() as session:
        client = await connect(session, replica.url, "LongPolling")
        async with session.post(client.address, data=b"x" * 70_000) as response:
            assert response.status == 413
        assert await client.call("StartCircuit")


async def test_a_client_that_does_not_read_is_cut_and_the_others_go_on(replica, http):
    async with http() as session:
        other = await connect(session, replica.url)
        await other.call("StartCircuit")
        host, port = replica.url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port), limit=1024)
        token = (await negotiate(session, replica.url))["connectionToken"]
        writer.write(
            f"GET /_blazor?id={token} HTTP/1.1\r\nHost: lab\r\nAccept: text/event-stream\r\n\r\n".encode()
        )
        greedy = speaker(session, replica.url, "ServerSentEvents", "json", token)
        await until_carried(greedy, b'{"protocol":"json","version":1}\x1e')
        unknown = Invocation("x" * 60, (), "y" * 800)
        with pytest.raises(AssertionError, match="404"):
            for _ in range(2000):
                await greedy.carry(greedy.protocol.encode(unknown) * 60)
        closed = await replica.told("connection.closed", reason="timeout")
        assert closed["data"]["connection"] == token
        assert await other.call("Increment") == 1
        assert replica.rss_megabytes() < 80
        writer.close()


async def until_carried(client, data):
    """Send as soon as the transport has been taken up (409 until then)."""
    for _ in range(500):
        async with client.session.post(client.address, data=data) as response:
            if response.status == 200:
                return
        await asyncio.sleep(0.01)
    raise AssertionError("the transport was not taken up")


@pytest.mark.parametrize("transport", ["WebSockets", "ServerSentEvents"])
async def test_the_server_pings_a_quiet_connection(start_replica, http, transport):
    replica = start_replica(**FAST)
    async with http() as session:
        client = await connect(session, replica.url, transport)
        assert [await client.receive(), await client.receive()] == [Ping(), Ping()]


@every_transport
async def test_a_silent_client_is_cut(start_replica, http, transport):
    replica = start_replica(**FAST)
    async with http() as session:
        client = await connect(session, replica.url, transport)
        if transport == "LongPolling":
            client.listening.cancel()
        closed = await replica.told("connection.closed", reason="timeout")
        assert closed["data"]["transport"] == transport
        async with session.post(client.address, data=b"") as response:
            assert response.status == 404


async def test_a_client_that_pings_is_kept(start_replica, http):
    replica = start_replica(**FAST)
    async with http() as session:
        client = await connect(session, replica.url)
        for _ in range(12):
            await client.send(Ping())
            await client.receive()
        assert await client.call("StartCircuit")


async def test_a_connection_that_is_never_taken_up_expires(start_replica, http):
    replica = start_replica(**FAST)
    async with http() as session:
        token = (await negotiate(session, replica.url))["connectionToken"]

        async def status():
            async with session.post(f"{replica.url}/_blazor?id={token}") as response:
                return response.status

        assert await status() == 409
        while await status() != 404:
            await asyncio.sleep(0.05)
        assert "connection.closed" not in replica.kinds()


async def test_a_transport_without_a_handshake_is_closed(start_replica, http):
    replica = start_replica(**FAST)
    async with http() as session:
        client = speaker(session, replica.url)
        await client.open()
        client.listening = asyncio.create_task(client._listen())
        assert (await client.greeted).error == "Handshake was canceled."
        assert await client.ended() == []


@every_way
async def test_a_replica_that_stops_says_so_and_ends_cleanly(replica, http, transport, protocol):
    async with http() as session:
        client = await connect(session, replica.url, transport, protocol)
        circuit = await client.call("StartCircuit")
        stopping = asyncio.create_task(asyncio.to_thread(replica.stop))
        assert await client.ended() == [Close(allow_reconnect=True)]
        assert await stopping == 0
        closed = await replica.told("connection.closed", reason="stopping")
        assert closed["data"]["circuit"] == circuit
        assert replica.noise == []
