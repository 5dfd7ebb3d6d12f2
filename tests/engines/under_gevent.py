"""Run by test_gevent in a process of its own, patched as gunicorn's worker is; prints what it saw as JSON."""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

import gevent  # noqa: E402
from contract.machines import Machine, remove_images  # noqa: E402


def main(kind, folder):
    machine = Machine(kind, Path(folder, "state"), Path(folder, "go"))
    laps, slowest = [], 0.0

    def other_work():
        """As other requests do: runs every millisecond, if nobody blocks the hub."""
        while True:
            began = time.monotonic()
            gevent.sleep(0.001)
            laps.append(time.monotonic() - began)

    worker = gevent.spawn(other_work)
    try:
        machine.build()
        changes = machine.engine.watch()
        told = []
        watching = threading.Thread(target=lambda: told.extend(one.what for one in changes))
        watching.start()
        machine.start()
        stream = machine.engine.logs(machine.workspace, "talker-1")
        lines = []
        reading = threading.Thread(target=lambda: lines.extend(line.text for line in stream))
        reading.start()
        machine.ask("talker-1", "say", text="line", times=2000)
        deadline = time.monotonic() + 20
        while len(lines) < 2001 and time.monotonic() < deadline:
            gevent.sleep(0.01)
        closed_at = time.monotonic()
        stream.close()
        reading.join(5)
        machine.engine.stop(machine.workspace, "talker-1")
        while "died" not in told and time.monotonic() < deadline:
            gevent.sleep(0.01)
        changes.close()
        watching.join(5)
        slowest = max(laps)
        ended = not reading.is_alive() and not watching.is_alive()
        print(  # noqa: T201
            json.dumps(
                {
                    "lines": len(lines),
                    "told": told,
                    "ended": ended,
                    "seconds_to_close": time.monotonic() - closed_at,
                    "slowest_ms": slowest * 1000,
                    "laps": len(laps),
                }
            )
        )
    finally:
        worker.kill()
        machine.leave()
        remove_images()


main(*sys.argv[1:])
