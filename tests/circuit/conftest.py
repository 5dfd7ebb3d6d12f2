"""Real replicas as processes, and tests written as coroutines."""

import asyncio
import inspect

import aiohttp
import pytest

from tests.circuit.replica_process import RunningReplica


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Run a coroutine test in a loop of its own, for at most a minute."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    given = {name: pyfuncitem.funcargs[name] for name in wanted}
    asyncio.run(asyncio.wait_for(pyfuncitem.obj(**given), 60))
    return True


@pytest.fixture
def start_replica(request):
    """Starts replicas with settings of the test's choice; a failing test prints their lines."""
    started = []

    def start(name="replica-1", **environment):
        started.append(RunningReplica(name, environment))
        return started[-1]

    yield start
    for replica in started:
        replica.stop()
        print(replica.account())  # noqa: T201


@pytest.fixture
def replica(start_replica):
    return start_replica()


@pytest.fixture
def http():
    """Makes HTTP sessions; each has cookies of its own."""

    def make(visitor=None):
        cookies = {"labdeck_visitor": visitor} if visitor else None
        return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), cookies=cookies)

    return make
