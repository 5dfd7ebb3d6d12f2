"""The bare Flask-SocketIO app as a server: gunicorn, one worker, gevent, as the dashboard has it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.caller import Caller
from tests.dashboard import TOP, free_port
from tests.waiting import wait_for


@dataclass(frozen=True)
class Bare:
    url: str
    pid: int


@contextmanager
def bare_server() -> Iterator[Bare]:
    """Serves until the end of the block; away from gunicorn.conf.py, which gunicorn reads where it starts."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--worker-class", "gevent", "--workers", "1"]
    options = ["--worker-connections", "1000", "--no-control-socket", "--bind", f"127.0.0.1:{port}"]
    with tempfile.TemporaryDirectory(prefix="labdeck-bench-") as folder:
        said = Path(folder, "said")
        with said.open("w") as output:
            process = subprocess.Popen(
                [*command, *options, "bench.bare_live:app"],
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(TOP)},
                stdout=output,
                stderr=output,
            )
        try:
            wait_for(lambda: _answers(port), 20, told=said.read_text)
            yield Bare(f"http://127.0.0.1:{port}", process.pid)
        finally:
            process.terminate()
            process.wait(10)


def _answers(port: int) -> bool:
    caller = Caller(f"http://127.0.0.1:{port}")
    try:
        return caller.send("GET", "/").status == 404
    except OSError:
        return False
    finally:
        caller.close()
