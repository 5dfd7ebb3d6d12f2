"""Calls of the running Hello-Go: one, with all that came back, or a small load with its percentiles."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from typing import Any

import urllib3

from services.errors import ServiceFailed, WrongPhase
from services.hello_go.commands import HOUSE
from services.hello_go.load import SECONDS
from services.hello_go.notebook import Notebook
from services.words import say

_LONGEST_BODY = 64 * 1024
_KEPT = 12
"""Calls whose times the page shows."""
_MEASURED = ("n", "failed", "statuses", "seconds", "per_second", "p50", "p95", "p99", "max")


class Caller:
    """Asks the app as any client would."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook
        self._calls = urllib3.PoolManager(maxsize=2, retries=False)
        self._calling = threading.Lock()

    def url(self) -> str:
        """Where the app answers; raises WrongPhase when it does not run."""
        if self._notebook.at("phase") != "running":
            raise WrongPhase(say("Hello-Go is not running."), hint=say("Launch it first."))
        return str(self._notebook.at("url"))

    def call(self) -> dict[str, Any]:
        """GET the app's page once: status, headers, body, milliseconds, and the same as a command.

        Raises WrongPhase when it does not run, ServiceFailed when it does not answer within 5 s.
        """
        url = self.url()
        began = time.perf_counter()
        try:
            answer = self._calls.request("GET", url, timeout=5.0, preload_content=False)
            body = answer.read(_LONGEST_BODY, decode_content=True).decode(errors="replace")
            answer.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise ServiceFailed(
                say("Hello-Go does not answer at %(url)s: %(error)s", url=url, error=error)
            ) from error
        ms = round((time.perf_counter() - began) * 1000, 2)
        found = {"status": answer.status, "headers": dict(answer.headers), "body": body, "ms": ms}
        self._called(url, found)
        return found | {"command": f"curl -i {url}"}

    def probe(self, url: str) -> None:
        """Raises ServiceFailed when nothing answers there."""
        try:
            self._calls.request("GET", url, timeout=1.0)
        except urllib3.exceptions.HTTPError as error:
            raise ServiceFailed(say("nothing answers at %(url)s", url=url)) from error

    def load(self, count: int, callers: int) -> None:
        """Call many times, from a process of its own; the percentiles arrive as an event."""
        url = self.url()
        begun = {"state": "running", "count": count, "callers": callers} | dict.fromkeys(_MEASURED)
        text = f"Calling {url} {count} times, {callers} at a time."
        self._notebook.record("hello_go.load_started", text, {"load": begun})
        command = [sys.executable, "-m", "services.hello_go.load", url]
        command += ["--count", str(count), "--callers", str(callers)]
        try:
            ran = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, timeout=SECONDS + 15)
            found = json.loads(ran.stdout)
        except (subprocess.TimeoutExpired, OSError, ValueError) as error:
            self._notebook.record("hello_go.failed", "The load could not be measured.", {"load": None})
            raise ServiceFailed(
                say("The load could not be measured."), hint=say("Call once, then try again.")
            ) from error
        text = f"{found['n']} of {count} calls were answered; p50 {found['p50']} ms, p99 {found['p99']} ms."
        self._notebook.record(
            "hello_go.load_measured", text, {"load": {"state": "done", **found}}, data=found
        )

    def clear(self) -> None:
        self._calls.clear()

    def _called(self, url: str, found: dict[str, Any]) -> None:
        with self._calling:
            before = self._notebook.at("calls") or {}
            last = found | {"body": found["body"][:200], "headers": _bounded(found["headers"])}
            times = [*(before.get("times") or []), found["ms"]][-_KEPT:]
            calls = {"count": before.get("count", 0) + 1, "last": last, "times": times}
            text = f"{url} answered {found['status']} in {found['ms']} ms: {found['body'][:80]}"
            self._notebook.record("hello_go.called", text, {"calls": calls}, data=last)


def _bounded(headers: dict[str, str]) -> dict[str, str]:
    return {name[:100]: value[:300] for name, value in list(headers.items())[:30]}
