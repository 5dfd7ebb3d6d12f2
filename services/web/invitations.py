"""Links that let somebody in: signed, each for one role, and revocable one by one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import sqlalchemy as sql

from services.errors import NotFound
from services.events.event import now
from services.settings import Settings
from services.web.keys import secret
from services.web.origin import is_loopback
from services.words import say

Role = Literal["instructor", "follower"]
ROLES: tuple[Role, ...] = ("instructor", "follower")
_SIGNATURE = 9
"""Bytes of it: 72 bits beside the 48 of the id, so that a link is short enough to be read out."""
_tables = sql.MetaData()
_invitations = sql.Table(
    "invitations",
    _tables,
    sql.Column("id", sql.String, primary_key=True),
    sql.Column("role", sql.String, nullable=False),
    sql.Column("made_at", sql.String, nullable=False),
    sql.Column("revoked_at", sql.String),
)


@dataclass(frozen=True)
class Invitation:
    """Whom a link lets in, and whether it still does."""

    id: str
    role: Role
    made_at: str
    revoked_at: str | None


class Invitations:
    """Made by an instructor; who holds one is asked for at each request, so revoking is felt at once."""

    def __init__(self, settings: Settings, engine: sql.Engine) -> None:
        self._settings, self._engine = settings, engine
        self._key = hmac.digest(secret(settings), b"invitations " + settings.token.encode(), hashlib.sha256)
        _tables.create_all(engine)
        self._all = {one.id: one for one in self._read()}
        self._listeners: list[Callable[[str], None]] = []

    def on_revoked(self, listener: Callable[[str], None]) -> None:
        """Be told the id of each invitation that ends."""
        self._listeners.append(listener)

    def make(self, role: Role) -> Invitation:
        """A new link."""
        made = Invitation(secrets.token_urlsafe(6), role, now(), None)
        with self._engine.begin() as connection:
            connection.execute(_invitations.insert().values(id=made.id, role=role, made_at=made.made_at))
        self._all[made.id] = made
        return made

    def revoke(self, id_: str) -> Invitation:
        """End a link; who came by it is out. Raises NotFound."""
        found = self._all.get(id_)
        if found is None:
            raise NotFound(
                say("There is no such invitation."), hint=say("GET /invitations lists those that there are.")
            )
        if found.revoked_at is None:
            at = now()
            change = _invitations.update().where(_invitations.c.id == id_).values(revoked_at=at)
            with self._engine.begin() as connection:
                connection.execute(change)
            self._all[id_] = Invitation(found.id, found.role, found.made_at, at)
            for listener in self._listeners:
                listener(id_)
        return self._all[id_]

    def valid(self) -> list[Invitation]:
        """Those that still let somebody in, newest first."""
        return sorted(
            (one for one in self._all.values() if one.revoked_at is None),
            key=lambda one: one.made_at,
            reverse=True,
        )

    def role_of(self, id_: str) -> Role | None:
        """The role of who came by this link; None when it never was, or was revoked."""
        found = self._all.get(id_)
        return found.role if found and found.revoked_at is None else None

    def path(self, invitation: Invitation) -> str:
        """The signed part of the link."""
        return f"/join/{invitation.id}.{self._signature(invitation.id, invitation.role)}"

    def opened(self, signed: str) -> Invitation | None:
        """Whom this signed text lets in; None for a forged or revoked one."""
        id_, _, signature = signed.rpartition(".")
        found = self._all.get(id_)
        role = found.role if found else "follower"
        good = hmac.compare_digest(self._signature(id_, role).encode(), signature.encode())
        return found if good and found and found.revoked_at is None else None

    def link(self, invitation: Invitation, base: str) -> str:
        """The whole address, under a name that other machines can use; `base` is how we were asked."""
        return reachable(base, self._settings) + self.path(invitation)

    def _signature(self, id_: str, role: str) -> str:
        digest = hmac.digest(self._key, f"{id_} {role}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:_SIGNATURE]).decode()

    def _read(self) -> list[Invitation]:
        with self._engine.connect() as connection:
            return [
                Invitation(row.id, row.role, row.made_at, row.revoked_at)
                for row in connection.execute(sql.select(_invitations))
            ]


def for_this_machine_only(settings: Settings) -> bool:
    """Whether nobody on another machine can open a link to us."""
    return is_loopback(urlsplit(settings.public_url).hostname or settings.host)


def qr_code(link: str) -> str:
    """The link as an image, in a data address."""
    import segno  # loaded when it is first asked for

    return segno.make(link, error="m").svg_data_uri(scale=6, border=2, dark="#15171c", light="#ffffff")


def reachable(base: str, settings: Settings) -> str:
    """`base` as others reach it: an instructor's own page is often at 127.0.0.1, which is nobody else's."""
    if settings.public_url:
        return settings.public_url
    parts = urlsplit(base)
    if for_this_machine_only(settings) or not is_loopback(parts.hostname or ""):
        return f"{parts.scheme}://{parts.netloc}"
    host = settings.host
    if ipaddress.ip_address(host.strip("[]")).is_unspecified if _is_address(host) else False:
        host = _outward_address() or (parts.hostname or host)
    return f"{parts.scheme}://{host}:{parts.port or settings.port}"


def _outward_address() -> str | None:
    """The address of this machine in its network. Nothing is sent: a datagram socket only picks a route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
