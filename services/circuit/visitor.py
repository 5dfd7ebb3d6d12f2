"""Who asks: the name in the cookie that browsers and virtual visitors carry."""

from __future__ import annotations

import re
import secrets

from aiohttp import web

COOKIE = "labdeck_visitor"
BROWSER = "browser-"
"""What the names of real browsers begin with; those of the crowd begin with `visitor-`."""
_NAME = re.compile(r"[a-z]{1,12}-[0-9a-z]{1,12}")


def visitor_of(request: web.Request) -> str | None:
    """`visitor-7` or `browser-3f2a`; None without a cookie, or with one that is not a name."""
    name = request.cookies.get(COOKIE, "")
    return name if _NAME.fullmatch(name) else None


def new_browser() -> str:
    """A name for a browser that has none."""
    return f"{BROWSER}{secrets.token_hex(4)}"
