"""Which engine this machine gets, and why: the page and the start line say both."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from services.engines.base import Engine
from services.engines.docker import DockerEngine
from services.engines.docker_carried import Carrier
from services.engines.local import LocalEngine
from services.errors import EngineUnavailable
from services.settings import Settings
from services.words import say


def choose(settings: Settings) -> tuple[Engine, str]:
    """The engine and one sentence with the reason; raises EngineUnavailable when there is none.

    LAB_ENGINE=docker is taken at its word though no daemon answers: each call then says so, and works
    once Docker is started.
    """
    if settings.engine == "local":
        return _local(settings), say("LAB_ENGINE=local asks for it.")
    docker = DockerEngine(_deck(settings), _memory_of_docker(settings))
    try:
        answer = say("Docker %(version)s answers.", version=docker.version())
    except EngineUnavailable as error:
        docker_is_away = error
    else:
        return docker, answer
    if settings.engine == "docker":
        return docker, say("LAB_ENGINE=docker asks for it, but: %(message)s", message=docker_is_away.message)
    docker.close()
    return _instead_of_docker(settings, docker_is_away)


def _instead_of_docker(settings: Settings, docker_is_away: EngineUnavailable) -> tuple[Engine, str]:
    if sys.platform != "linux":
        raise EngineUnavailable(
            say("%(message)s Without Docker, Labdeck needs Linux.", message=docker_is_away.message),
            hint=say("Start Docker, then run again."),
        )
    return _local(settings), docker_is_away.message


def _local(settings: Settings) -> LocalEngine:
    engine = LocalEngine(settings.state_dir / "local")
    engine.version()  # raises where it cannot work
    return engine


def carrier_of(settings: Settings) -> Carrier:
    """Takes images to other machines, and brings them from there, for the dashboard of these settings."""
    return Carrier(_memory_of_docker(settings))


def _memory_of_docker(settings: Settings) -> Path:
    return settings.state_dir / "docker"


def _deck(settings: Settings) -> str:
    """Tells two dashboards on one Docker apart: each has a state folder of its own."""
    return hashlib.sha256(str(settings.state_dir).encode()).hexdigest()[:6]
