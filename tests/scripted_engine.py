"""An engine in memory whose programs are Python functions: for tests of what stands above the engines.

It passes `tests/contract` like the real ones. A test writes the play:

    engine = ScriptedEngine()
    engine.scripts["services"] = lambda program: program.say('{"kind": "replica.ready"}')   # runs at start
    engine.fail_next("start", PortTaken("Port 8080 is in use."))
    engine.program("demo", "replica-1").die(exit_code=1)
    engine.go_away()            # every call raises EngineUnavailable, watchers too, until come_back()
    later = engine.restarted()  # a new engine object that finds what runs
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from socket import create_server

from services.engines.base import (
    Address,
    Cancellation,
    Change,
    File,
    Image,
    Instance,
    LogLine,
    Recipe,
    Report,
    Spec,
)
from services.errors import (
    BuildCancelled,
    BuildFailed,
    EngineUnavailable,
    LabError,
    NotFound,
    PortTaken,
    ServiceFailed,
)


@dataclass
class World:
    """What outlives an engine object, as containers outlive the dashboard."""

    changed: threading.Condition = field(default_factory=threading.Condition)
    programs: dict[tuple[str, str], Program] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    away: bool = False
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))


class Program:
    """One started instance; `say` and `die` may be called from any thread, from scripts and from tests."""

    def __init__(self, world: World, spec: Spec, ports: dict[str, int]) -> None:
        self.world, self.spec, self.ports = world, spec, ports
        self.lines: list[LogLine] = []
        self.stopping = threading.Event()
        """Set when the engine asks the program to end; it dies right after."""
        self.awake = threading.Event()
        """Clear while it is frozen: a script that answers waits for it first."""
        self.awake.set()
        self.instance = Instance(
            spec.workspace,
            spec.service,
            spec.instance,
            id=f"scripted-{next(world.ids)}",
            running=True,
            started_at=datetime.now(UTC).isoformat(),
        )

    def say(self, *lines: str) -> None:
        """Write lines to the log."""
        with self.world.changed:
            for text in lines:
                self.lines.append(LogLine(text, str(len(self.lines) + 1)))
            self.world.changed.notify_all()

    def die(self, exit_code: int = 1, *, oom: bool = False) -> None:
        """End; a second time does nothing."""
        self.stopping.set()
        self.awake.set()
        with self.world.changed:
            if self.instance.running:
                self.instance = replace(self.instance, running=False, exit_code=exit_code, frozen=False)
                if oom:
                    self.tell("oom")
                self.tell("died")

    def tell(self, what: str) -> None:
        with self.world.changed:
            one = self.instance
            change = Change(one.workspace, one.service, one.instance, one.id, what, one.exit_code)  # type: ignore[arg-type]
            self.world.changes.append(change)
            self.world.changed.notify_all()


class Lines:
    """Both streams: a growing list from a place onwards, until done, closed or the engine is away."""

    def __init__(self, world: World, items: list, done: Callable[[], bool], start: int) -> None:
        self._world, self._items, self._done, self._place = world, items, done, start
        self._closed = False

    def __iter__(self) -> Iterator:
        while True:
            with self._world.changed:
                self._world.changed.wait_for(self._something)
                if self._closed:
                    return
                if self._world.away:
                    raise EngineUnavailable("The scripted engine is away.")
                if self._place >= len(self._items):
                    return
                item = self._items[self._place]
                self._place += 1
            yield item

    def _something(self) -> bool:
        return self._closed or self._world.away or self._place < len(self._items) or self._done()

    def close(self) -> None:
        with self._world.changed:
            self._closed = True
            self._world.changed.notify_all()


class ScriptedEngine:
    """See the module; `calls` records what was asked, as `("start", "demo", "replica-1")`."""

    name = "scripted"
    limits: tuple[str, ...] = ("Nothing really runs here.",)

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.scripts: dict[str, Callable[[Program], None]] = {}
        self.build_lines: dict[str, list[str]] = {}
        self.contents: dict[str, bytes] = {}
        """What `file` gives, by recipe."""
        self.bases: dict[str, Image] = {}
        """Images that the machine has."""
        self.calls: list[tuple[str, ...]] = []
        self._failures: dict[str, list[LabError]] = {}

    # What a test does to it

    def restarted(self) -> ScriptedEngine:
        """Another engine object on the same running programs."""
        later = ScriptedEngine(self.world)
        later.scripts, later.build_lines, later.contents = self.scripts, self.build_lines, self.contents
        return later

    def fail_next(self, call: str, error: LabError) -> None:
        """The next call of that name raises `error`, once."""
        self._failures.setdefault(call, []).append(error)

    def program(self, workspace: str, instance: str) -> Program:
        """The running or dead program; raises NotFound."""
        program = self.world.programs.get((workspace, instance))
        if program is None:
            raise NotFound(f"No instance {instance} in {workspace}.")
        return program

    def go_away(self) -> None:
        self._set_away(True)

    def come_back(self) -> None:
        self._set_away(False)

    def _set_away(self, away: bool) -> None:
        with self.world.changed:
            self.world.away = away
            self.world.changed.notify_all()

    def _called(self, *call: str) -> None:
        self.calls.append(call)
        if self.world.away:
            raise EngineUnavailable("The scripted engine is away.")
        if self._failures.get(call[0]):
            raise self._failures[call[0]].pop(0)

    # The contract

    def version(self) -> str:
        self._called("version")
        return "1"

    def build(self, recipe: Recipe, report: Report, cancellation: Cancellation | None = None) -> Image:
        """Report `build_lines[recipe name]`; `FAIL` fails, `WAIT` waits to be cancelled."""
        self._called("build", recipe.name)
        cancelled = threading.Event()
        with (cancellation or Cancellation()).wakes(cancelled.set):
            return self._build(recipe, report, cancelled)

    def _build(self, recipe: Recipe, report: Report, cancelled: threading.Event) -> Image:
        last = ""
        for line in self.build_lines.get(recipe.name, ["Step 1/1 : FROM nothing"]):
            if line == "FAIL":
                raise BuildFailed(f"{recipe.name} did not build: {last}")
            if line == "WAIT":
                cancelled.wait(30)
            if cancelled.is_set():
                raise BuildCancelled(f"The build of {recipe.name} was cancelled.")
            report(line)
            last = line
        self.world.images[recipe.name] = Image(recipe.name, f"labdeck/{recipe.name}:latest", 1000)
        return self.world.images[recipe.name]

    def base(self, reference: str) -> Image | None:
        self._called("base", reference)
        return self.bases.get(reference)

    def image(self, name: str) -> Image | None:
        self._called("image", name)
        return self.world.images.get(name)

    def file(self, name: str, path: str) -> bytes:
        self._called("file", name, path)
        if name not in self.world.images:
            raise NotFound(f"{name} was not built.")
        return self.contents.get(name, b"")

    def files(self, name: str) -> Iterator[File]:
        self._called("files", name)
        if name not in self.world.images:
            raise NotFound(f"{name} was not built.")
        return iter(())

    def start(self, spec: Spec) -> Instance:
        self._called("start", spec.workspace, spec.instance)
        if spec.image not in self.world.images:
            raise ServiceFailed(f"{spec.image} was not built.")
        with self.world.changed:
            old = self.world.programs.get((spec.workspace, spec.instance))
            if old and old.instance.running:
                raise ServiceFailed(f"{spec.instance} runs already.")
            ports = {name: self._port(port.publish) for name, port in spec.ports.items()}
            own = spec.told("127.0.0.1", ports)
            program = Program(self.world, replace(spec, environment={**spec.environment, **own}), ports)
            self.world.programs[spec.workspace, spec.instance] = program
            program.tell("started")
        self.scripts.get(spec.image, lambda _: None)(program)
        return program.instance

    def _port(self, publish: int) -> int:
        running = [program for program in self.world.programs.values() if program.instance.running]
        if publish and any(publish in program.ports.values() for program in running):
            raise PortTaken(f"Port {publish} of this machine is in use.")
        try:
            with create_server(("127.0.0.1", publish)) as free:
                return int(free.getsockname()[1])
        except OSError as error:
            raise PortTaken(f"Port {publish} of this machine is in use.") from error

    def stop(self, workspace: str, instance: str, *, grace: float = 5.0) -> None:
        self._called("stop", workspace, instance)
        program = self.world.programs.pop((workspace, instance), None)
        if program:
            program.die(exit_code=0)

    def kill(self, workspace: str, instance: str) -> None:
        self._called("kill", workspace, instance)
        if (workspace, instance) in self.world.programs:
            self.world.programs[workspace, instance].die(exit_code=137)

    def freeze(self, workspace: str, instance: str) -> None:
        self._called("freeze", workspace, instance)
        self._set_frozen(workspace, instance, True)

    def thaw(self, workspace: str, instance: str) -> None:
        self._called("thaw", workspace, instance)
        self._set_frozen(workspace, instance, False)

    def _set_frozen(self, workspace: str, instance: str, frozen: bool) -> None:
        program = self.program(workspace, instance)
        if not program.instance.running:
            raise NotFound(f"{instance} does not run.")
        program.instance = replace(program.instance, frozen=frozen)
        if frozen:
            program.awake.clear()
        else:
            program.awake.set()

    def instances(self, workspace: str | None = None) -> list[Instance]:
        self._called("instances")
        with self.world.changed:
            everything = [program.instance for program in self.world.programs.values()]
        return [one for one in everything if workspace in (None, one.workspace)]

    def logs(self, workspace: str, instance: str, after: str | None = None) -> Lines:
        self._called("logs", workspace, instance)
        program = self.program(workspace, instance)
        return Lines(
            self.world,
            program.lines,
            lambda: not program.instance.running,
            int(after or 0),
        )

    def watch(self) -> Lines:
        self._called("watch")
        return Lines(self.world, self.world.changes, lambda: False, len(self.world.changes))

    def address(self, workspace: str, instance: str, port: str) -> Address:
        self._called("address", workspace, instance, port)
        program = self.program(workspace, instance)
        if not program.instance.running or port not in program.ports:
            raise NotFound(f"{instance} has no open port {port}.")
        return Address("127.0.0.1", program.ports[port])

    def peer_address(self, workspace: str, instance: str, port: str) -> Address:
        return self.address(workspace, instance, port)

    def destroy(self, workspace: str) -> None:
        self._called("destroy", workspace)
        for one in self.instances(workspace):
            self.stop(workspace, one.instance)

    def close(self) -> None:
        self.calls.append(("close",))
