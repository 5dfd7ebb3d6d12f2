"""HTTP over one kept connection: what it costs itself is small, and the same for every side."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        """The body; raises RuntimeError with it when the status says that something went wrong."""
        if self.status >= 400:
            raise RuntimeError(f"{self.status}: {self.body.decode(errors='replace')}")
        return json.loads(self.body)


class Caller:
    """Calls one host, with a bearer token where there is one; for one thread."""

    def __init__(self, url: str, token: str | None = None) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        """The answer, whatever its status; a connection that was closed meanwhile is opened again."""
        content = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, path, content, self._headers)
            answer = self._connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        self._connection.close()
