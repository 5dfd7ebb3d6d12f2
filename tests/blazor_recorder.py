"""Stands between a visitor and one replica of Blazor, lets everything through, and writes it down."""

import asyncio
import json
import re
import threading
from email.parser import BytesParser

import aiohttp
import msgpack
from aiohttp import web
from lab_programs import until

from services.wire.msgpack_protocol import MsgpackProtocol

_HOP = {"host", "connection", "content-length", "transfer-encoding", "upgrade", "accept-encoding"}
_SIGNED = re.compile(r"[\w+/=-]{40,}|[0-9a-f]{32}")
_OWN_CALL = re.compile(r"s\d+")
"""The server numbers the calls that it wants answers to, over all of its connections."""
_PLACES = re.compile(r"(screen|client|offset|page|movement)[XY]")
_KINDS = {1: "Invocation", 3: "Completion", 6: "Ping", 7: "Close"}


class Recorder:
    """`stages` has for each stage what was asked, what the client said, what the server said, what ended."""

    def __init__(self, replica):
        self._replica = f"http://127.0.0.1:{replica}"
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.stages = {}
        self.open = 0
        self._polled = set()
        self.run(self._serve())

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def begin(self, stage):
        self._now = self.stages[stage] = {"asked": [], "client": [], "server": [], "ended": []}

    def wait_for(self, *names):
        """Until each of these was said, or asked for, in this stage."""
        until(lambda: set(names) <= set(self._names()), lambda: f"{names} in {self._now}")

    def _names(self):
        yield from (path for _, path, _ in self._now["asked"])
        for frame in self._now["client"] + self._now["server"]:
            yield frame[3] if frame[0] == "Invocation" else frame[0]

    async def _serve(self):
        app = web.Application(client_max_size=2**22)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True), cookie_jar=aiohttp.DummyCookieJar()
        )
        self.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"

    def close(self):
        self.run(self._http.close())
        self.loop.call_soon_threadsafe(self.loop.stop)

    async def _pass_on(self, request):
        if web.WebSocketResponse().can_prepare(request):
            return await self._websocket(request)
        body, on_hub = await request.read(), request.path == "/_blazor"
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        if on_hub and request.method == "POST":
            self._now["client"] += _frames(body)
        elif request.path == "/" or (request.path.startswith("/_blazor") and not self._polls_again(request)):
            self._now["asked"].append((request.method, _path(request), _form(request, body)))
        try:
            answer = await self._http.request(
                request.method, self._replica + request.path_qs, data=body, headers=headers
            )
            content = await answer.read()
        except aiohttp.ClientError:
            if request.transport:
                request.transport.abort()
            return web.Response()
        if on_hub and request.method == "GET":
            self._now["server"] += _frames(content)
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
        kept.pop("Content-Encoding", None)
        return web.Response(status=answer.status, body=content, headers=kept)

    def _polls_again(self, request):
        """How many polls there are is chance; the first one opens the transport."""
        known = request.query.get("id") in self._polled
        if request.method == "GET" and "id" in request.query:
            self._polled.add(request.query["id"])
        return known and request.method == "GET"

    async def _websocket(self, request):
        self.open += 1
        try:
            return await self._between(request)
        finally:
            self.open -= 1

    async def _between(self, request):
        self._now["asked"].append(("WebSocket", _path(request), None))
        async with self._http.ws_connect(self._replica + request.path_qs) as theirs:
            ours = web.WebSocketResponse()
            await ours.prepare(request)
            sides = [(ours, theirs, "client"), (theirs, ours, "server")]
            pumps = [asyncio.create_task(self._pump(*side)) for side in sides]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            if pumps[0].done():  # the client ended it, and says how
                self._now["ended"].append(ours.close_code or 1000)  # a browser need not say 1000
                await theirs.close(code=ours.close_code or 1000)
            elif request.transport:
                request.transport.abort()
        return ours

    async def _pump(self, source, target, who):
        async for message in source:
            data = message.data if isinstance(message.data, bytes) else message.data.encode()
            self._now[who] += _frames(data)
            if message.type is aiohttp.WSMsgType.TEXT:
                await target.send_str(message.data)
            else:
                await target.send_bytes(message.data)


def _path(request):
    """Without the values of what is asked with, which are ids and times."""
    return "?".join(filter(None, [request.path, "&".join(request.query)]))


def _form(request, body):
    """The fields of a form, however the boundary is named; other bodies as they are."""
    kind = request.headers.get("Content-Type", "")
    if not kind.startswith("multipart/form-data"):
        return body.decode()
    parts = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body).get_payload()
    return [
        (part.get_param("name", header="Content-Disposition"), _masked(part.get_payload())) for part in parts
    ]


def _frames(data):
    """Each message as it is on the wire, an array; a handshake as its text."""
    frames = []
    while data:
        if data.startswith(b"{"):
            text, _, data = data.partition(b"\x1e")
            frames.append(["handshake", text.decode()])
            continue
        start, end, _ = MsgpackProtocol("blazorpack").find(data, 0, 2**22)
        kind, *rest = msgpack.unpackb(data[start:end])
        frames.append([_KINDS[kind], *map(_masked, rest)])
        data = data[end:]
    return frames


def _masked(value):
    """Signed texts, ids and where a mouse was differ from visit to visit; lengths of drawings do not."""
    match value:
        case bytes():
            return f"{len(value)} bytes"
        case str() if value[:1] in ("{", "["):
            return ["JSON", value[:1], _masked(json.loads(value))]
        case str() if _OWN_CALL.fullmatch(value):
            return "s…"
        case str():
            return "signed" if _SIGNED.fullmatch(value) else value
        case list():
            return [_masked(each) for each in value]
        case dict():
            return [
                (key, "place" if _PLACES.fullmatch(key) else _masked(each)) for key, each in value.items()
            ]
    return value
