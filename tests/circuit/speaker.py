"""A SignalR client in a few lines: the wire as the real clients speak it, without their good manners."""

import asyncio
import itertools

import aiohttp

from services.wire.messages import Completion, Invocation
from services.wire.signalr import PROTOCOLS, FrameReader, HandshakeRequest, read_handshake_response


async def negotiate(session, url, version=1):
    async with session.post(f"{url}/_blazor/negotiate?negotiateVersion={version}") as response:
        assert response.status == 200
        return await response.json()


class Speaker:
    """One connection; `carry` and `listen` differ by transport."""

    def __init__(self, session, address, protocol):
        self.session = session
        self.address = address
        self.protocol = PROTOCOLS[protocol]
        self.reader = FrameReader(self.protocol)
        self.inbox = asyncio.Queue()
        self.ids = map(str, itertools.count(1))
        self.greeting = b""
        self.greeted = asyncio.get_running_loop().create_future()

    async def start(self, version=1):
        await self.open()
        self.listening = asyncio.create_task(self._listen())
        await self.carry(HandshakeRequest(self.protocol.name, version).encode())
        return await asyncio.wait_for(asyncio.shield(self.greeted), 10)

    async def _listen(self):
        try:
            async for data in self.listen():
                self.take(data)
        except aiohttp.ClientError:
            pass
        if not self.greeted.done():
            self.greeted.set_result(None)
        await self.inbox.put(None)

    def take(self, data):
        if not self.greeted.done():
            self.greeting += data
            found = read_handshake_response(self.greeting)
            if not found:
                return
            self.greeted.set_result(found[0])
            data = found[1]
        for message in self.reader.feed(data):
            self.inbox.put_nowait(message)

    async def receive(self):
        """The next message; None when the connection is over."""
        return await asyncio.wait_for(self.inbox.get(), 10)

    async def ended(self):
        """Wait until the connection is over; the messages before that."""
        messages = []
        while (message := await self.receive()) is not None:
            messages.append(message)
        return messages

    async def send(self, message):
        await self.carry(self.protocol.encode(message))

    async def ask(self, target, *arguments):
        """The whole answer to a call."""
        id = next(self.ids)
        await self.send(Invocation(target, arguments, id))
        while True:
            message = await self.receive()
            assert message is not None, "the connection ended before the answer"
            if isinstance(message, Completion) and message.invocation_id == id:
                return message

    async def call(self, target, *arguments):
        """The result of a call that must succeed."""
        answer = await self.ask(target, *arguments)
        assert answer.error is None, answer.error
        return answer.result


class WebSocketSpeaker(Speaker):
    async def open(self):
        self.socket = await self.session.ws_connect(self.address, max_msg_size=0)

    async def carry(self, data):
        if self.protocol.binary:
            await self.socket.send_bytes(data)
        else:
            await self.socket.send_str(data.decode())

    async def listen(self):
        async for message in self.socket:
            yield message.data if isinstance(message.data, bytes) else message.data.encode()

    async def close(self):
        await self.socket.close()


class PostingSpeaker(Speaker):
    async def carry(self, data):
        async with self.session.post(self.address, data=data) as response:
            assert response.status == 200, (response.status, await response.text())


class EventSpeaker(PostingSpeaker):
    async def open(self):
        self.response = await self.session.get(self.address, headers={"Accept": "text/event-stream"})
        assert self.response.status == 200, await self.response.text()
        assert self.response.content_type == "text/event-stream"

    async def listen(self):
        lines = []
        async for line in self.response.content:
            if line.startswith(b"data: "):
                lines.append(line.removeprefix(b"data: ").rstrip(b"\r\n"))
            elif not line.strip() and lines:
                yield b"\n".join(lines)
                lines = []

    async def close(self):
        self.response.close()


class PollSpeaker(PostingSpeaker):
    async def open(self):
        async with self.session.get(self.address) as response:
            assert (response.status, await response.read()) == (200, b"")

    async def listen(self):
        while True:
            async with self.session.get(self.address) as response:
                if response.status != 200:
                    self.last_status = response.status
                    return
                yield await response.read()

    async def close(self):
        async with self.session.delete(self.address) as response:
            assert response.status == 202


KINDS = {"WebSockets": WebSocketSpeaker, "ServerSentEvents": EventSpeaker, "LongPolling": PollSpeaker}
EVERY_WAY = [
    (transport, protocol)
    for transport in KINDS
    for protocol in PROTOCOLS
    if (transport, protocol) not in [("ServerSentEvents", "messagepack"), ("ServerSentEvents", "blazorpack")]
]


def speaker(session, url, transport="WebSockets", protocol="json", token=None):
    """A client that is not started yet; without a token it is a WebSocket that skips negotiation."""
    address = f"{url}/_blazor?id={token}" if token else f"{url}/_blazor"
    return KINDS[transport](session, address, protocol)


async def connect(session, url, transport="WebSockets", protocol="json"):
    """Negotiate and shake hands; the started client."""
    token = (await negotiate(session, url))["connectionToken"]
    client = speaker(session, url, transport, protocol, token)
    greeting = await client.start()
    assert greeting is not None and greeting.error is None, greeting
    return client
