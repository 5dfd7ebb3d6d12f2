"""Where a request comes from: which site of the browser sent it, and under which name it found us."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

Environ = Mapping[str, object]


def from_own_page(environ: Environ, public_url: str = "") -> bool:
    """False when a browser says that another origin sent this; another port is another origin.

    `Sec-Fetch-Site` alone would do in new browsers, `Origin` in all; programs send neither.
    `none` is a person's own doing, such as a typed address. Who came by `public_url` must have its scheme,
    too: a page that was sent without TLS may be anybody's.
    """
    site = environ.get("HTTP_SEC_FETCH_SITE", "none")
    if site not in ("same-origin", "none"):
        return False
    origin = environ.get("HTTP_ORIGIN")
    if origin is None:
        return True
    if asked_publicly(environ, public_url):
        return str(origin).lower() == public_url
    scheme, _, netloc = str(origin).partition("://")
    return scheme in ("http", "https") and netloc.lower() == str(environ.get("HTTP_HOST", "")).lower()


def asked_publicly(environ: Environ, public_url: str) -> bool:
    """Whether the proxy's address was asked: it hands the Host header on.

    With LAB_PUBLIC_URL that is all we need, so no X-Forwarded header is believed: anybody can send those.
    """
    return bool(public_url) and str(environ.get("HTTP_HOST", "")).lower() == urlsplit(public_url).netloc


def host_names(host: str, public_url: str = "") -> frozenset[str] | None:
    """The names under which a dashboard bound to `host` may be called; None when any will do.

    On loopback only those and the proxy's: a foreign name that resolves to 127.0.0.1 is DNS rebinding.
    Bound to a network the name cannot be known, and no cookie of ours is ever sent to a foreign name.
    """
    if not is_loopback(host):
        return None
    public = {urlsplit(public_url).hostname or ""} if public_url else set()
    return frozenset({"127.0.0.1", "localhost", "::1", host.lower()} | public)


def host_name(environ: Environ) -> str | None:
    """The name in the Host header, without its port; None when there is none that can be read."""
    try:
        return urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
