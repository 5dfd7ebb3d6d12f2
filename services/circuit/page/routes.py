"""The page at `/` and the files it needs; all of it is in memory and the same on every replica."""

from __future__ import annotations

import hashlib
import html
from pathlib import Path
from string import Template

from aiohttp import web

from services.circuit.descriptor import Signer
from services.circuit.journal import Journal
from services.circuit.visitor import BROWSER, COOKIE, new_browser, visitor_of

FOLDER = Path(__file__).parent
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
CLIENTS = {
    "10.0": ("signalr-10.0.11", "signalr-protocol-msgpack-10.0.11"),
    "3.1": ("msgpack5-4.5.1", "signalr-3.1.31", "signalr-protocol-msgpack-3.1.14"),
}
"""Microsoft's client of today and that of 2020; the page runs with one of them, `?client=3.1`."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Page:
    """Serves the page, each time with a descriptor that this replica signed."""

    def __init__(self, journal: Journal, signer: Signer) -> None:
        self._journal = journal
        self._replica = journal.replica
        self._signer = signer
        self._template = Template((FOLDER / "index.html").read_text("utf-8"))
        found = [path for path in sorted(FOLDER.rglob("*")) if path.suffix in TYPES]
        self._files = {path.relative_to(FOLDER).as_posix(): _File(path) for path in found}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self._index),
            web.get("/page/{name:.+}", self._file),
            web.post("/goodbye", self._goodbye),
        ]

    async def _index(self, request: web.Request) -> web.Response:
        known = visitor_of(request)
        visitor = known or new_browser()
        values = {"replica": self._replica, "visitor": visitor, "descriptor": self._signer.make()}
        escaped = {name: html.escape(value) for name, value in values.items()}
        text = self._template.substitute(escaped, client=_scripts(request.query.get("client", "")))
        response = web.Response(text=text, content_type="text/html", headers=HEADERS)
        if known is None:
            response.set_cookie(COOKIE, visitor, path="/", samesite="Lax", httponly=True)
        return response

    async def _goodbye(self, request: web.Request) -> web.Response:
        """A page that goes away says so, to whichever replica: it may never have been connected."""
        visitor = visitor_of(request)
        if visitor and visitor.startswith(BROWSER):
            self._journal.tell("visitor.left", f"{visitor} left the page.", visitor=visitor)
        return web.Response(status=204)

    async def _file(self, request: web.Request) -> web.Response:
        file = self._files.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        headers = {"ETag": file.etag, "Cache-Control": file.cache}
        if request.headers.get("If-None-Match") == file.etag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=file.body, content_type=file.type, charset="utf-8", headers=headers)


def _scripts(client: str) -> str:
    """The tags of the client asked for; anything unknown is today's."""
    files = CLIENTS.get(client, CLIENTS["10.0"])
    return "\n  ".join(f'<script src="/page/vendor/{file}.min.js" defer></script>' for file in files)


class _File:
    """One file, read once; a vendored one has its version in its name and never changes."""

    def __init__(self, path: Path) -> None:
        self.body = path.read_bytes()
        self.type = TYPES[path.suffix]
        self.etag = f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'
        vendored = path.parent.name == "vendor"
        self.cache = "public, max-age=31536000, immutable" if vendored else "no-cache"
