"""The engine that runs services as containers, each as little able as it can be."""

from __future__ import annotations

import contextlib
import io
import math
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError

from services.engines.base import Address, Cancellation, File, Image, Instance, Recipe, Report, Spec
from services.engines.docker_build import Builder
from services.engines.docker_containers import (
    DECK,
    INSTANCE,
    OWNED,
    PORT,
    SHARED,
    USER,
    WORKSPACE,
    as_instance,
    creation,
    name_of,
    network_of,
    volume_of,
)
from services.engines.docker_daemon import ANSWER, Daemon
from services.engines.docker_images import Images
from services.engines.docker_streams import ContainerLogs, DaemonEvents
from services.errors import EngineTimeout, EngineUnavailable, NotFound, PortTaken, ServiceFailed
from services.words import say

_TRIES = 3
"""A free port that Docker chose may be taken before it listens: by a visitor's connection, for example."""


class DockerEngine:
    """`deck` keeps two dashboards on one daemon apart; `base_url` is found when None (see Daemon).

    `folder` has what the next dashboard must know of this one: builds that owe a clean-up, and which
    images are its own.
    """

    name = "docker"
    limits: tuple[str, ...] = ()

    def __init__(self, deck: str, folder: Path, base_url: str | None = None) -> None:
        self._deck = deck
        self._daemon = Daemon(base_url)
        self._images = Images(self._daemon)
        self._builder = Builder(self._daemon, self._images, folder)
        self._networks = threading.Lock()

    def version(self) -> str:
        try:
            with self._daemon.connected(ANSWER) as client:
                return str(client.version()["Version"]).partition("+")[0]
        except EngineTimeout as error:
            raise EngineUnavailable(
                say("Docker does not answer within %(answer)s s.", answer=format(ANSWER, ".0f"))
            ) from error

    def build(self, recipe: Recipe, report: Report, cancellation: Cancellation | None = None) -> Image:
        return self._builder.build(recipe, report, cancellation)

    def base(self, reference: str) -> Image | None:
        return self._images.inspect(reference, reference)

    def image(self, name: str) -> Image | None:
        return self._images.inspect(name, self._builder.versions.tag_of(name))

    def file(self, name: str, path: str) -> bytes:
        return self._images.read_file(name, path)

    def files(self, name: str) -> Iterator[File]:
        return self._images.read_files(name)

    def start(self, spec: Spec) -> Instance:
        with self._daemon.asked() as client:
            if not spec.sandbox:
                self._ensure_network(client, spec.workspace)
            self._ensure_folders(client, spec)
            image = self._builder.versions.tag_of(spec.image)
            arguments = creation(client, spec, self._deck, image, self._daemon.cpus(client))
        fixed = any(port.publish for port in spec.ports.values())
        for _ in range(_TRIES - 1):
            try:
                return self._run(arguments, spec)
            except PortTaken:
                if fixed:
                    raise
        return self._run(arguments, spec)

    def _run(self, arguments: dict[str, Any], spec: Spec) -> Instance:
        """Create and start; a container that did not start is removed."""
        with self._daemon.asked() as client:
            id = self._create(client, arguments, spec)
            try:
                for name in spec.folders:
                    client.put_archive(id, f"{SHARED}/{name}", _folder_of_the_program())
                client.start(id)
                return as_instance(client.inspect_container(id))
            except BaseException:
                _remove(client, id)
                raise

    def _create(self, client: docker.APIClient, arguments: dict[str, Any], spec: Spec) -> str:
        """Its id. Whether image and name are there to be had is not asked before: most often they are."""
        try:
            try:
                return str(client.create_container(**arguments)["Id"])
            except APIError as error:
                if error.status_code != 409:
                    raise
                self._make_room(client, spec)
                return str(client.create_container(**arguments)["Id"])
        except docker.errors.ImageNotFound as error:
            raise ServiceFailed(
                say("%(name)s was not built.", name=spec.image), hint=say("Build it, then launch again.")
            ) from error

    def _make_room(self, client: docker.APIClient, spec: Spec) -> None:
        """What is dead, or was created and never started, goes; what runs stays."""
        old = self._find(client, spec.workspace, spec.instance)
        if old and old["State"]["Running"]:
            raise ServiceFailed(
                say("%(instance)s runs already.", instance=spec.instance), hint=say("Stop it first.")
            )
        if old:
            _remove(client, old["Id"])

    def _ensure_network(self, client: docker.APIClient, workspace: str) -> None:
        name = network_of(self._deck, workspace)
        with self._networks:
            if not client.networks(names=[f"^{name}$"]):
                labels = {DECK: self._deck, WORKSPACE: workspace}
                client.create_network(name, driver="bridge", labels=labels)

    def _ensure_folders(self, client: docker.APIClient, spec: Spec) -> None:
        labels = {DECK: self._deck, WORKSPACE: spec.workspace}
        for name in spec.folders:
            client.create_volume(volume_of(self._deck, spec.workspace, name), labels=labels)

    def stop(self, workspace: str, instance: str, *, grace: float = 5.0) -> None:
        with self._daemon.asked() as client:
            found = self._find(client, workspace, instance)
            if found is None:
                return
            if found["State"]["Paused"]:
                client.unpause(found["Id"])  # a frozen program does not hear SIGTERM
            if grace > 0:
                with contextlib.suppress(APIError):  # 304 and 404: it ended by itself
                    client.stop(found["Id"], timeout=math.ceil(grace))
            _remove(client, found["Id"])

    def kill(self, workspace: str, instance: str) -> None:
        with self._daemon.asked() as client:
            try:
                client.kill(name_of(self._deck, workspace, instance))
            except APIError as error:
                if error.status_code not in (404, 409):  # gone, or dead already
                    raise

    def freeze(self, workspace: str, instance: str) -> None:
        with self._daemon.asked() as client:
            found = self._get_running(client, workspace, instance)
            if not found["State"]["Paused"]:
                client.pause(found["Id"])

    def thaw(self, workspace: str, instance: str) -> None:
        with self._daemon.asked() as client:
            found = self._get_running(client, workspace, instance)
            if found["State"]["Paused"]:
                client.unpause(found["Id"])

    def instances(self, workspace: str | None = None) -> list[Instance]:
        with self._daemon.asked() as client:
            found = [self._inspect(client, one["Id"]) for one in self._list(client, workspace)]
        known = [one for one in found if one and one["State"]["Status"] not in ("created", "removing")]
        return sorted(map(as_instance, known), key=lambda one: (one.workspace, one.instance))

    def logs(self, workspace: str, instance: str, after: str | None = None) -> ContainerLogs:
        with self._daemon.asked() as client:
            id, version = self._get(client, workspace, instance)["Id"], client.api_version
        return ContainerLogs(self._daemon, id, after, lambda: self._runs(id), version)

    def _runs(self, id: str) -> bool:
        with self._daemon.asked() as client:
            found = self._inspect(client, id)
        return bool(found and found["State"]["Running"])

    def watch(self) -> DaemonEvents:
        self._builder.tidy()
        return DaemonEvents(self._daemon, self._deck)

    def address(self, workspace: str, instance: str, port: str) -> Address:
        found, number = self._port(workspace, instance, port)
        for binding in found["NetworkSettings"]["Ports"].get(f"{number}/tcp") or ():
            return Address("127.0.0.1", int(binding["HostPort"]))
        raise NotFound(say("%(instance)s has no open port %(port)s.", instance=instance, port=port))

    def peer_address(self, workspace: str, instance: str, port: str) -> Address:
        found, number = self._port(workspace, instance, port)
        network = found["NetworkSettings"]["Networks"][network_of(self._deck, workspace)]
        return Address(network["IPAddress"], number)

    def _port(self, workspace: str, instance: str, port: str) -> tuple[dict[str, Any], int]:
        """The running container and the port's number inside; raises NotFound."""
        with self._daemon.asked() as client:
            found = self._get(client, workspace, instance)
        number = found["Config"]["Labels"].get(f"{PORT}{port}")
        if number is None or not found["State"]["Running"]:
            raise NotFound(say("%(instance)s has no open port %(port)s.", instance=instance, port=port))
        return found, int(number)

    def destroy(self, workspace: str) -> None:
        with self._daemon.asked() as client:
            for one in self._list(client, workspace):
                _remove(client, one["Id"])
            for network in client.networks(names=[f"^{network_of(self._deck, workspace)}$"]):
                client.remove_network(network["Id"])
            ours = {"label": [f"{DECK}={self._deck}", f"{WORKSPACE}={workspace}"]}
            for volume in client.volumes(filters=ours)["Volumes"] or ():
                client.remove_volume(volume["Name"])

    def close(self) -> None:
        self._daemon.close()

    def _list(self, client: docker.APIClient, workspace: str | None) -> list[dict[str, Any]]:
        labels = [f"{DECK}={self._deck}", INSTANCE, f"{WORKSPACE}={workspace}" if workspace else WORKSPACE]
        return list(client.containers(all=True, filters={"label": labels}))

    def _find(self, client: docker.APIClient, workspace: str, instance: str) -> dict[str, Any] | None:
        return self._inspect(client, name_of(self._deck, workspace, instance))

    def _get(self, client: docker.APIClient, workspace: str, instance: str) -> dict[str, Any]:
        found = self._find(client, workspace, instance)
        if found is None:
            raise NotFound(
                say("No instance %(instance)s in %(workspace)s.", instance=instance, workspace=workspace)
            )
        return found

    def _get_running(self, client: docker.APIClient, workspace: str, instance: str) -> dict[str, Any]:
        found = self._get(client, workspace, instance)
        if not found["State"]["Running"]:
            raise NotFound(say("%(instance)s does not run.", instance=instance))
        return found

    def _inspect(self, client: docker.APIClient, id: str) -> dict[str, Any] | None:
        try:
            return dict(client.inspect_container(id))
        except docker.errors.NotFound:
            return None


def _folder_of_the_program() -> bytes:
    """An archive with one empty folder of the user that containers run as; it may be unpacked twice."""
    folder = tarfile.TarInfo(OWNED)
    folder.type, folder.mode = tarfile.DIRTYPE, 0o700
    folder.uid, folder.gid = (int(number) for number in USER.split(":"))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(folder)
    return packed.getvalue()


def _remove(client: docker.APIClient, id: str) -> None:
    """With SIGKILL when it runs; removed already, or being removed, is success."""
    try:
        client.remove_container(id, v=True, force=True)
    except APIError as error:
        if error.status_code not in (404, 409):
            raise
