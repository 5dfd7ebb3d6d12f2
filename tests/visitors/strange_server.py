"""A hub that breaks the protocol in one way, or watches how its visitors connect."""

import asyncio
import json
import sys

from aiohttp import web

WAY, PORT = sys.argv[1], int(sys.argv[2])
NEGOTIATED = {
    "negotiateVersion": 1,
    "connectionId": "public",
    "connectionToken": "token",
    "availableTransports": [{"transport": "WebSockets", "transferFormats": ["Text", "Binary"]}],
}
HANDSHAKES = {
    "garbage": "this is no JSON\x1e",
    "an-error": '{"error":"The protocol is not supported."}\x1e',
    "a-message-first": '{"type":6}\x1e',
    "too-much": "x" * 40_000,
}
AFTERWARDS = {
    "broken-frame": '{"type":\x1e',
    "close-for-good": '{"type":7,"error":"Go away."}\x1e',
    "close-for-now": '{"type":7,"allowReconnect":true}\x1e',
    "move": '{"type":1,"target":"Pause","arguments":["our memory, signed"]}\x1e',
    "move-unread": '{"type":1,"target":"Pause","arguments":["our memory, signed"]}\x1e',
}
seen = {"at_once": 0, "most_at_once": 0, "visitors_of_peer": {}, "resumed": []}


async def page(request):
    peer = str(request.transport.get_extra_info("peername"))
    seen["visitors_of_peer"].setdefault(peer, set()).add(request.cookies.get("labdeck_visitor"))
    if WAY == "no-page":
        raise web.HTTPInternalServerError(text="no page today")
    if WAY == "slow":
        seen["at_once"] += 1
        seen["most_at_once"] = max(seen["most_at_once"], seen["at_once"])
        await asyncio.sleep(0.2)
        seen["at_once"] -= 1
    return web.Response(text="<body>no descriptor</body>", content_type="text/html")


async def negotiate(request):
    if WAY == "negotiate-html":
        return web.Response(text="<html>")
    if WAY == "negotiate-error":
        return web.json_response({"error": "Not today."})
    if WAY == "negotiate-list":
        return web.json_response([])
    if WAY == "no-transports":
        return web.json_response(NEGOTIATED | {"availableTransports": [{"transport": "Telepathy"}]})
    return web.json_response(NEGOTIATED)


async def hub(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.receive()
    if WAY == "hang-up":
        request.transport.abort()
        return socket
    if WAY == "silent":
        await socket.receive()
        return socket
    await socket.send_str(HANDSHAKES.get(WAY, "{}\x1e"))
    async for message in socket:
        for frame in message.data.split("\x1e"):
            if frame:
                await answer(socket, json.loads(frame))
    return socket


async def answer(socket, message):
    if message.get("target") == "StartCircuit":
        await socket.send_str(completion(message, "circuit"))
    elif message.get("target") == "GetConnection":
        await socket.send_str(completion(message, {"replica": "replica-1"}))
    elif message.get("target") == "GetState":
        await socket.send_str(completion(message, {"replica": "replica-1", "circuit": "circuit", "count": 0}))
        if WAY in AFTERWARDS and not seen["resumed"]:
            await socket.send_str(AFTERWARDS[WAY])
    elif message.get("target") == "ResumeCircuit":
        seen["resumed"].append(message["arguments"])
        await socket.send_str(completion(message, "circuit-2" if WAY == "move" else None))
    elif message.get("target") == "ConnectCircuit":
        await socket.send_str(completion(message, True))


def completion(message, result):
    return json.dumps({"type": 3, "invocationId": message["invocationId"], "result": result}) + "\x1e"


async def watch(request):
    visitors = [sorted(names) for names in seen["visitors_of_peer"].values()]
    return web.json_response(seen | {"visitors_of_peer": visitors})


app = web.Application()
app.add_routes([
    web.get("/", page),
    web.get("/seen", watch),
    web.post("/_blazor/negotiate", negotiate),
    web.get("/_blazor", hub),
])  # fmt: skip
web.run_app(app, host="127.0.0.1", port=PORT, print=None, access_log=None)
