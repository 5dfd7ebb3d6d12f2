"""The contract between Labdeck and whatever runs its services."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

Report = Callable[[str], None]
"""Takes one line of a builder's output, without its line end."""

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
"""What workspaces, instances and recipes may be called: they become folders, containers and image tags."""


@dataclass(frozen=True)
class Recipe:
    """How a program is made: by a Dockerfile where there are containers, by `language` where not."""

    name: str
    """Image name, such as `hello-go` or `services`."""
    context: Path
    """Folder that holds the Dockerfile and what it copies."""
    language: Literal["go", "python", "dotnet"]
    """Without containers: `go` and `dotnet` are compiled in `context`; `python` runs there, by the
    dashboard's Python."""
    target: str | None = None
    """Stage of the Dockerfile; None is the last one."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Build arguments, such as the base images; GOOS, GOARCH, GOARM, BUILDMODE, LDFLAGS on any engine."""
    ready: str = ""
    """What somebody made already, taken instead of a build: the tag of an image where there are containers,
    the path of a program where not."""
    sources: str = ""
    """Hash of what it is made from, where that is code of ours. Dashboards of other code build other images
    under the same name: each starts its own. An image that was loaded, not built here, and carries the same
    hash is taken as it is: where it was carried to, nothing may be reachable that a build needs."""

    def __post_init__(self) -> None:
        _check_name(self.name)


@dataclass(frozen=True)
class Layer:
    """One layer of an image, oldest first."""

    made_by: str
    """The instruction, as the builder words it."""
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Image:
    """What `build` made."""

    name: str
    """The recipe's name; goes into `Spec.image`."""
    tag: str
    """What a person would type: `labdeck/hello-go:latest`, or the path of a binary."""
    size: int
    """Bytes; 0 where nothing had to be made."""
    layers: tuple[Layer, ...] = ()
    """Empty where there are no images."""
    stand_in: bool = False
    """Made on a stand-in for the real base (label `labdeck.stand-in`), so its size is not the real one."""
    id: str = ""
    """Another one when something in it differs; empty where there are no images."""
    user: str = ""
    """Whom its program runs as unless told otherwise; empty is root."""


@dataclass(frozen=True)
class File:
    """One entry of an image's file system that is no folder."""

    path: str
    """From the root, without a slash before it."""
    mode: int
    """Permission bits, setuid among them."""
    size: int
    link: str | None = None
    """Where it leads, when it is a symbolic link."""


class Cancellation:
    """Ends a build from another thread: `ask` may come before, while or after the build runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = False
        self._act: Callable[[], None] | None = None

    @property
    def asked(self) -> bool:
        return self._asked

    def ask(self) -> None:
        """Call what the builder gave to be woken by, at most once."""
        with self._lock:
            self._asked, act, self._act = True, self._act, None
        if act:
            act()

    @contextlib.contextmanager
    def wakes(self, act: Callable[[], None]) -> Iterator[None]:
        """Within the block, `ask` calls `act`; at once when it was asked before."""
        with self._lock:
            self._act = None if self._asked else act
        if self._asked:
            act()
        try:
            yield
        finally:
            with self._lock:
                self._act = None


@dataclass(frozen=True)
class Port:
    """A port that a service listens on."""

    number: int
    """Inside a container. The local engine chooses a free loopback port when `publish` is 0."""
    publish: int = 0
    """Port on this machine's loopback; 0 means any free one. Taken: `start` raises PortTaken."""
    variable: str = ""
    """For a program that is not ours: the variable in which it looks for the number alone."""


@dataclass(frozen=True)
class Limits:
    """What one instance may use. Swap is never allowed on top."""

    memory: int = 256 * 1024 * 1024
    """Bytes."""
    cpus: float = 1.0
    pids: int = 128


@dataclass(frozen=True)
class Spec:
    """One instance to be started.

    The program finds where to listen in `LAB_LISTEN_<PORT NAME>` (`host:port`, one a port), and its
    own names in `LAB_WORKSPACE` and `LAB_INSTANCE`; the engine adds these to `environment`.
    """

    workspace: str
    service: str
    instance: str
    """Unique in its workspace: `hello-go`, `balancer`, `visitors`, `replica-1`."""
    image: str
    """Name of a recipe that was built before."""
    command: tuple[str, ...] = ()
    """Arguments to the image's program: for python `("-m", "services.circuit")`."""
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, Port] = field(default_factory=dict)
    """By name: `public`, `control`."""
    limits: Limits = Limits()
    host_variable: str = ""
    """For a program that is not ours: the variable in which it looks for the address to listen on."""
    folders: Mapping[str, str] = field(default_factory=dict)
    """Folders that instances of the workspace share, and that outlive each of them: name → the variable in
    which the program finds the path. The program may write there."""
    sandbox: bool = False
    """For what is not to be trusted: no network but its own loopback, and TMPDIR may hold programs.

    A container gets exactly that. A process has its TMPDIR anyway, and must leave the network by itself.
    """

    def __post_init__(self) -> None:
        _check_name(self.workspace)
        _check_name(self.instance)
        for name in self.folders:
            _check_name(name)

    def told(self, host: str, ports: Mapping[str, int]) -> dict[str, str]:
        """What the engine adds to `environment`, for a program that listens on these."""
        return {
            "LAB_WORKSPACE": self.workspace,
            "LAB_INSTANCE": self.instance,
            **{f"LAB_LISTEN_{name.upper()}": f"{host}:{number}" for name, number in ports.items()},
            **{port.variable: str(ports[name]) for name, port in self.ports.items() if port.variable},
            **({self.host_variable: host} if self.host_variable else {}),
        }


