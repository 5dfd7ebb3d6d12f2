"""What looks like a Blazor Server and breaks its protocol in one way, as soon as a circuit is started."""

import json
import sys

from aiohttp import web

from services.wire import signalr
from services.wire.messages import Close, Completion, Invocation

WAY, PORT = sys.argv[1], int(sys.argv[2])
PROTOCOL = signalr.PROTOCOLS["blazorpack"]
MARKER = json.dumps({"type": "server", "sequence": 0, "descriptor": "signed"})
ATTACH = ("Blazor._internal.attachWebRendererInterop", '[1,{"__dotNetObject":1},{},{}]', 3, 0, 1)
SAYS = {
    "error": Invocation("JS.Error", ("There was an unhandled exception.",)),
    "unknown-call": Invocation("JS.Sing", ("a song",)),
    "unknown-function": Invocation("JS.BeginInvokeJS", (2, "labdeck.sing", "[]", 3, 0, 1)),
    "strange-arguments": Invocation("JS.BeginInvokeJS", (2, ATTACH[0], "[1]", 3, 0, 1)),
    "cut-batch": Invocation("JS.RenderBatch", (2, b"\x01\x02")),
    "endless-batch": Invocation("JS.RenderBatch", (2, b"\xff\xff\xff\x7f" * 8)),
    "batch-of-nowhere": Invocation("JS.RenderBatch", (2, bytes([1, 0, 0, 0, 8, 0, 0, 0, 7] + [0] * 31))),
    "failed-click": Invocation("JS.EndInvokeDotNet", ("1", False, "The handler threw.")),
    "close": Close("Go away."),
}


async def page(request):
    marker = "" if WAY == "no-component" else f"<!--Blazor:{MARKER}-->"
    return web.Response(text=f"<body>{marker}</body>", content_type="text/html")


async def initializers(request):
    if WAY == "no-initializers":
        raise web.HTTPNotFound(text="none")
    return web.json_response([])


async def negotiate(request):
    offered = [{"transport": "WebSockets", "transferFormats": ["Text", "Binary"]}]
    answer = {"negotiateVersion": 1, "connectionId": "public", "connectionToken": "token"}
    return web.json_response(answer | {"availableTransports": offered})


async def hub(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.receive()
    await socket.send_str("{}\x1e")
    reader = signalr.FrameReader(PROTOCOL)
    async for message in socket:
        for call in reader.feed(message.data):
            if getattr(call, "target", None) == "StartCircuit":
                await answer(socket, call)
    return socket


async def answer(socket, call):
    if WAY == "broken-frame":
        await socket.send_bytes(b"\x02\xc1\xc1")
    elif WAY == "refused-call":
        await say(socket, Completion(call.invocation_id, error="Not today."))
    else:
        await say(socket, Completion.of(call.invocation_id, "" if WAY == "no-circuit" else "secret"))
    if WAY in SAYS:
        await say(socket, SAYS[WAY])


async def say(socket, message):
    await socket.send_bytes(PROTOCOL.encode(message))


app = web.Application()
app.add_routes([
    web.get("/", page),
    web.get("/_blazor/initializers", initializers),
    web.post("/_blazor/negotiate", negotiate),
    web.get("/_blazor", hub),
])  # fmt: skip
web.run_app(app, host="127.0.0.1", port=PORT, print=None, access_log=None)
