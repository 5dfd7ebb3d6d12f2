"""The live view: who watches a workspace, and how its events get there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from flask import Flask, request
from flask_socketio import ConnectionRefusedError, SocketIO, join_room, leave_room
from pydantic import ValidationError

from services.errors import BadRequest, LabError, NotSignedIn
from services.web import transport
from services.web.access import Access
from services.web.calls import complaint
from services.web.schemas import Body, Unwatch, Watch
from services.words import say
from services.workspaces.house import Workspaces

PAGE = 500
"""Events in one answer to `watch`; the watcher asks again when there are more."""
NEWEST = 500
_FRAME = 500
_BACKLOG = 200
_UNREAD = 64
"""So many answers may wait for a watcher that asks and does not read."""
_STRANGER_SECONDS = 10
_logger = logging.getLogger(__name__)


class Watchers:
    """Socket.IO on path /socket.io: `watch` and `unwatch` come in, `events` go out."""

    def __init__(self, app: Flask, house: Workspaces, access: Access) -> None:
        """From now on the events of `house` go to who watches them."""
        self._house, self._access = house, access
        self._closing = threading.Event()
        self._came_by: dict[str, tuple[str | None, str]] = {}
        self._socketio = _socketio(app)
        self._socketio.on_event("connect", self._connect)
        self._socketio.on_event("watch", _answered(self._watch))
        self._socketio.on_event("unwatch", _answered(self._unwatch))
        self._socketio.on_event("*", _answered(_unknown))
        self._socketio.on_event("disconnect", self._disconnect)
        access.invitations.on_revoked(self._show_out)
        house.on_events(self._forward)
        self._socketio.start_background_task(self._show_strangers_out)

    def close(self) -> None:
        """Forward nothing more."""
        self._closing.set()

    def _connect(self, auth: Any = None) -> None:
        """With the cookie, or `{"token": …}`; everybody else is refused and sees nothing."""
        token = auth.get("token") if isinstance(auth, dict) else None
        try:
            known = self._access.role() if token is None else self._access.knows(str(token))
        except LabError as error:
            raise _refusal(error) from None
        if not known:
            raise _refusal(NotSignedIn(say("Watching needs the token.")))
        if token is None:
            self._came_by[_sid()] = self._access.came_by()

    def _disconnect(self, *_reason: Any) -> None:
        self._came_by.pop(_sid(), None)

    def followers(self) -> int:
        """How many browsers watch that came by a follower's link."""
        role_of = self._access.invitations.role_of
        return len({who for by, who in list(self._came_by.values()) if by and role_of(by) == "follower"})

    def _show_out(self, invitation: str) -> None:
        """Close the connections of those whose link was revoked; they are refused when they come again."""
        for sid in [sid for sid, (by, _) in list(self._came_by.items()) if by == invitation]:
            self._socketio.server.disconnect(sid)

    def _watch(self, *frame: Any) -> dict[str, Any]:
        """Join first, read then: what is recorded in between arrives twice, never not at all."""
        asked = _checked(Watch, frame)
        self._mind_the_queue()
        workspace = self._house.get(asked.workspace)
        join_room(_room(workspace.name))
        answer: dict[str, Any] = {"state": workspace.snapshot()}
        if asked.after is None:
            events = workspace.tail(NEWEST)
            return answer | {"events": events, "more": False, "first": events[0]["seq"] if events else None}
        events = workspace.events(after=asked.after, limit=PAGE)
        return answer | {"events": events, "more": len(events) == PAGE}

    def _mind_the_queue(self) -> None:
        """Let go of who asks again and again and reads nothing, before its answers fill the memory."""
        server = self._socketio.server
        socket = server.eio.sockets.get(server.manager.eio_sid_from_sid(_sid(), "/"))
        if socket and socket.queue.qsize() > _UNREAD:
            socket.close(wait=False, abort=True)
            raise BadRequest(
                say("Too many answers wait to be read."), hint=say("Read them; then watch again.")
            )

    def _unwatch(self, *frame: Any) -> dict[str, Any]:
        leave_room(_room(self._house.get(_checked(Unwatch, frame).workspace).name))
        return {}

    def _forward(self, workspace: str, events: list[dict[str, Any]]) -> None:
        """Called by the log with stored events; queues them for every watcher and returns."""
        if self._closing.is_set():
            return
        for start in range(0, len(events), _FRAME):
            batch = {"workspace": workspace, "events": events[start : start + _FRAME]}
            self._socketio.emit("events", batch, to=_room(workspace))
        self._let_the_slow_go(workspace)

    def _let_the_slow_go(self, workspace: str) -> None:
        """Close who is 200 batches behind; it connects again and asks for what it missed."""
        server = self._socketio.server
        for _, eio_sid in list(server.manager.get_participants("/", _room(workspace))):
            socket = server.eio.sockets.get(eio_sid)
            if socket and socket.queue.qsize() > _BACKLOG:
                socket.close(wait=False, abort=True)

    def _show_strangers_out(self) -> None:
        """Close connections that never got as far as `connect`: they hold a place each."""
        server = self._socketio.server
        before: set[str] = set()
        while not self._closing.wait(_STRANGER_SECONDS):
            strangers = {sid for sid in list(server.eio.sockets) if not _connected(server, sid)}
            for eio_sid in strangers & before:
                if socket := server.eio.sockets.get(eio_sid):
                    socket.close(wait=False, abort=True)
            before = strangers


def _socketio(app: Flask) -> SocketIO:
    """Same-origin is kept by the gate, before this; `[]` here means no CORS headers at all."""
    socketio = SocketIO(
        app,
        cors_allowed_origins=[],
        manage_session=False,
        async_handlers=False,
        max_http_buffer_size=transport.LARGEST_FRAME,
        ping_interval=transport.PING_INTERVAL,
        ping_timeout=transport.PING_TIMEOUT,
        async_mode=None if _under_gevent() else "threading",
    )
    transport.repair(socketio.server.eio)
    return socketio


def _under_gevent() -> bool:
    """True in gunicorn's gevent worker, where threads are greenlets already."""
    from gevent import monkey

    return bool(monkey.is_module_patched("threading"))


def _connected(server: Any, eio_sid: str) -> bool:
    sid = server.manager.sid_from_eio_sid(eio_sid, "/")
    return sid is not None and server.manager.is_connected(sid, "/")


def _answered(handler: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The handler with its errors as the answer: one wrong frame harms nobody."""

    def answer(*frame: Any) -> dict[str, Any]:
        try:
            return handler(*frame)
        except LabError as error:
            return {"error": error.as_dict()}
        except Exception:
            _logger.exception("a frame failed")
            return {"error": LabError(say("The dashboard failed at this call.")).as_dict()}

    return answer


def _checked(body: type[Body], frame: tuple[Any, ...]) -> Any:
    if len(frame) != 1:
        raise BadRequest(say("This takes one object."))
    try:
        return body.model_validate(frame[0])
    except ValidationError as error:
        raise BadRequest(complaint(error)) from None


def _unknown(*frame: Any) -> dict[str, Any]:
    raise BadRequest(
        say("There is no event %(value)s here.", value=repr(str(frame[0])[:40])),
        hint=say("Send watch or unwatch."),
    )


def _refusal(error: LabError) -> ConnectionRefusedError:
    return ConnectionRefusedError(error.message, error.as_dict())


def _sid() -> str:
    return str(request.sid)  # type: ignore[attr-defined]


def _room(workspace: str) -> str:
    return f"workspace:{workspace}"
