"""Envoy's admin interface over its Unix socket: whether it is ready, and what it has taken in."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from pathlib import Path
from urllib.parse import quote

import aiohttp

EAGER_POLLS = 40
"""So many questions at once (a toggle is obeyed within milliseconds), then one a millisecond."""
_VERSION = re.compile(r'^\S+\.version_text: "(\d*)"$', re.M)
_REJECTED = re.compile(r"^\S+\.update_rejected: (\d+)$", re.M)


class Rejected(Exception):
    """Envoy has read the file and will not have it; the last good one goes on serving."""


class Admin:
    """One keep-alive connection, one question at a time."""

    def __init__(self, socket: Path) -> None:
        connector = aiohttp.UnixConnector(path=str(socket), limit=1)
        self._http = aiohttp.ClientSession(
            base_url="http://envoy", connector=connector, timeout=aiohttp.ClientTimeout(total=2)
        )
        self._rejections: Counter[str] = Counter()

    async def close(self) -> None:
        await self._http.close()

    async def ready(self, deadline: float) -> None:
        """Wait until Envoy serves; raises TimeoutError after `deadline` seconds."""
        async with asyncio.timeout(deadline):
            while not await self._is_ready():
                await asyncio.sleep(0.005)

    async def _is_ready(self) -> bool:
        try:
            async with self._http.get("/ready") as answer:
                return answer.status == 200
        except (OSError, aiohttp.ClientError):
            return False

    async def version(self) -> str:
        """Envoy's own version, such as `1.40.0`."""
        async with self._http.get("/server_info") as answer:
            parts = str((await answer.json(content_type=None))["version"]).split("/")
        return parts[1] if len(parts) > 1 else parts[0]

    async def taken(self, subject: str, version: int, deadline: float) -> None:
        """Wait until every subscription of the subject (a regular expression over stats) has this version.

        Raises Rejected when Envoy refused a file meanwhile, TimeoutError after `deadline` seconds.
        """
        end, polls = time.monotonic() + deadline, 0
        while True:
            stats = await self._stats(subject)
            rejections = sum(map(int, _REJECTED.findall(stats)))
            is_new = rejections > self._rejections[subject]
            self._rejections[subject] = rejections
            if set(_VERSION.findall(stats)) == {str(version)}:
                return
            if is_new:
                raise Rejected
            if time.monotonic() > end:
                raise TimeoutError
            polls += 1
            await asyncio.sleep(0 if polls < EAGER_POLLS else 0.001)

    async def _stats(self, subject: str) -> str:
        pattern = quote(rf"^{subject}\.(version_text|update_rejected)$")
        async with self._http.get(f"/stats?filter={pattern}") as answer:
            return await answer.text()

    async def unchecked(self, cluster: str) -> int:
        """How many endpoints of the cluster wait for their first health check."""
        async with self._http.get("/clusters?format=json") as answer:
            clusters = (await answer.json(content_type=None)).get("cluster_statuses", [])
        hosts = [h for c in clusters if c["name"] == cluster for h in c.get("host_statuses", [])]
        return sum(1 for host in hosts if host.get("health_status", {}).get("pending_active_hc"))
