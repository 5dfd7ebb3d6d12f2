"""A tiny replica for the balancer's tests: says its name, knows only its own connections."""

import asyncio
import sys

from aiohttp import WSMsgType, web

NAME, PORT = sys.argv[1], int(sys.argv[2])
connections: set[str] = set()
health = {"status": 200}


async def negotiate(request):
    token = f"{NAME}-token-{len(connections)}"
    connections.add(token)
    return web.json_response({"connectionToken": token}, headers={"X-Labdeck-Connection": token})


async def hub(request):
    token = request.query.get("id")
    if token is not None and token not in connections:
        return web.Response(status=404, text="No Connection with that ID")
    if request.headers.get("Upgrade", "").lower() == "websocket":
        return await websocket(request, token)
    if request.headers.get("Accept") == "text/event-stream":
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        await stream.write(b":\r\n")
        await asyncio.Event().wait()
        return stream
    return web.Response()


async def websocket(request, token):
    socket = web.WebSocketResponse()
    if token is None:
        socket.headers["X-Labdeck-Connection"] = f"{NAME}-token-skipped"
    await socket.prepare(request)
    async for message in socket:
        if message.type == WSMsgType.TEXT:
            await socket.send_str(f"{NAME}: {message.data}")
    return socket


async def page(request):
    return web.Response(text=NAME)


async def fail(request):
    raise web.HTTPBadGateway


async def healthz(request):
    return web.Response(status=health["status"])


async def fall_ill(request):
    health["status"] = 503
    return web.Response()


app = web.Application()
app.add_routes([
    web.get("/", page),
    web.get("/healthz", healthz),
    web.post("/ill", fall_ill),
    web.get("/fail", fail),
    web.post("/_blazor/negotiate", negotiate),
    web.get("/_blazor", hub),
])  # fmt: skip
web.run_app(app, host="127.0.0.1", port=PORT, print=None, access_log=None)
