"""A WebSocket for engine.io that writes whole frames, reads bounded ones, and gives up on the dead."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

LARGEST_FRAME = 64 * 1024
"""Bytes a watcher may send at once; what it has to say is some 60 bytes long."""
PING_INTERVAL = 20
"""Seconds; proxies cut connections that are idle for a minute."""
PING_TIMEOUT = 20

_SOCKETS = ("gunicorn.socket", "werkzeug.socket")
_EXTENSIONS = "HTTP_SEC_WEBSOCKET_EXTENSIONS"
_EACH_BY_ITSELF = "permessage-deflate; server_no_context_takeover"
"""What a browser's offer to compress is taken for (RFC 7692, 7.1.1.1: a server may answer so unasked).

A compressor that remembers earlier messages keeps 230 kB a watcher, 90 MB for 400.
"""


class WholeSocket:
    """A socket whose `send` sends everything.

    simple-websocket calls `send` once a frame and ignores what it returns. Under gevent, or with a
    timeout, that sends a part when the reader is slow, and everything after it is garbage.
    """

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._sending = threading.Lock()

    def send(self, data: bytes) -> int:
        """All of it, one frame at a time; raises OSError after the socket's timeout."""
        with self._sending:
            self._sock.sendall(data)
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def repair(server: Any) -> None:
    """Mend an engine.io server: its WebSockets, and `disconnect`, which waits for ever on a poller.

    It is called for a wrong frame in a POST, and waits until the poller has fetched what is queued.
    """

    def disconnect(sid: str) -> None:
        if found := server.sockets.pop(sid, None):
            found.close(wait=False)

    server.disconnect = disconnect
    server._async["websocket"] = bounded(server._async["websocket"])


def bounded(kind: type[Any]) -> type[Any]:
    """engine.io's own WebSocket class of this async mode, with four repairs.

    It collects a message of any length before `max_http_buffer_size` is looked at, even from
    strangers; `max_message_size` ends that. It waits for ever on a machine that is gone; the timeout
    ends that, and never meets a living one, which answers pings. It may send half a frame. And it keeps
    a compressor for every watcher.
    """

    class Bounded(kind):
        def __init__(self, handler: Any, server: Any) -> None:
            super().__init__(handler, server)
            self.server_args["max_message_size"] = LARGEST_FRAME

        def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
            for name in _SOCKETS:
                if name in environ:
                    environ[name].settimeout(PING_INTERVAL + PING_TIMEOUT)
                    environ[name] = WholeSocket(environ[name])
            if "permessage-deflate" in environ.get(_EXTENSIONS, ""):
                environ[_EXTENSIONS] = _EACH_BY_ITSELF
            return super().__call__(environ, start_response)

    return Bounded
