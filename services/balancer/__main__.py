"""`python -m services.balancer`: see `balancer.py` for what it runs."""

from __future__ import annotations

import asyncio
import os
import sys

from services.balancer.balancer import balance
from services.balancer.failure import BalancerFailed
from services.wire.environment import (
    BadEnvironment,
    allow_many_files,
    read_environment,
    read_listen,
    told_to_stop,
)
from services.wire.lines import emit


async def run() -> int:
    """The exit code: 0 when told to stop, 1 when the balancer cannot go on, 2 for a bad environment."""
    try:
        names = read_environment(os.environ)
        public, control = read_listen(os.environ, "public"), read_listen(os.environ, "control")
    except BadEnvironment as error:
        sys.stderr.write(f"{error}\n")
        return 2
    allow_many_files()
    stop = asyncio.create_task(told_to_stop())
    naming = bool(os.environ.get("LAB_NAMES_VISITORS"))
    work = asyncio.create_task(balance(public, control, names.control_key, naming=naming))
    await asyncio.wait({stop, work}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    work.cancel()
    try:
        await work
    except asyncio.CancelledError:
        return 0
    except BalancerFailed as failure:
        emit("balancer.failed", failure.message, level="error", error=failure.as_dict())
    return 1


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
