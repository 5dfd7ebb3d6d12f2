"""How visitors are kept on a replica: what may be asked for, and what it means when left out."""

from __future__ import annotations

import re
import secrets
from dataclasses import asdict, dataclass, replace
from typing import Any

from services.wire.control import ControlError, choice_field, flag_field, number_field, text_field

MODES = ("none", "cookie", "source_ip")
ALGORITHMS = ("round_robin", "least_request", "random")
SAME_SITE = ("Lax", "Strict", "None")
COOKIE_FIELDS = ("name", "path", "ttl_seconds", "same_site", "secure", "strict")
COOKIE_PREFIX = "labdeck_affinity"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_PATH = re.compile(r"/[A-Za-z0-9_./-]*")


@dataclass(frozen=True)
class Cookie:
    """The cookie by which Envoy finds the replica again; its value is the replica's address in base64."""

    name: str
    path: str = "/"
    ttl_seconds: int = 3600
    """0 makes a session cookie, which ends with the browser."""
    same_site: str = "Lax"
    secure: bool = False
    strict: bool = False
    """True: a replica that is gone answers 503 until it is back, instead of being replaced."""


@dataclass(frozen=True)
class Affinity:
    """One setting of the balancer."""

    mode: str = "none"
    algorithm: str = "round_robin"
    """Who gets a visitor that is not kept anywhere; `source_ip` hashes instead and does not use it."""
    cookie: Cookie | None = None

    def as_dict(self) -> dict[str, Any]:
        """As the control API shows it; `cookie` is null unless the mode is `cookie`."""
        return asdict(self)


def read_affinity(fields: dict[str, Any], now: Affinity) -> Affinity:
    """What the body of a PUT asks for; what it leaves out stays as it is now. Raises ControlError."""
    mode = choice_field(fields, "mode", MODES, now.mode)
    algorithm = choice_field(fields, "algorithm", ALGORITHMS, now.algorithm)
    asked = fields.get("cookie")
    if asked is not None and not isinstance(asked, dict):
        raise ControlError("cookie must be an object.")
    cookie = _read_cookie(asked or {}, now.cookie)
    return Affinity(mode, algorithm, cookie if mode == "cookie" else None)


def _read_cookie(fields: dict[str, Any], now: Cookie | None) -> Cookie:
    """Switched on again it gets a fresh name: an old cookie in a browser would pin to its old replica.

    So it does when it is to be kept otherwise: browsers go on with the cookie that they have.
    """
    if unknown := sorted(set(fields) - set(COOKIE_FIELDS)):
        raise ControlError(
            f"Unknown field cookie.{unknown[0]}.", hint=f"cookie takes {', '.join(COOKIE_FIELDS)}."
        )
    before = now or Cookie(_fresh_name())
    wanted = Cookie(
        name=_cookie_name(text_field(fields, "name", before.name) or ""),
        path=_cookie_path(text_field(fields, "path", before.path) or ""),
        ttl_seconds=number_field(fields, "ttl_seconds", 0, 30 * 24 * 3600, before.ttl_seconds),
        same_site=choice_field(fields, "same_site", SAME_SITE, before.same_site),
        secure=flag_field(fields, "secure", before.secure),
        strict=flag_field(fields, "strict", before.strict),
    )
    kept_alike = replace(wanted, name=before.name, strict=before.strict) == before
    return wanted if kept_alike or fields.get("name") else replace(wanted, name=_fresh_name())


def _fresh_name() -> str:
    return f"{COOKIE_PREFIX}_{secrets.token_hex(3)}"


def _cookie_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ControlError("cookie.name must be 1 to 64 letters, digits, dots, dashes or underscores.")
    if name.lower().startswith("labdeck") and not name.startswith(COOKIE_PREFIX):
        raise ControlError(
            "cookie.name is one of Labdeck's own.", hint=f"Names that begin with {COOKIE_PREFIX} are free."
        )
    return name


def _cookie_path(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise ControlError("cookie.path must begin with / and hold letters, digits, dots, dashes, slashes.")
    return path
