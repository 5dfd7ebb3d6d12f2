"""Before everything, Flask and Socket.IO alike: who may call at all, and the headers of every answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from services.errors import LabError, Refused, TooLarge
from services.web.origin import from_own_page, host_name, host_names
from services.web.transport import LARGEST_FRAME
from services.words import say

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer, unless it sets its own. Static files set Cache-Control to no-cache (ETag)."""


class Gate:
    """WSGI around WSGI, because Socket.IO's requests never reach Flask."""

    def __init__(self, inner: Application, *, host: str, public_url: str = "") -> None:
        """`host` is LAB_HOST: on loopback only its own names are answered, and that of LAB_PUBLIC_URL."""
        self._inner = inner
        self._names = host_names(host, public_url)
        self._public_url = public_url

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: Headers, exc_info: Any = None) -> Any:
            named = {name.lower() for name, _ in headers}
            added = [(name, value) for name, value in HEADERS.items() if name.lower() not in named]
            return start_response(status, headers + added, exc_info)

        problem = self._problem(environ)
        return _refuse(problem, start) if problem else self._inner(environ, start)

    def _problem(self, environ: Environ) -> LabError | None:
        if self._names is not None and host_name(environ) not in self._names:
            return Refused(
                say("The dashboard is not known by this host name."),
                hint=say(
                    "Open it as http://127.0.0.1 or http://localhost; set LAB_HOST to serve a network, "
                    "or LAB_PUBLIC_URL to the address of the proxy in front."
                ),
            )
        if not environ.get("PATH_INFO", "").startswith("/socket.io"):
            return None
        if not from_own_page(environ, self._public_url):
            return Refused(say("The live connection is for Labdeck's own page."))
        if environ.get("CONTENT_LENGTH", "").isdigit() and int(environ["CONTENT_LENGTH"]) > LARGEST_FRAME:
            return TooLarge(say("A frame is larger than 64 KiB."), hint=say("Send watch or unwatch."))
        return None


def _refuse(error: LabError, start: Callable[..., Any]) -> Iterable[bytes]:
    body = json.dumps({"error": error.as_dict()}).encode()
    start(
        f"{error.status} {HTTPStatus(error.status).phrase}",
        [("Content-Type", "application/json"), ("Content-Length", str(len(body)))],
    )
    return [body]
