"""The part of a browser that a visitor needs: its own cookies, its own TCP connections, the page."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractCookieJar
from yarl import URL

from services.visitors import wording
from services.visitors.settings import CrowdSettings

VISITOR_COOKIE = "labdeck_visitor"
REQUEST_SECONDS = 100
"""The client's own limit for one HTTP request; a long poll is answered after 90."""
BEACON_SECONDS = 1.0


class HttpFailed(Exception):
    """No answer, or one that is not 2xx; the text is the client's."""

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


def own_address(visitor: str, target: str) -> str | None:
    """Each visitor's own address out of 127.1.0.0/16; None where the target is not on the loopback."""
    number = int(visitor.rpartition("-")[2])
    return f"127.1.{number // 250}.{number % 250 + 1}" if target.startswith("127.") else None


@dataclass(frozen=True)
class Answer:
    """A whole answer with 2xx."""

    status: int
    body: bytes


class Browser:
    """One visitor's; connections are kept alive but never shared with another visitor."""

    def __init__(self, visitor: str, settings: CrowdSettings) -> None:
        self.offline = False
        """While true no request leaves; what is under way goes on."""
        self._target = URL(settings.target)
        cookies: AbstractCookieJar = aiohttp.DummyCookieJar()
        if settings.cookies:
            cookies = aiohttp.CookieJar(unsafe=True)
            cookies.update_cookies({VISITOR_COOKIE: visitor}, self._target)
        here = None if settings.one_address else own_address(visitor, self._target.host or "")
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=6, local_addr=(here, 0) if here else None),
            cookie_jar=cookies,
            # without a jar it is still known by its name: that is the lab's label, not affinity
            headers=None if settings.cookies else {"Cookie": f"{VISITOR_COOKIE}={visitor}"},
            timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS),
            auto_decompress=False,
        )

    async def close(self) -> None:
        await self._http.close()

    async def ask(self, method: str, path: str, body: bytes | aiohttp.FormData | None = None) -> Answer:
        """One request with its whole answer; raises HttpFailed."""
        self._must_be_online(wording.UNREACHABLE)
        try:
            async with self._http.request(method, self._url(path), data=body) as response:
                content = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise HttpFailed(wording.UNREACHABLE) from error
        if not 200 <= response.status < 300:
            text = content[:200].decode(errors="replace") or response.reason or ""
            raise HttpFailed(wording.http_error(text, response.status), response.status)
        return Answer(response.status, content)

    async def send_beacon(self, path: str, **fields: str) -> None:
        """A form that is sent while the page goes: nobody waits for its answer, or hears of a refusal."""
        form = aiohttp.FormData(fields, default_to_multipart=True)
        with contextlib.suppress(HttpFailed, TimeoutError):
            async with asyncio.timeout(BEACON_SECONDS):
                await self.ask("POST", path, form)

    async def open_events(self, path: str) -> aiohttp.ClientResponse:
        """An answer of server-sent events, to be read and closed; raises HttpFailed."""
        endless = aiohttp.ClientTimeout(total=None)
        headers = {"Accept": "text/event-stream"}
        self._must_be_online(wording.EVENT_SOURCE)
        try:
            response = await self._http.get(self._url(path), headers=headers, timeout=endless)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise HttpFailed(wording.EVENT_SOURCE) from error
        if response.status != 200 or response.content_type != "text/event-stream":
            response.close()
            raise HttpFailed(wording.EVENT_SOURCE, response.status)
        return response

    async def open_websocket(self, path: str) -> aiohttp.ClientWebSocketResponse:
        """Raises HttpFailed; a browser hides from scripts with which status it was refused."""
        self._must_be_online(wording.WEBSOCKET)
        closing = aiohttp.ClientWSTimeout(ws_close=1.0)
        try:
            return await self._http.ws_connect(self._url(path), timeout=closing, max_msg_size=64 * 1024)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise HttpFailed(wording.WEBSOCKET, getattr(error, "status", None)) from error

    def _must_be_online(self, text: str) -> None:
        if self.offline:
            raise HttpFailed(text)

    def _url(self, path: str) -> URL:
        return self._target.join(URL(path))
