"""Talking to the control port of a lab program."""

from __future__ import annotations

import json
from typing import Any

import urllib3

from services.engines.base import Address
from services.errors import BadRequest, LabError, ServiceFailed
from services.words import say

_LONGEST = 1024 * 1024


class ControlPort:
    """One program's control port: JSON both ways, over connections that are kept open."""

    def __init__(self, name: str, address: Address, key: str, known_as: Address | None = None) -> None:
        """`known_as` is where the program itself listens: .NET answers under that name and port alone."""
        self.name = name
        self.address = address
        self._pool = urllib3.HTTPConnectionPool(address.host, address.port, maxsize=4, retries=False)
        listens = known_as or address
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Host": f"{listens.host}:{listens.port}",
        }

    def get(self, path: str, *, timeout: float = 3.0) -> dict[str, Any]:
        """Answer of a GET; errors as `send`."""
        return self.send("GET", path, timeout=timeout)

    def send(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, timeout: float = 5.0
    ) -> dict[str, Any]:
        """The JSON answer; raises BadRequest when the program refuses, ServiceFailed when it is away."""
        content = None if body is None else json.dumps(body).encode()
        limit = urllib3.Timeout(connect=min(1.0, timeout), read=timeout)
        try:
            answer = self._pool.request(method, path, body=content, headers=self._headers, timeout=limit)
            found = json.loads(answer.data[:_LONGEST])
        except (urllib3.exceptions.HTTPError, ValueError, OSError) as error:
            raise ServiceFailed(
                say("%(name)s does not answer its control port: %(error)s", name=self.name, error=error)
            ) from error
        if answer.status >= 400:
            raise self._refusal(answer.status, found)
        return dict(found)

    def close(self) -> None:
        """Close the connections that were kept."""
        self._pool.close()

    def _refusal(self, status: int, found: Any) -> LabError:
        said = found.get("error", {}) if isinstance(found, dict) else {}
        message = f"{self.name}: {said.get('message', f'answered {status}')}"
        kind = BadRequest if status < 500 else ServiceFailed
        return kind(message, hint=said.get("hint"))
