"""`python -m services.serve`: check what can be checked, say what is wrong in one line, then serve.

The checks are here and not in the server because gunicorn tells of a failed start in forty lines. With
`--engine` it only prints the engine that will be used, for `make run` to install what that needs.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NoReturn

from services.engines.choice import choose
from services.errors import LabError
from services.events.store import Store
from services.exercises.exercise import BadExercise
from services.exercises.loader import load_all
from services.settings import BadSetting, Settings, read_settings
from services.web.api import calls
from services.web.contract import Contract
from services.workspaces.house import hold

_LEFTOVERS_END = 3.0
_ROOT = Path(__file__).parents[1]


def main(arguments: Sequence[str]) -> int:
    """The exit status; does not return where it serves."""
    os.umask(0o077)  # what the log and the services write is nobody else's to read
    try:
        settings = read_settings(os.environ)
        engine = engine_name(settings)
        if "--engine" in arguments:
            sys.stdout.write(f"{engine}\n")
            return 0
        _once_free(lambda: check_port(settings))
        _once_free(lambda: hold(settings.state_dir).close())
        Store(settings.database_url).close()
        load_all(Contract(calls.all).problem)
    except (BadSetting, BadExercise) as error:
        return _failed(str(error))
    except LabError as error:
        return _failed(f"{error.message} {error.hint}")
    except OSError as error:
        return _failed(f"LAB_STATE_DIR cannot be used: {error.filename}: {error.strerror}")
    return serve()


def engine_name(settings: Settings) -> str:
    """The engine this machine will use; raises EngineUnavailable when there is none."""
    engine, _ = choose(settings)
    with closing(engine):
        return engine.name


def check_port(settings: Settings) -> None:
    """Raise BadSetting when nobody can listen there."""
    host, port = settings.host, settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise BadSetting(_why_not(error, host, port)) from None


def _once_free(check: Callable[[], None]) -> None:
    """Ask again for a while: what a killed dashboard left behind notices and ends within two seconds."""
    deadline = time.monotonic() + _LEFTOVERS_END
    while True:
        try:
            return check()
        except BadSetting:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        other = port % 65535 + 1
        return f"port {port} is taken; stop what uses it, or choose another: LAB_PORT={other} make run"
    if error.errno == errno.EACCES:
        return f"LAB_PORT={port} needs root; choose one from 1024 on"
    return f"LAB_HOST={host} is no address of this machine"


def serve() -> NoReturn:
    """Become gunicorn; its settings are in gunicorn.conf.py."""
    os.chdir(_ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"])


def _failed(line: str) -> int:
    sys.stderr.write(f"Labdeck cannot start: {line}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
