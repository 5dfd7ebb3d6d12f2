"""What watchers get is compressed message by message: a compressor that remembers costs memory a watcher."""

import asyncio
import json

import aiohttp

from tests.web.conftest import TOKEN

CHROMIUM_OFFERS = 15
"""Makes aiohttp offer `permessage-deflate; client_max_window_bits`, as Chromium does."""


async def _watched(dashboard, count):
    """What the server agreed to, and the texts of `count` events that came one by one."""
    address = f"{dashboard.url}/socket.io/?EIO=4&transport=websocket"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(address, compress=CHROMIUM_OFFERS, timeout=aiohttp.ClientWSTimeout(10)) as socket,
    ):
        await socket.receive_str(timeout=10)
        await socket.send_str("40" + json.dumps({"token": TOKEN}))
        await socket.send_str("420" + json.dumps(["watch", {"workspace": "demo", "after": None}]))
        while not (await socket.receive_str(timeout=10)).startswith("430"):
            pass
        texts = []
        for number in range(count):
            dashboard.record(f"line {number} " + "again and " * 50)
            batch = await socket.receive_str(timeout=10)
            texts += [event["text"].split(" again")[0] for event in json.loads(batch[2:])[1]["events"]]
        return socket._response.headers.get("Sec-WebSocket-Extensions", ""), texts


def test_each_message_is_compressed_by_itself_and_readable(dashboard):
    agreed, texts = asyncio.run(_watched(dashboard, 5))
    assert "permessage-deflate" in agreed
    assert "server_no_context_takeover" in agreed
    assert texts == [f"line {number}" for number in range(5)]
