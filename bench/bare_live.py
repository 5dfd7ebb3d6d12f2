"""The live view's peer: Flask-SocketIO and nothing else. No log, no store, no lab, no access rules.

`POST /call` makes an event of the dashboard's shape; a loop sends what there is ten times a second.
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_socketio import SocketIO, join_room

from services.events.event import now

GAP = 0.1
ROOM = "workspace:demo"

app = Flask("bare")
socketio = SocketIO(app, async_handlers=False)
_waiting: list[dict[str, Any]] = []
_count = 0


@app.post("/call")
def call() -> dict[str, Any]:
    global _count
    _count += 1
    last = {"status": 200, "body": "Hello-Go", "ms": 0.91}
    text = "http://127.0.0.1:8080 answered 200 in 0.91 ms: Hello-Go"
    event = {"seq": _count, "at": now(), "source": "hello-go", "kind": "hello_go.called", "level": "info"}
    patch = {"hello_go": {"calls": {"count": _count, "last": last}}}
    _waiting.append(event | {"text": text, "data": last, "patch": patch})
    return last


@socketio.on("watch")
def watch(asked: dict[str, Any]) -> dict[str, Any]:
    join_room(ROOM)
    return {"events": []}


def send() -> None:
    while True:
        socketio.sleep(GAP)
        batch = _waiting.copy()
        _waiting.clear()
        if batch:
            socketio.emit("events", {"workspace": "demo", "events": batch}, to=ROOM)


socketio.start_background_task(send)
