"""What the crowd is told to be: how many, where, and how each one connects."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from services.wire.control import ControlError, choice_field, flag_field, number_field, text_field
from services.wire.signalr import PROTOCOLS

APPS = ("circuit", "blazor")
TRANSPORTS = ("auto", "WebSockets", "ServerSentEvents", "LongPolling")
MOST_VISITORS = 10_000
FIELDS = (
    *("count", "target", "transport", "protocol", "skip_negotiation", "reconnect", "reload_seconds"),
    *("cookies", "one_address", "app"),
)


@dataclass(frozen=True)
class Ways:
    """How a client connects: what is left to it of the protocol."""

    protocol: str = "json"
    transports: tuple[str, ...] = ()
    """Those that it may use; none named means any."""
    skip_negotiation: bool = False

    @property
    def binary(self) -> bool:
        return PROTOCOLS[self.protocol].binary


@dataclass(frozen=True)
class CrowdSettings:
    """All of it; the same choices as on the circuit app's page."""

    count: int = 0
    target: str = ""
    """The balancer's address, such as `http://127.0.0.1:8090`."""
    transport: str = "auto"
    protocol: str = "json"
    skip_negotiation: bool = False
    reconnect: bool = True
    reload_seconds: float = 5.0
    """How long a visitor looks at its failed page before it loads it again, give or take half."""

    cookies: bool = True
    """False: what the balancer asks to keep is thrown away, as by a client without a cookie jar."""
    one_address: bool = False
    """True: all come from one address, as from behind one router. False: each has a loopback address of
    its own, where the target is on the loopback; elsewhere a program has but one address."""
    app: str = "circuit"
    """Whose page is visited; Blazor's speaks blazorpack, whatever `protocol` says."""

    @property
    def ways(self) -> Ways:
        """As the settings have it; a page may have a word in it too."""
        transports = () if self.transport == "auto" else (self.transport,)
        protocol = "blazorpack" if self.app == "blazor" else self.protocol
        return Ways(protocol, transports, self.skip_negotiation)

    def connects_like(self, other: CrowdSettings) -> bool:
        """Whether a visitor of those settings can go on under these."""
        return _connecting(self) == _connecting(other)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def _connecting(settings: CrowdSettings) -> tuple[Any, ...]:
    return (settings.target, settings.app, settings.ways, settings.cookies, settings.one_address)


def read_settings(fields: dict[str, Any], now: CrowdSettings) -> CrowdSettings:
    """What the body of a PUT asks for; what it leaves out stays. Raises ControlError."""
    settings = CrowdSettings(
        count=number_field(fields, "count", 0, MOST_VISITORS, now.count),
        target=_target(text_field(fields, "target", now.target) or ""),
        transport=choice_field(fields, "transport", TRANSPORTS, now.transport),
        protocol=choice_field(fields, "protocol", tuple(PROTOCOLS), now.protocol),
        skip_negotiation=flag_field(fields, "skip_negotiation", now.skip_negotiation),
        reconnect=flag_field(fields, "reconnect", now.reconnect),
        reload_seconds=_seconds(fields, now.reload_seconds),
        cookies=flag_field(fields, "cookies", now.cookies),
        one_address=flag_field(fields, "one_address", now.one_address),
        app=choice_field(fields, "app", APPS, now.app),
    )
    if settings.count and not settings.target:
        raise ControlError("Visitors need a target.", hint="Send the balancer's address as target.")
    if settings.skip_negotiation and settings.transport not in ("auto", "WebSockets"):
        raise ControlError("Negotiation can only be skipped when using the WebSocket transport directly.")
    return settings


def _target(target: str) -> str:
    if not target:
        return target
    try:
        url = urlsplit(target)
        sound = url.scheme == "http" and url.hostname and url.port
    except ValueError:
        sound = False
    if not sound or url.path not in ("", "/") or url.query or url.fragment or url.username is not None:
        raise ControlError("target must be an address such as http://127.0.0.1:8090.")
    return f"{url.scheme}://{url.netloc}"


def _seconds(fields: dict[str, Any], default: float) -> float:
    value = fields.get("reload_seconds", default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.1 <= value <= 3600:
        raise ControlError("reload_seconds must be a number from 0.1 to 3600.")
    return float(value)
