"""Where a request comes from: which site of the browser sent it, and under which name it found us."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

Environ = Mapping[str, object]


def from_own_page(environ: Environ) -> bool:
    """False when a browser says that another origin sent this; another port is another origin.

    `Sec-Fetch-Site` alone would do in new browsers, `Origin` in all; programs send neither.
    `none` is a person's own doing, such as a typed address.
    """
    site = environ.get("HTTP_SEC_FETCH_SITE", "none")
    if site not in ("same-origin", "none"):
        return False
    origin = environ.get("HTTP_ORIGIN")
    if origin is None:
        return True
    scheme, _, netloc = str(origin).partition("://")
    return scheme in ("http", "https") and netloc.lower() == str(environ.get("HTTP_HOST", "")).lower()


def host_names(host: str) -> frozenset[str] | None:
    """The names under which a dashboard bound to `host` may be called; None when any will do.

    On loopback only those: a foreign name that resolves to 127.0.0.1 is DNS rebinding. Bound to a
    network the name cannot be known, and no cookie of ours is ever sent to a foreign name.
    """
    if host.lower() != "localhost" and not _is_loopback(host):
        return None
    return frozenset({"127.0.0.1", "localhost", "::1", host.lower()})


def host_name(environ: Environ) -> str | None:
    """The name in the Host header, without its port; None when there is none that can be read."""
    try:
        return urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
