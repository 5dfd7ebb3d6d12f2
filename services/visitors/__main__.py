"""`python -m services.visitors`: an empty crowd, to be filled through its control port."""

from __future__ import annotations

import asyncio
import gc
import os
import sys

from services.visitors.control import crowd_control
from services.visitors.crowd import Crowd
from services.wire.control import serve
from services.wire.environment import (
    BadEnvironment,
    allow_many_files,
    read_environment,
    read_listen,
    told_to_stop,
)
from services.wire.lines import emit


async def run() -> int:
    """The exit code: 0 when told to stop, 1 when the control port is taken, 2 for a bad environment."""
    try:
        names, control = read_environment(os.environ), read_listen(os.environ, "control")
    except BadEnvironment as error:
        sys.stderr.write(f"{error}\n")
        return 2
    allow_many_files()
    stop = asyncio.create_task(told_to_stop())
    crowd = Crowd()
    try:
        runner, _ = await serve(crowd_control(crowd, names.control_key), control)
    except OSError as error:
        why = {"kind": "port_taken", "message": str(error), "hint": "Launch again; another port is chosen."}
        emit("visitors.failed", f"The crowd cannot listen: {error}.", level="error", error=why)
        return 1
    gc.freeze()
    crowd.tell("visitors.ready", "The crowd is ready; nobody visits yet.")
    await stop
    await runner.cleanup()
    await crowd.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
