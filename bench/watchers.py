"""Many browsers' sockets in one process: `python -m bench.watchers URL TOKEN COUNT`.

They speak Socket.IO over a WebSocket as the page's client does, and offer compression as Chromium does.
"ready" is printed when all watch; when standard input ends, one line of JSON tells how long after its `at`
each event arrived.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time

import aiohttp

from bench.figures import moment

_AT_ONCE = 20
_WINDOW_BITS = 15
"""Makes aiohttp offer `permessage-deflate; client_max_window_bits`, Chromium's very words."""


class Watcher:
    """One socket; `delays` are milliseconds from an event's `at` to its arrival."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self.seqs: list[int] = []
        self.compressed = False

    async def open(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        """Connect and watch; raises RuntimeError when it is refused."""
        address = f"{url}/socket.io/?EIO=4&transport=websocket"
        self._socket = await session.ws_connect(address, compress=_WINDOW_BITS, max_msg_size=0)
        self.compressed = bool(self._socket.compress)
        await self._socket.receive_str()
        await self._say("40", {"token": token})
        await self._say("420", ["watch", {"workspace": "demo", "after": None}])
        while not (said := await self._socket.receive_str()).startswith("430"):
            if not said.startswith(("40{", "42", "2")):
                raise RuntimeError(f"a watcher was refused: {said[:200]}")

    async def follow(self) -> None:
        """Note every event until the connection ends."""
        async for message in self._socket:
            arrived = time.time()
            if message.data == "2":
                await self._socket.send_str("3")
            elif message.data.startswith('42["events"'):
                self._note(json.loads(message.data[2:])[1]["events"], arrived)

    def _note(self, events: list[dict[str, str]], arrived: float) -> None:
        for event in events:
            self.delays.append(round((arrived - moment(event["at"])) * 1000, 1))
            self.seqs.append(int(event["seq"]))

    async def _say(self, kind: str, content: object) -> None:
        await self._socket.send_str(kind + json.dumps(content))


async def watch(url: str, token: str, count: int) -> None:
    watchers, door = [Watcher() for _ in range(count)], asyncio.Semaphore(_AT_ONCE)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def enter(watcher: Watcher) -> None:
            async with door:
                await watcher.open(session, url, token)

        await asyncio.gather(*map(enter, watchers))
        following = [asyncio.create_task(watcher.follow()) for watcher in watchers]
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        gone = sum(task.done() for task in following)
        for task in following:
            task.cancel()
    print(json.dumps(_report(watchers) | {"gone": gone}), flush=True)


def _report(watchers: list[Watcher]) -> dict[str, object]:
    """`missed`: events that one of them saw and another did not, or saw twice; none is right."""
    seen = set().union(*(watcher.seqs for watcher in watchers))
    return {
        "delays": [delay for watcher in watchers for delay in watcher.delays],
        "events": len(seen),
        "missed": sum(sorted(seen) != watcher.seqs for watcher in watchers),
        "compressed": all(watcher.compressed for watcher in watchers),
    }


if __name__ == "__main__":
    _hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (_hard, _hard))
    asyncio.run(watch(sys.argv[1], sys.argv[2], int(sys.argv[3])))
