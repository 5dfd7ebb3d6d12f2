"""Who may do what: the token and the links, the cookie they buy, and what a cookie alone may not do."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from typing import Literal

from flask import Flask, g, request, session
from flask.sessions import SecureCookieSessionInterface

from services.errors import NotSignedIn, Refused
from services.settings import Settings
from services.web.invitations import Invitation, Invitations, Role
from services.web.keys import cookie_key
from services.web.origin import asked_publicly, from_own_page
from services.web.problems import NotJson, TooManyTries
from services.words import say

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_SIGNED_IN = "signed_in"
_INVITED = "invited"
_WHO = "who"
_KEPT_DAYS = 30
INSTRUCTORS_ONLY = (
    "api.invitations",
    "classroom.teacher",
    "classroom.present",
)
"""What a follower may not even read: links of others, and the teacher's answers."""


class Access:
    """Knows the token of this dashboard and its invitations, and judges every request by them."""

    def __init__(self, token: str, invitations: Invitations) -> None:
        self._digest = _digest(token)
        self._wrong = WrongTries()
        self._public_url = ""
        self.invitations = invitations

    def install(self, app: Flask, settings: Settings) -> None:
        """Sign cookies of `app`; the port is in the name because cookies ignore ports.

        Lax, not Strict: a link with the token that is clicked in a web mail must arrive signed in.
        """
        app.secret_key = cookie_key(settings)
        app.session_interface = _Sessions(settings.public_url)
        self._public_url = settings.public_url
        app.config.update(
            SESSION_COOKIE_NAME=f"labdeck-{settings.port}",
            SESSION_COOKIE_HTTPONLY=True,
            SESSION_COOKIE_SAMESITE="Lax",
            SESSION_REFRESH_EACH_REQUEST=False,
            PERMANENT_SESSION_LIFETIME=_KEPT_DAYS * 24 * 3600,
        )

    def role(self) -> Role | None:
        """Who asks: a bearer token decides alone where there is one, else the cookie does; None for nobody.

        Raises TooManyTries when others are guessing too.
        """
        bearer = bearer_token()
        if bearer is not None:
            return "instructor" if self.knows(bearer) else None
        if session.get(_SIGNED_IN):
            return "instructor"
        return self.invitations.role_of(str(session.get(_INVITED, "")))

    def came_by(self) -> tuple[str | None, str]:
        """The invitation that this browser came by, and a name for the browser itself."""
        by_link = None if session.get(_SIGNED_IN) else session.get(_INVITED)
        return by_link, str(session.get(_WHO, ""))

    def knows(self, token: str) -> bool:
        """Whether it is the token; a wrong one takes its time. Raises TooManyTries."""
        if hmac.compare_digest(_digest(token), self._digest):
            return True
        self._wrong.wait()
        return False

    def sign_in(self) -> None:
        """Give this browser a cookie."""
        session.permanent = True
        session[_SIGNED_IN] = True

    def join(self, signed: str) -> Invitation | None:
        """Let this browser in by a link; None for a forged or revoked one. Raises TooManyTries."""
        invitation = self.invitations.opened(signed)
        if invitation is None:
            self._wrong.wait()
            return None
        session.permanent = True
        session[_INVITED] = invitation.id
        session.setdefault(_WHO, secrets.token_urlsafe(9))
        return invitation

    def demand(self) -> None:
        """Raise what forbids this request: NotSignedIn, TooManyTries, or for a cookie Refused, NotJson.

        A follower reads, and nothing else.

        A browser sends cookies whoever made it call, so a cookie alone changes nothing unless the call
        comes from our own page (`127.0.0.1:8090` is the same site, but not the same origin).
        """
        role = g.role = self.role()
        if role is None:
            raise NotSignedIn(say("This call needs the token."))
        if role == "follower" and not _only_reads():
            raise Refused(
                say("You follow: you may look at everything, and only the instructor changes it."),
                hint=say("Ask the instructor to do it, or for a link of an instructor."),
            )
        if request.method in SAFE_METHODS or bearer_token() is not None:
            return
        if not from_own_page(request.environ, self._public_url):
            raise Refused(say("A page of another origin may not change anything here."))
        if request.mimetype != "application/json":
            raise NotJson(say("A change needs the content type application/json."))


class _Sessions(SecureCookieSessionInterface):
    """Cookies that a browser got by TLS never travel without it; on the machine itself there is none."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url

    def get_cookie_secure(self, app: Flask) -> bool:
        by_tls = self._public_url.startswith("https:") and asked_publicly(request.environ, self._public_url)
        return by_tls or request.is_secure


class WrongTries:
    """Answers wrong tokens slowly, a few at a time, and turns the rest away.

    The right token never waits and signed-in people never come here, so a flood holds nobody up. What
    stops guessing is the length of the token; this keeps one guesser from holding all connections.
    """

    def __init__(self, delay: float = 0.5, places: int = 32) -> None:
        self._delay = delay
        self._places = threading.BoundedSemaphore(places)

    def wait(self) -> None:
        """Return after `delay` seconds; raises TooManyTries when all places are taken."""
        if not self._places.acquire(blocking=False):
            raise TooManyTries(say("Too many wrong tokens at the same time."))
        try:
            time.sleep(self._delay)
        finally:
            self._places.release()


def _only_reads() -> bool:
    return request.method in SAFE_METHODS and request.endpoint not in INSTRUCTORS_ONLY


def asker() -> Literal["page", "api"]:
    """Who asks: a program with the token, or a person's browser with the cookie."""
    return "page" if bearer_token() is None else "api"


def bearer_token() -> str | None:
    """The token in `Authorization: Bearer …`; None without that header, or with another scheme in it."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _digest(token: str) -> bytes:
    """Of the same length for every token, so that comparing takes the same time."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