def _check_name(name: str) -> None:
    """Names are made by the dashboard, never by a visitor, so a wrong one is a mistake of ours."""
    if not NAME.fullmatch(name):
        raise ValueError(f"not a name that an engine takes: {name!r}")


@dataclass(frozen=True)
class Instance:
    """One started service as the engine knows it now, running or dead."""

    workspace: str
    service: str
    instance: str
    id: str
    """The engine's own id; another start of the same instance has another id."""
    running: bool
    started_at: str
    """UTC, ISO 8601."""
    exit_code: int | None = None
    """None while it runs, and where the engine cannot know it."""
    frozen: bool = False
    """It runs, but gets no processor time until it is thawed."""


@dataclass(frozen=True)
class Address:
    """Where a port is reached."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@dataclass(frozen=True)
class LogLine:
    """One line a service wrote, and where to read on after it."""

    text: str
    cursor: str
    """Opaque; give it to `logs(after=...)` to get what came after this line, each line once."""


@dataclass(frozen=True)
class Change:
    """Something that happened to an instance, whoever did it."""

    workspace: str
    service: str
    instance: str
    id: str
    what: Literal["started", "died", "oom"]
    exit_code: int | None = None


class LogStream(Protocol):
    """Blocks for the next line; ends when the instance has died and all was read, or at `close()`."""

    def __iter__(self) -> Iterator[LogLine]: ...

    def close(self) -> None:
        """End the iteration from another thread; never raises, may be called twice."""


class ChangeStream(Protocol):
    """Blocks for the next change; ends at `close()`, raises EngineUnavailable when the engine goes."""

    def __iter__(self) -> Iterator[Change]: ...

    def close(self) -> None:
        """End the iteration from another thread; never raises, may be called twice."""


class Engine(Protocol):
    """Runs services. Every call has a deadline of its own; the errors are those of `services.errors`."""

    name: str
    limits: tuple[str, ...]
    """What a learner must know that this engine does not do; empty for containers."""

    def version(self) -> str:
        """The engine's version; raises EngineUnavailable when it does not answer within 3 s."""

    def build(self, recipe: Recipe, report: Report, cancellation: Cancellation | None = None) -> Image:
        """Make the image, line by line to `report`, or take the ready one.

        Raises BuildFailed, EngineUnavailable.

        Colours stay in the lines, as escape sequences. With nothing changed since the last build it takes
        about a second, so build before each launch. Cancelled, it raises BuildCancelled; then and when it
        fails nothing of it is left, and what an earlier build made stays.
        """

    def base(self, reference: str) -> Image | None:
        """Somebody else's image by its own name (`alpine:3.23`), if it is on this machine; never fetched."""

    def image(self, name: str) -> Image | None:
        """What an earlier build of that recipe made; None if there is none.

        `<recipe>:<stage>` is a named stage of its Dockerfile; None where there are no images.
        """

    def file(self, name: str, path: str) -> bytes:
        """A file of what an earlier build made, `path` counted from the root of its image.

        Where there are no images the file is the binary. Raises NotFound.
        """

    def files(self, name: str) -> Iterator[File]:
        """Everything in the file system of an image that an earlier build made, in no particular order.

        Nothing where there are no images. Raises NotFound.
        """

    def start(self, spec: Spec) -> Instance:
        """Start it, replacing a dead one of the same name.

        Raises PortTaken, ServiceFailed (not built, or a running one has the name), EngineUnavailable.
        """

    def stop(self, workspace: str, instance: str, *, grace: float = 5.0) -> None:
        """SIGTERM, after `grace` seconds SIGKILL, then remove it; already gone is success."""

    def kill(self, workspace: str, instance: str) -> None:
        """SIGKILL and leave the dead one to be seen (`running` false); already gone is success."""

    def freeze(self, workspace: str, instance: str) -> None:
        """Stop it in its place with all that it started; memory, ports and connections stay.

        It can still be stopped and killed. Frozen already is success; raises NotFound when none runs.
        """

    def thaw(self, workspace: str, instance: str) -> None:
        """Let a frozen one go on; one that is not frozen is success. Raises NotFound when none runs."""

    def instances(self, workspace: str | None = None) -> list[Instance]:
        """Everything of Labdeck's that runs or lies dead, in one workspace or in all."""

    def logs(self, workspace: str, instance: str, after: str | None = None) -> LogStream:
        """What the current instance writes (both outputs), from `after` (None: from its start) and onwards.

        Raises NotFound when there is no such instance. A cursor belongs to one start: after another start
        of the same name (another `Instance.id`) begin with None. The stream raises EngineUnavailable when
        the engine goes. Output that was already read may be dropped when there is much of it.
        """

    def watch(self) -> ChangeStream:
        """Changes of every workspace from now on; a stop is told as `died` too."""

    def address(self, workspace: str, instance: str, port: str) -> Address:
        """Where the dashboard reaches the port of a running instance; raises NotFound."""

    def peer_address(self, workspace: str, instance: str, port: str) -> Address:
        """Where services of the same workspace reach it: a numeric address; raises NotFound."""

    def destroy(self, workspace: str) -> None:
        """Remove every instance of the workspace, its network, its files and shared folders; images stay."""

    def close(self) -> None:
        """Let go of connections; what runs goes on running."""
