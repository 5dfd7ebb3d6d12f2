"""The engine for a Linux machine without Docker: processes, found again after a restart in a state folder."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from services.engines import local_build, local_processes
from services.engines.base import Address, Cancellation, File, Image, Instance, Recipe, Report, Spec
from services.engines.local_files import Files, Program, Record, files_as_engine
from services.engines.local_ports import claim
from services.engines.local_streams import LocalChanges, OutputStream, Watchers
from services.errors import EngineUnavailable, NotFound, ServiceFailed
from services.words import say


class LocalEngine:
    """Every instance is a process of the dashboard's own user; see `limits` for what that means."""

    name = "local"
    limits: tuple[str, ...] = (
        say(
            "Services are ordinary processes of this user, not containers: they see this "
            "machine's files, network and other processes."
        ),
        say(
            "Memory is limited for each process (RLIMIT_DATA), open files and core dumps too; "
            "processor time and the number of processes are not."
        ),
        say(
            "A process that needs more memory than it may have fails by itself: nobody reports "
            "`out of memory`."
        ),
        say(
            "There are no images: Go is compiled on this machine, Python runs with the dashboard's packages."
        ),
    )

    def __init__(self, folder: Path) -> None:
        self._files = Files(folder)
        self._children = local_processes.Children()
        self._watchers = Watchers()
        self._starting = threading.Lock()
        """Held from the choice of a port until it is written down."""

    def version(self) -> str:
        if sys.platform != "linux":
            raise EngineUnavailable(
                say("The local engine needs Linux."), hint=say("Start Docker on this machine.")
            )
        return f"Linux {platform.release().split('-')[0]}"

    def build(self, recipe: Recipe, report: Report, cancellation: Cancellation | None = None) -> Image:
        with files_as_engine():
            return local_build.build(recipe, self._files, report, cancellation).as_image()

    def base(self, reference: str) -> Image | None:
        return None

    def image(self, name: str) -> Image | None:
        program = self._files.program(name)
        return program.as_image() if program else None

    def file(self, name: str, path: str) -> bytes:
        program = self._files.program(name)
        if program is None:
            raise NotFound(say("%(name)s was not built.", name=name))
        with files_as_engine():
            return Path(program.arguments[0]).read_bytes()

    def files(self, name: str) -> Iterator[File]:
        if self._files.program(name) is None:
            raise NotFound(say("%(name)s was not built.", name=name))
        return iter(())

    def start(self, spec: Spec) -> Instance:
        program = self._files.program(spec.image)
        if program is None:
            raise ServiceFailed(
                say("%(image)s was not built.", image=spec.image), hint=say("Build it, then launch again.")
            )
        with self._starting, files_as_engine():
            self._make_room(spec)
            record = self._start(spec, program)
        self._watchers.notify()
        return self._instance(record)

    def _make_room(self, spec: Spec) -> None:
        """A dead one of the same name goes, a running one stays."""
        old = self._files.record(spec.workspace, spec.instance)
        if old and local_processes.lives(old.mark):
            raise ServiceFailed(
                say("%(instance)s runs already.", instance=spec.instance), hint=say("Stop it first.")
            )
        if old:
            self._remove(old)

    def _start(self, spec: Spec, program: Program) -> Record:
        ports = self._claim_ports(spec)
        scratch = tempfile.mkdtemp(prefix="labdeck-")
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        mark = local_processes.Mark.of_nothing_yet()
        record = Record(spec.workspace, spec.service, spec.instance, now, ports, scratch, mark)
        # Written before the process is there: when this dashboard is killed in between, the next finds it.
        self._files.open_place(record)
        try:
            return self._run(record, spec, program)
        except Exception:
            self._remove(record)
            raise

    def _run(self, record: Record, spec: Spec, program: Program) -> Record:
        folders = {
            variable: self._files.shared(spec.workspace, name) for name, variable in spec.folders.items()
        }
        environment = _environment(spec, program, record.ports, record.scratch) | folders
        arguments = (*program.arguments, *spec.command)
        output = self._files.output(spec.workspace, spec.instance)
        mark = self._children.start(record.mark.id, arguments, program.folder, environment, output)
        local_processes.limit(mark.pid, spec.limits)
        started = replace(record, mark=mark)
        self._files.keep_record(started)
        return started

    def _claim_ports(self, spec: Spec) -> dict[str, int]:
        running = [record for record in self._files.records() if local_processes.lives(record.mark)]
        in_use = {port for record in running for port in record.ports.values()}
        ports: dict[str, int] = {}
        for name, port in spec.ports.items():
            whose = f"{self._files.folder}/{spec.workspace}/{spec.instance}/{name}"
            ports[name] = claim(port.publish, in_use | set(ports.values()), whose)
        return ports

    def stop(self, workspace: str, instance: str, *, grace: float = 5.0) -> None:
        record = self._files.record(workspace, instance)
        if record:
            local_processes.end(record.mark, grace)
            self._watchers.notify()
            self._remove(record)

    def kill(self, workspace: str, instance: str) -> None:
        record = self._files.record(workspace, instance)
        if record:
            local_processes.kill(record.mark)
            self._watchers.notify()

    def freeze(self, workspace: str, instance: str) -> None:
        local_processes.freeze(self._running(workspace, instance).mark)

    def thaw(self, workspace: str, instance: str) -> None:
        local_processes.thaw(self._running(workspace, instance).mark)

    def _running(self, workspace: str, instance: str) -> Record:
        record = self._record(workspace, instance)
        if not local_processes.lives(record.mark):
            raise NotFound(say("%(instance)s does not run.", instance=instance))
        return record

    def _remove(self, record: Record) -> None:
        """What the program left running goes with it."""
        local_processes.kill(record.mark)
        self._children.reap(record.mark)
        self._children.forget(record.mark)
        self._files.forget(record.workspace, record.instance)

    def instances(self, workspace: str | None = None) -> list[Instance]:
        with self._starting:  # what is half started would look dead
            records = self._files.records(workspace)
        return [self._instance(record) for record in records]

    def _instance(self, record: Record) -> Instance:
        running = local_processes.lives(record.mark)
        return Instance(
            record.workspace,
            record.service,
            record.instance,
            record.mark.id,
            running,
            record.started_at,
            exit_code=None if running else self._children.reap(record.mark),
            frozen=running and local_processes.is_frozen(record.mark),
        )

    def logs(self, workspace: str, instance: str, after: str | None = None) -> OutputStream:
        record = self._record(workspace, instance)
        output = self._files.output(workspace, instance)
        return OutputStream(output, after, lambda: local_processes.lives(record.mark))

    def watch(self) -> LocalChanges:
        return LocalChanges(self.instances, self._watchers)

    def address(self, workspace: str, instance: str, port: str) -> Address:
        record = self._record(workspace, instance)
        if port not in record.ports or not local_processes.lives(record.mark):
            raise NotFound(say("%(instance)s has no open port %(port)s.", instance=instance, port=port))
        return Address("127.0.0.1", record.ports[port])

    def peer_address(self, workspace: str, instance: str, port: str) -> Address:
        """The same: without containers, peers are on the same loopback."""
        return self.address(workspace, instance, port)

    def _record(self, workspace: str, instance: str) -> Record:
        record = self._files.record(workspace, instance)
        if record is None:
            raise NotFound(
                say("No instance %(instance)s in %(workspace)s.", instance=instance, workspace=workspace)
            )
        return record

    def destroy(self, workspace: str) -> None:
        for record in self._files.records(workspace):
            self.stop(workspace, record.instance, grace=1.0)
        self._files.forget_workspace(workspace)

    def close(self) -> None:
        """Nothing is held but open files of streams, which their readers close."""


def _environment(spec: Spec, program: Program, ports: Mapping[str, int], scratch: str) -> dict[str, str]:
    """Only what a program needs: the dashboard's own environment holds its token."""
    beside_python = str(Path(sys.executable).parent)
    return {
        "PATH": os.pathsep.join((beside_python, os.environ.get("PATH", os.defpath))),
        "HOME": scratch,
        "TMPDIR": scratch,
        "LANG": "C.UTF-8",
        "PYTHONPATH": program.folder,
        **spec.environment,
        **spec.told("127.0.0.1", ports),
    }
