"""A page carries a descriptor that its replica signed; another replica without the key cannot read it."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from typing import Any

LIMIT = 1024
STATE_LIMIT = 8192
"""A memory that is carried along: its note has up to 500 characters, each up to twelve as JSON."""


_STATE = b"memory\0"
"""Signed with it, a memory can never pass for a page."""


class BadDescriptor(Exception):
    """The descriptor is of another replica's making, or nobody's.

    `replica` is who it names, if it does; `circuit` is what a memory that was brought says it was.
    """

    def __init__(self, message: str, replica: str | None = None, circuit: str | None = None) -> None:
        super().__init__(message)
        self.replica = replica
        self.circuit = circuit


class Signer:
    """Signs pages with the replica's key: its own, or one that all replicas share."""

    def __init__(self, replica: str, key: bytes) -> None:
        self._replica = replica
        self._key = key

    def make(self) -> str:
        """A descriptor for a page that is served now."""
        body = json.dumps({"replica": self._replica}).encode()
        return f"{_text(body)}.{_text(self._signature(body))}"

    def check(self, descriptor: object) -> None:
        """Pass over one that was signed with our key; raises BadDescriptor for any other."""
        if not isinstance(descriptor, str) or not descriptor.isascii() or len(descriptor) > LIMIT:
            raise BadDescriptor("The page's descriptor is not one.")
        try:
            body, signature = (base64.urlsafe_b64decode(part) for part in descriptor.split("."))
            replica = json.loads(body)["replica"]
        except (ValueError, binascii.Error, LookupError, TypeError, RecursionError) as error:
            raise BadDescriptor("The page's descriptor cannot be read.") from error
        if hmac.compare_digest(signature, self._signature(body)):
            return
        raise BadDescriptor(*self._whose(replica))

    def seal(self, memory: dict[str, Any]) -> str:
        """A memory as its visitor carries it along; only who has the key can read it again."""
        body = json.dumps({"replica": self._replica, **memory}).encode()
        return f"{_text(body)}.{_text(self._signature(_STATE + body))}"

    def unseal(self, state: object) -> dict[str, Any]:
        """What `seal` was given, and the `replica` that sealed it; raises BadDescriptor for any other."""
        if not isinstance(state, str) or not state.isascii() or len(state) > STATE_LIMIT:
            raise BadDescriptor("The memory that was brought is not one.")
        try:
            body, signature = (base64.urlsafe_b64decode(part) for part in state.split("."))
            memory = json.loads(body)
            replica = memory["replica"]
        except (ValueError, binascii.Error, LookupError, TypeError, RecursionError) as error:
            raise BadDescriptor("The memory that was brought cannot be read.") from error
        if not hmac.compare_digest(signature, self._signature(_STATE + body)):
            raise BadDescriptor(*self._whose(replica), str(memory.get("circuit", ""))[:64])
        return dict(memory)

    def _whose(self, replica: object) -> tuple[str, str | None]:
        if not isinstance(replica, str) or replica == self._replica:
            return f"Another start of {self._replica}, with another key, signed the page.", self._replica
        name = "".join(letter for letter in replica[:32] if letter.isalnum() or letter in "-_")
        return f"{name} signed the page, and {self._replica} does not have its key.", name

    def _signature(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()
