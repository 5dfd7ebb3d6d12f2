"""What the balancer is set to, and the only one who may change it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from services.balancer.access_log import AccessLog
from services.balancer.admin import Admin, Rejected
from services.balancer.affinity import Affinity
from services.balancer.bootstrap import ENDPOINTS_FILE, ROUTES_FILE
from services.balancer.endpoints import Endpoint, Names, draining, endpoints_file
from services.balancer.folder import Folder
from services.balancer.routes import CLUSTERS, HELD, ROUTES, routes_file
from services.wire.control import ControlError
from services.wire.lines import emit

OBEY_SECONDS = 3.0
FIRST_CHECK_SECONDS = 1.5
ROUTES_SUBJECT = rf"http\.public\.rds\.{ROUTES}"
ENDPOINTS_SUBJECT = r"cluster\.[a-z_]+"
_File = Callable[[int], dict[str, Any]]


class Controller:
    """Changes one thing at a time and answers when Envoy obeys; what Envoy refuses leaves all as it was."""

    def __init__(self, folder: Folder, names: Names, access_log: AccessLog, *, naming: bool = False) -> None:
        self.affinity = Affinity()
        self.endpoints: tuple[Endpoint, ...] = ()
        self.envoy = ""
        """Envoy's version, once it runs."""
        self._folder = folder
        self._naming = naming
        self._names = names
        self._access_log = access_log
        self._turn = asyncio.Lock()
        self._version = 0
        self._former: str | None = None
        """The cookie that pinned before this affinity; browsers still send it."""
        self._admin: Admin | None = None
        self._write(ROUTES_FILE, self._routes(self.affinity, None, ()))
        self._write(ENDPOINTS_FILE, lambda version: endpoints_file((), version))

    def attach(self, admin: Admin, version: str) -> None:
        """From here on Envoy runs, and is asked whether it obeys."""
        self._admin, self.envoy = admin, version

    def state(self) -> dict[str, Any]:
        """As the control API shows it."""
        requests, refused = self._access_log.requests, self._access_log.refused
        return {
            "envoy": self.envoy,
            "affinity": self.affinity.as_dict(),
            "endpoints": [endpoint.as_dict() for endpoint in self.endpoints],
            "counts": {
                e.name: {"requests": requests[e.name], "refused": refused[e.name]} for e in self.endpoints
            },
        }

    async def set_affinity(self, choose: Callable[[Affinity], Affinity]) -> float:
        """Milliseconds until Envoy obeyed; `choose` sees what is set when its turn has come."""
        async with self._turn:
            wanted = choose(self.affinity)
            former = _former(self.affinity, wanted) or self._former
            ms = await self._replace(
                ROUTES_FILE,
                ROUTES_SUBJECT,
                self._routes(wanted, former, self.endpoints),
                self._routes(self.affinity, self._former, self.endpoints),
            )
            self.affinity, self._former = wanted, former
            emit("affinity.changed", _affinity_text(wanted), **wanted.as_dict(), ms=ms)
        return ms

    async def set_endpoints(self, wanted: tuple[Endpoint, ...]) -> float:
        """Milliseconds until Envoy had them and had looked once at the health of each new one."""
        async with self._turn:
            self._names.learn(wanted)
            ms = await self._let_go(self.endpoints, wanted)
            try:
                ms += await self._replace(
                    ENDPOINTS_FILE,
                    ENDPOINTS_SUBJECT,
                    lambda version: endpoints_file(wanted, version),
                    lambda version: endpoints_file(self.endpoints, version),
                )
            except ControlError:
                await self._let_go(wanted, self.endpoints)
                raise
            self.endpoints = wanted
            ms = round(ms + await self._first_checks(), 2)
            names = [endpoint.name for endpoint in wanted]
            emit("endpoints.changed", f"The balancer knows {_several(names)}.", endpoints=names)
        return ms

    async def _let_go(self, before: tuple[Endpoint, ...], wanted: tuple[Endpoint, ...]) -> float:
        """Have routes for those that drain before they do; a request in between would go elsewhere."""
        if draining(wanted) == draining(before):
            return 0.0
        now = self._routes(self.affinity, self._former, before)
        then = self._routes(self.affinity, self._former, wanted)
        return await self._replace(ROUTES_FILE, ROUTES_SUBJECT, then, now)

    def _routes(self, affinity: Affinity, former: str | None, endpoints: tuple[Endpoint, ...]) -> _File:
        going = draining(endpoints)
        return lambda version: routes_file(affinity, version, former, going, naming=self._naming)

    async def _replace(self, name: str, subject: str, fresh: _File, old: _File) -> float:
        """Put the file in place and wait until Envoy has it; raises ControlError, with the old one back."""
        assert self._admin is not None
        started = time.perf_counter()
        version = self._write(name, fresh)
        try:
            await self._admin.taken(subject, version, OBEY_SECONDS)
        except (Rejected, OSError, aiohttp.ClientError, TimeoutError) as error:
            self._write(name, old)
            raise _not_obeyed(error) from error
        return round((time.perf_counter() - started) * 1000, 2)

    def _write(self, name: str, file: _File) -> int:
        self._version += 1
        self._folder.write(name, file(self._version))
        return self._version

    async def _first_checks(self) -> float:
        """Until then Envoy sends nobody to a new replica; one that hangs is waited for only so long."""
        assert self._admin is not None
        started = time.perf_counter()
        while time.perf_counter() - started < FIRST_CHECK_SECONDS:
            if not any([await self._admin.unchecked(cluster) for cluster in (*CLUSTERS, HELD)]):
                break
            await asyncio.sleep(0.002)
        return (time.perf_counter() - started) * 1000


def _former(now: Affinity, wanted: Affinity) -> str | None:
    """The name of the cookie that no longer counts once this is wanted; None when there is none."""
    name = now.cookie.name if now.cookie else None
    return None if wanted.cookie and wanted.cookie.name == name else name


def _not_obeyed(error: Exception) -> ControlError:
    if isinstance(error, Rejected):
        return ControlError(
            "Envoy refused these settings and goes on with the old ones.",
            status=502,
            kind="service_failed",
            hint="Read the balancer's last lines in the log.",
        )
    return ControlError(
        f"Envoy did not obey within {OBEY_SECONDS:g} seconds.",
        status=504,
        kind="engine_timeout",
        hint="Try again; if it stays so, launch the lab again.",
    )


def _affinity_text(affinity: Affinity) -> str:
    if affinity.mode == "cookie" and affinity.cookie:
        return f"Affinity is on: the cookie {affinity.cookie.name} keeps each visitor on one replica."
    if affinity.mode == "source_ip":
        return "Affinity is on: visitors from the same address go to the same replica."
    return f"Affinity is off: each request goes where {affinity.algorithm.replace('_', ' ')} sends it."


def _several(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else (names or ["no replica"])[0]
