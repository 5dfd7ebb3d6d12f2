"""The affinity cookie as a client sent it: which Envoy takes out of the request, and what it says."""

from __future__ import annotations

import base64
import binascii
import math
import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from services.balancer.endpoints import Names

VISITOR_COOKIE = "labdeck_visitor"
NAMESPACE = "labdeck"
LONGEST = 256
_PIN, _FORMER = "pin", "former"
_ADDRESS = re.compile(r"[0-9A-Fa-f.:\[\]]{3,64}")
_FIELD_ADDRESS, _FIELD_EXPIRES = 0x0A, 0x10

PIN_FIELDS = {
    key: f"%DYNAMIC_METADATA({NAMESPACE}:{key}):{LONGEST}%"
    for key in (_PIN, f"{_PIN}_name", _FORMER, f"{_FORMER}_name")
}
"""What the access log has of it, beside the visitor's name; no other cookie leaves Envoy."""


def cookie_rules(now: str | None = None, former: str | None = None) -> dict[str, Any]:
    """Envoy's rules for what it takes out of a request's cookies: the visitor's name, the pin, a stale pin.

    The name is noted beside the value, so that a line read after a toggle still tells which cookie it was.
    """
    rules = [_rule(VISITOR_COOKIE, "visitor")]
    for key, name in ((_FORMER, former), (_PIN, now)):
        if name:
            rules += [_rule(name, key), _rule(name, f"{key}_name", name)]
    return {"request_rules": rules}


def _rule(cookie: str, key: str, value: str | None = None) -> dict[str, Any]:
    found = {"metadata_namespace": NAMESPACE, "key": key} | ({"value": value} if value else {})
    return {"cookie": cookie, "on_header_present": found}


def read_pin(fields: dict[str, Any], names: Names, at: float | None = None) -> dict[str, Any] | None:
    """The cookie in one line of the access log; None when the request carried none.

    `{"name", "address", "replica", "expires", "expired", "ignored"}`: `ignored` is one from before the last
    toggle, which pins no more; an address that nobody has, or that cannot be read, has no replica.
    """
    for key in (_PIN, _FORMER):
        value, name = fields.get(key), fields.get(f"{key}_name")
        if isinstance(value, str) and isinstance(name, str):
            address, expires = decode(value)
            return {
                "name": name,
                "address": address,
                "replica": names.of(address),
                "expires": _when(expires),
                "expired": bool(expires) and expires < (time.time() if at is None else at),
                "ignored": key == _FORMER,
            }
    return None


def decode(value: str) -> tuple[str | None, int]:
    """The upstream's address and when it ends, in seconds since 1970, 0 for never.

    Envoy's cookie is base64 of the message `{string address = 1; int64 expires = 2}`
    (source/extensions/http/stateful_session/cookie/cookie.proto), in older versions of the bare address.
    """
    try:
        raw = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
        address, expires = _message(raw) if raw[:1] == bytes([_FIELD_ADDRESS]) else (raw, 0)
        text = address.decode("ascii")
    except (binascii.Error, ValueError, IndexError):
        return None, 0
    return (text, expires) if _ADDRESS.fullmatch(text) else (None, 0)


def pin_pattern(cookie: str, addresses: Iterable[str]) -> str:
    """A regular expression (RE2) for the whole header of cookies in which this one leads to one of these.

    The cookie's value begins with the address, whatever its end of life is.
    """
    return rf'(?:.*;)?\s*{re.escape(cookie)}="?(?:{"|".join(map(_begins, addresses))}).*'


def _begins(address: str) -> str:
    """How the base64 of a pin to the address begins: exact to its last bit, which may share a character."""
    raw = bytes([_FIELD_ADDRESS, len(address)]) + address.encode()
    nexts = (bytes([_FIELD_EXPIRES]), b"\0") if len(raw) % 3 else (b"",)
    characters = math.ceil(len(raw) * 8 / 6)
    ways = {base64.b64encode(raw + after + b"\0").decode()[:characters] for after in nexts}
    return "|".join(map(re.escape, sorted(ways)))


def _message(raw: bytes) -> tuple[bytes, int]:
    """Address and end of a protobuf message that has nothing else; raises IndexError, ValueError."""
    end = 2 + raw[1]
    address, expires = raw[2:end], 0
    if len(raw) > end:
        if raw[end] != _FIELD_EXPIRES or len(raw) > end + 11:
            raise ValueError("not Envoy's cookie")
        for place, byte in enumerate(raw[end + 1 :]):
            expires |= (byte & 0x7F) << (7 * place)
    return address, expires


def _when(expires: int) -> str | None:
    try:
        return datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if expires else None
    except (OverflowError, ValueError, OSError):
        return None
