"""Envoy and its controller as one program: both are up, or neither."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web

from services.balancer.access_log import AccessLog
from services.balancer.admin import Admin
from services.balancer.bootstrap import ADMIN_SOCKET, bootstrap
from services.balancer.control import balancer_control
from services.balancer.controller import Controller
from services.balancer.endpoints import Names
from services.balancer.envoy import Envoy
from services.balancer.failure import BalancerFailed
from services.balancer.folder import Folder
from services.balancer.health_log import MARK, HealthLog
from services.wire.control import serve
from services.wire.environment import Listen
from services.wire.lines import emit

BOOTSTRAP_FILE = "bootstrap.json"
READY_SECONDS = 15.0


async def balance(public: Listen, control: Listen, key: str, *, naming: bool = False) -> None:
    """Run until cancelled; raises BalancerFailed when Envoy cannot start, or ends by itself."""
    async with running(public, control, key, naming=naming) as (envoy, _):
        raise await envoy.died()


@asynccontextmanager
async def running(
    public: Listen, control: Listen, key: str, *, naming: bool = False
) -> AsyncIterator[tuple[Envoy, Controller]]:
    """Envoy ready and the control port open; `naming`: browsers without a name get one here."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(Folder())
        names = Names()
        access_log, health_log = AccessLog(names), HealthLog(names)
        controller = Controller(folder, names, access_log, naming=naming)
        folder.write(BOOTSTRAP_FILE, bootstrap(_numeric(public), naming=naming))

        def read(line: bytes) -> None:
            log = health_log if MARK in line else access_log
            log.read(line)

        envoy = await Envoy.start(folder.path, BOOTSTRAP_FILE, read)
        stack.push_async_callback(envoy.stop)
        admin = Admin(folder.path / ADMIN_SOCKET)
        stack.push_async_callback(admin.close)
        await _until_ready(envoy, admin)
        controller.attach(admin, await admin.version())
        runner = await _serve_control(controller, key, control)
        stack.push_async_callback(runner.cleanup)
        emit(
            "balancer.ready",
            f"Envoy {controller.envoy} listens on {public.host}:{public.port}.",
            envoy=controller.envoy,
        )
        yield envoy, controller


async def _until_ready(envoy: Envoy, admin: Admin) -> None:
    death = asyncio.create_task(envoy.died())
    ready = asyncio.create_task(admin.ready(READY_SECONDS))
    try:
        await asyncio.wait({death, ready}, return_when=asyncio.FIRST_COMPLETED)
        if death.done():
            raise death.result()
        await ready
    except TimeoutError as error:
        message = f"Envoy was not ready within {READY_SECONDS:g} seconds. {envoy.last_words()}"
        raise BalancerFailed("service_failed", message, "Launch again; look at its log.") from error
    finally:
        death.cancel()
        ready.cancel()


async def _serve_control(controller: Controller, key: str, control: Listen) -> web.AppRunner:
    try:
        return (await serve(balancer_control(controller, key), control))[0]
    except OSError as error:
        raise BalancerFailed(
            "port_taken",
            f"The control port {control.host}:{control.port} cannot be opened: {error.strerror}.",
            "Launch again; another port is chosen.",
        ) from error


def _numeric(listen: Listen) -> Listen:
    """Envoy listens on addresses only; raises BalancerFailed for a host name that nobody knows."""
    try:
        found = socket.getaddrinfo(listen.host, listen.port, type=socket.SOCK_STREAM)
    except OSError as error:
        message = f"The balancer cannot listen on {listen.host}: {error.strerror}."
        raise BalancerFailed("service_failed", message, "Use an address of this machine.") from error
    return Listen(str(found[0][4][0]), listen.port)
