"""`python -m services.circuit`: one replica, from its environment to SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import asdict

from services.circuit.control import Control
from services.circuit.replica import Replica
from services.circuit.timing import read_timing
from services.wire.control import serve
from services.wire.environment import (
    BadEnvironment,
    Listen,
    allow_many_files,
    read_environment,
    read_listen,
    told_to_stop,
)
from services.wire.lines import emit

IDLE = 3630.0
"""Seconds an idle HTTP connection stays open: longer than Envoy keeps its own, so that Envoy closes first."""


async def run(environment: Mapping[str, str]) -> int:
    """Serve until told to stop; the exit code."""
    names, timing = read_environment(environment), read_timing(environment)
    public, control = read_listen(environment, "public"), read_listen(environment, "control")
    allow_many_files()
    stopping = asyncio.ensure_future(told_to_stop())
    page_key = environment.get("LAB_PAGE_KEY", "").encode() or secrets.token_bytes(32)
    replica = Replica(names.instance, page_key, timing)
    try:
        public_runner, public_port = await serve(
            replica.public_app(), public,
            handler_cancellation=True, keepalive_timeout=IDLE, shutdown_timeout=2.0,
        )  # fmt: skip
        control_runner, control_port = await serve(Control(replica).app(names.control_key), control)
    except OSError as error:
        return _failed(names.instance, error)
    time_keeping = asyncio.create_task(replica.keep_time())
    replica.journal.tell(
        "replica.ready", f"{names.instance} is ready.",
        public=asdict(Listen(public.host, public_port)), control=asdict(Listen(control.host, control_port)),
    )  # fmt: skip
    await stopping
    replica.connections.stop()
    await public_runner.cleanup()
    await control_runner.cleanup()
    time_keeping.cancel()
    return 0


def _failed(replica: str, error: OSError) -> int:
    hint = "Stop the program that uses this port, or launch again."
    why = {"kind": "port_taken", "message": str(error), "hint": hint}
    emit("replica.failed", f"{replica} cannot listen: {error}.", level="error", replica=replica, error=why)
    return 1


def main() -> int:
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    try:
        return asyncio.run(run(os.environ))
    except BadEnvironment as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
