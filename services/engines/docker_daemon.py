"""The way to the Docker daemon: finds it, puts a deadline on every call, and turns its errors into ours."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException
from docker.types import CancellableStream
from docker.utils import kwargs_from_env

from services.engines.build_failures import hint_for
from services.errors import EngineTimeout, EngineUnavailable, LabError, NotFound, PortTaken, ServiceFailed
from services.words import say

ANSWER = 3.0
"""Seconds that the daemon has to say that it is there."""
CALL = 30.0
"""Seconds for a call that makes, inspects or removes something."""
SILENCE = 120.0
"""Seconds that a stream may say nothing before it is asked again from where it was."""

_TAKEN = re.compile(
    r"port is already allocated|address already in use|failed to bind host port", re.IGNORECASE
)
_PORT = re.compile(r":(\d+)(?:/tcp)?[ :]")


class Quiet(Exception):
    """A stream said nothing for SILENCE seconds; asking again is safe."""


class Daemon:
    """Connections to one daemon; after it went away, version and connections are asked for anew.

    It may be another daemon by then: an upgrade refuses the API version that was agreed before.
    """

    def __init__(self, base_url: str | None = None) -> None:
        self._base_url = base_url
        self._client: docker.APIClient | None = None
        self._cpus: int | None = None
        self._lock = threading.Lock()

    @contextmanager
    def asked(self) -> Iterator[docker.APIClient]:
        """A client for short calls; what goes wrong inside leaves as one of `services.errors`."""
        with our_errors(self._where()):
            try:
                yield self._shared()
            except (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError):
                self.close()
                raise

    def cpus(self, client: docker.APIClient) -> int:
        """What its machine has; asked once a connection, for the daemon needs 10 ms to say it."""
        if self._cpus is None:
            self._cpus = int(client.info()["NCPU"])
        return self._cpus

    @contextmanager
    def connected(self, timeout: float, version: str = "auto") -> Iterator[docker.APIClient]:
        """A client with connections and a deadline of its own, closed at the end.

        Give the API's `version` where it was agreed just now: to agree again takes the daemon 10 ms.
        """
        with our_errors(self._where()):
            client = self._connect(timeout, version)
            try:
                yield client
            finally:
                client.close()

    def close(self) -> None:
        """The next call connects anew."""
        with self._lock:
            client, self._client, self._cpus = self._client, None, None
        if client:
            client.close()

    def _shared(self) -> docker.APIClient:
        with self._lock:
            if self._client is None:
                self._client = self._connect(CALL)
            return self._client

    def _connect(self, timeout: float, version: str = "auto") -> docker.APIClient:
        settings, where = kwargs_from_env(), self._where()
        client = docker.APIClient(**settings | {"base_url": where, "timeout": timeout, "version": version})
        if where.startswith("unix:"):
            client.trust_env = False  # before a socket is no proxy; looking for one takes 0.6 ms a call
        return client

    def _where(self) -> str:
        """DOCKER_HOST, or the first socket that is there: the system's, a rootless one, Docker Desktop's."""
        if self._base_url or os.environ.get("DOCKER_HOST"):
            return self._base_url or os.environ["DOCKER_HOST"]
        places = (
            Path("/var/run/docker.sock"),
            Path(os.environ.get("XDG_RUNTIME_DIR", "/run/user/0"), "docker.sock"),
            Path("~/.docker/run/docker.sock").expanduser(),
        )
        return f"unix://{next((place for place in places if place.exists()), places[0])}"


class Answer:
    """One long answer of the daemon, read piece by piece, that another thread may cut off."""

    def __init__(self, daemon: Daemon, path: str, params: dict[str, str], version: str = "auto") -> None:
        """Asks at once; raises NotFound or EngineUnavailable."""
        with daemon.connected(SILENCE, version) as client:
            address = f"{client.base_url}/v{client.api_version}/{path}"
            self._response = client.get(address, params=params, stream=True, timeout=SILENCE)
            try:
                self._response.raise_for_status()
            except requests.HTTPError as error:
                docker.errors.create_api_error_from_http_exception(error)

    def pieces(self) -> Iterator[bytes]:
        """Ends when the daemon ends it, in good order or not; raises Quiet after SILENCE."""
        try:
            yield from self._response.raw.stream(64 * 1024)
        except urllib3.exceptions.ReadTimeoutError as error:
            raise Quiet from error
        except (urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError):
            return  # cut off by `close`, or the daemon is gone: the reader asks which

    def close(self) -> None:
        """Wakes the reader."""
        try:
            CancellableStream(iter(()), self._response).close()
        except Exception:  # the answer may have ended in this moment, in many ways
            self._response.close()


@contextmanager
def our_errors(where: str) -> Iterator[None]:
    """Every error of the SDK and of what is below it becomes one of ours."""
    try:
        yield
    except LabError:
        raise
    except requests.Timeout as error:
        raise EngineTimeout(say("Docker took too long to answer.")) from error
    except APIError as error:
        raise _from_daemon(error) from error
    except (DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise _unavailable(error, where) from error


def _from_daemon(error: APIError) -> LabError:
    words = str(error.explanation or error).strip()
    if error.status_code == 404:
        return NotFound(say("Docker: %(words)s", words=words))
    if _TAKEN.search(words):
        port = _PORT.search(words)
        return PortTaken(
            say("Port %(value)s of this machine is in use.", value=port[1])
            if port
            else say("Docker: %(words)s", words=words)
        )
    return ServiceFailed(say("Docker refused: %(words)s", words=words), hint=hint_for(words))


def _unavailable(error: BaseException, where: str) -> EngineUnavailable:
    """Say which of the three usual causes it is; the cause is the innermost error."""
    socket = where.removeprefix("unix://")
    causes = list(_causes(error))
    if any(isinstance(cause, PermissionError) for cause in causes):
        return EngineUnavailable(
            say("Docker is here, but this user may not use %(socket)s.", socket=socket),
            hint=say("sudo usermod -aG docker $USER, sign in again; or run with LAB_ENGINE=local."),
        )
    if any(isinstance(cause, FileNotFoundError) for cause in causes):
        return EngineUnavailable(say("Docker does not answer: there is no %(socket)s.", socket=socket))
    return EngineUnavailable(say("Docker does not answer at %(socket)s.", socket=socket))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        yield from (one for one in error.args if isinstance(one, OSError))
        error = error.__cause__ or error.__context__
