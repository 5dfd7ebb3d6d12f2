"""A small, bounded load on one address, by a process of its own so that nobody else waits for it.

`python -m services.hello_go.load http://127.0.0.1:8080 --count 200 --callers 8` prints one JSON object.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import sys
import threading
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

MOST, MOST_CALLERS = 5000, 32
SECONDS = 30.0
"""After that much time no further call begins."""


class _Callers:
    """Shares out the calls and gathers what came of them."""

    def __init__(self, url: str, count: int) -> None:
        self._place, self._left = urlsplit(url), count
        self._lock = threading.Lock()
        self._until = time.perf_counter() + SECONDS
        self.taken: list[float] = []
        """Milliseconds of each answered call."""
        self.statuses: dict[str, int] = {}
        self.failed = 0

    def call_until_none_is_left(self) -> None:
        """One caller: a connection of its own, one call after the other."""
        connection = http.client.HTTPConnection(self._place.hostname or "", self._place.port, timeout=5)
        while self._take_one():
            began = time.perf_counter()
            try:
                connection.request("GET", self._place.path or "/")
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                with self._lock:
                    self.failed += 1
                continue
            ms = (time.perf_counter() - began) * 1000
            with self._lock:
                self.taken.append(ms)
                self.statuses[str(answer.status)] = self.statuses.get(str(answer.status), 0) + 1
        connection.close()

    def _take_one(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left >= 0 and time.perf_counter() < self._until


def measure(url: str, count: int, callers: int) -> dict[str, object]:
    """Call `count` times, `callers` at a time: how many were answered, how fast, in milliseconds."""
    work = _Callers(url, count)
    threads = [threading.Thread(target=work.call_until_none_is_left) for _ in range(min(callers, count))]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    taken = sorted(work.taken)
    shares = {f"p{percent}": percentile(taken, percent) for percent in (50, 95, 99)}
    return {
        "n": len(taken),
        "failed": work.failed,
        "statuses": work.statuses,
        "callers": len(threads),
        "seconds": round(seconds, 3),
        "per_second": round(len(taken) / seconds, 1),
        "max": round(taken[-1], 2) if taken else None,
        **shares,
    }


def percentile(ordered: Sequence[float], percent: float) -> float | None:
    """By nearest rank; None of nothing."""
    if not ordered:
        return None
    return round(ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)], 2)


def main(arguments: Sequence[str]) -> int:
    """1 when nothing was answered."""
    parser = argparse.ArgumentParser(prog="load", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--count", type=int, default=200, choices=range(1, MOST + 1), metavar=f"1…{MOST}")
    parser.add_argument(
        "--callers", type=int, default=8, choices=range(1, MOST_CALLERS + 1), metavar=f"1…{MOST_CALLERS}"
    )
    asked = parser.parse_args(arguments)
    found = measure(asked.url, asked.count, asked.callers)
    sys.stdout.write(json.dumps(found) + "\n")
    return 0 if found["n"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
