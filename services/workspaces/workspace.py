"""One isolated lab environment: its log, its services, its labs."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeVar, cast

from services.engines.base import Cancellation, Change, Engine, Image, Instance, Recipe, Spec
from services.errors import LabError, ServiceFailed
from services.events.log import EventLog, Patch
from services.events.store import Store
from services.settings import Settings
from services.words import say, together
from services.workspaces.control import ControlPort
from services.workspaces.jobs import Ending, Lane
from services.workspaces.tail import Line, Tail

_POLL = 0.02
_REMEMBERED_ENDS = 200


class Lab(Protocol):
    """What a workspace asks of a lab that lives in it."""

    name: ClassVar[str]
    fresh: ClassVar[Mapping[str, Any]]
    """The lab's part of the state before anything happened."""
    speaks: ClassVar[bool]
    """True when its services write events as JSON lines; the output of others is only ever text."""

    def __init__(self, workspace: Workspace) -> None: ...

    def owns(self, service: str) -> bool:
        """True for the services that this lab starts."""

    def translate(self, line: Line) -> Patch | None:
        """The patch of a line that a service of the lab wrote; None drops the line."""

    def explain(self, line: Line) -> Line:
        """The line with what the program that wrote it could not know; most stay as they are."""

    def died(self, instance: Instance | Change, last_words: str) -> None:
        """Record that a service ended without being asked to."""

    def restore(self, found: Mapping[str, Instance]) -> None:
        """After a restart of the dashboard: take over what runs, finish what was interrupted.

        `found` has the lab's instances, running or dead.
        """

    def snapshot(self, state: dict[str, Any]) -> dict[str, Any]:
        """The lab's part of the answer to GET; `state` is a copy that may be changed."""

    def clear(self) -> None:
        """Forget everything that is kept in memory; called when all services are gone."""


L = TypeVar("L", bound=Lab)


def control_key(secret: bytes, workspace: str) -> str:
    """What the programs of a workspace are asked with; the same after a restart of the dashboard."""
    return hmac.new(secret, f"control {workspace}".encode(), hashlib.sha256).hexdigest()


class Workspace:
    """Everything of one name: `demo` always exists."""

    def __init__(
        self,
        name: str,
        engine: Engine,
        settings: Settings,
        store: Store,
        secret: bytes,
        labs: Sequence[type[Lab]],
        engine_facts: Callable[[], Mapping[str, Any]],
    ) -> None:
        self.name = name
        self.engine = engine
        self.settings = settings
        self.store = store
        self._engine_facts = engine_facts
        self.control_key = control_key(secret, name)
        fresh = {"jobs": {}} | {key: value for lab in labs for key, value in lab.fresh.items()}
        self.log = EventLog(name, store, fresh)
        self._lanes = {lab.name: Lane(self.log, lab.name) for lab in labs}
        self._tails: dict[str, Tail] = {}
        self._controls: dict[str, ControlPort] = {}
        self._ends: deque[str] = deque(maxlen=_REMEMBERED_ENDS)
        self._short_of_memory: deque[str] = deque(maxlen=_REMEMBERED_ENDS)
        self._restored = False
        self._lock = threading.RLock()
        self._labs = {lab: lab(self) for lab in labs}

    def lab(self, kind: type[L]) -> L:
        """The lab of that kind."""
        return cast(L, self._labs[kind])

    def snapshot(self) -> dict[str, Any]:
        """The state for `GET /api/workspaces/<name>`, with `seq`, the last event that it includes."""
        seq, state = self.log.look()
        for lab in self._labs.values():
            state |= lab.snapshot(state)
        limits = {"max_replicas": self.settings.max_replicas, "max_visitors": self.settings.max_visitors}
        engine = dict(self._engine_facts())
        return {"workspace": self.name, "seq": seq, "engine": engine} | state | {"limits": limits}

    def events(
        self, after: int = 0, limit: int = 1000, source: str | None = None, kind: str | None = None
    ) -> list[dict[str, Any]]:
        """Events after `after`, ascending; a kind that ends in `.` means all kinds below it."""
        return [event.as_dict() for event in self.log.read(after, limit, source, kind)]

    def tail(self, count: int) -> list[dict[str, Any]]:
        """The newest `count` events, ascending."""
        return [event.as_dict() for event in self.log.tail(count)]

    # what labs use

    def submit(
        self,
        lab: Lab,
        name: str,
        work: Callable[[], None],
        *,
        text: str,
        failed: Callable[[LabError], None],
        by: str | None = None,
    ) -> str:
        """Queue `work` behind what this lab does already; the job's id. It is on disk at return."""
        return self._lanes[lab.name].submit(f"{lab.name}.{name}", work, text=text, failed=failed, by=by)

    def ending(self, lab: Lab) -> Ending | None:
        """Why the job that this lab does should end soon; None when it may take its time."""
        return self._lanes[lab.name].ending

    def build(
        self, recipe: Recipe, report: Callable[[str], None], cancellation: Cancellation | None = None
    ) -> Image:
        """Make an image; each line of the builder goes to `report`.

        Raises BuildCancelled also when everything of the workspace is to be removed.
        """
        cancellation = cancellation or Cancellation()
        with contextlib.ExitStack() as stack:
            if dropping := next(filter(None, (lane.dropping for lane in self._lanes.values())), None):
                stack.enter_context(dropping.wakes(cancellation.ask))
            return self.engine.build(recipe, report, cancellation)

    def start(self, spec: Spec) -> Instance:
        """Start a service and follow what it writes."""
        self.forget(spec.instance)
        instance = self.engine.start(spec)
        self._follow(instance)
        return instance

    def adopt(self, instance: Instance) -> None:
        """Follow a service that an earlier dashboard started, from where that one stopped reading."""
        if instance.instance not in self._tails:
            self._follow(instance)

    def stop(self, name: str, *, grace: float = 5.0) -> None:
        """End a service and remove it; its last words are read first."""
        with self._ending(name):
            self.engine.stop(self.name, name, grace=grace)
        self.forget(name)

    def kill(self, name: str) -> None:
        """SIGKILL; the dead one stays to be seen."""
        with self._ending(name):
            self.engine.kill(self.name, name)

    def forget(self, name: str) -> None:
        """Stop following a service and let go of its control port."""
        with self._lock:
            tail, control = self._tails.pop(name, None), self._controls.pop(name, None)
        if tail:
            tail.finish()
            tail.close()
        if control:
            control.close()

    def alive(self) -> dict[str, Instance]:
        """What runs now, by name."""
        return {each.instance: each for each in self.engine.instances(self.name) if each.running}

    def control(self, name: str) -> ControlPort:
        """The control port of a running service."""
        with self._lock:
            if name not in self._controls:
                address = self.engine.address(self.name, name, "control")
                inside = self.engine.peer_address(self.name, name, "control")
                self._controls[name] = ControlPort(name, address, self.control_key, inside)
            return self._controls[name]

    def wait_ready(self, name: str, probe: Callable[[], object], seconds: float = 20.0) -> None:
        """Return when `probe` raises no LabError; raises ServiceFailed when it dies or time is up."""
        deadline = time.monotonic() + seconds
        look_again = 0.0
        while True:
            try:
                probe()
                return
            except LabError as error:
                if time.monotonic() > look_again:
                    look_again = time.monotonic() + 0.5
                    self._check_alive(name)
                if time.monotonic() > deadline:
                    raise ServiceFailed(
                        say(
                            "%(name)s was not ready after %(seconds)s s: %(message)s",
                            name=name,
                            seconds=format(seconds, ".0f"),
                            message=error.message,
                        )
                    ) from error
            time.sleep(_POLL)

    # what the house uses

    def changed(self, change: Change) -> None:
        """Take note of what the engine saw; an end that was asked for is none of our business."""
        tail = self._tails.get(change.instance)
        if (
            change.what == "started"
            or change.id in self._ends
            or tail is None
            or tail.instance.id != change.id
        ):
            return
        if change.what == "oom":
            self._short_of_memory.append(change.id)
            return
        self._ends.append(change.id)
        tail.finish()
        words = tail.last_lines[-1] if tail.last_lines else ""
        if change.id in self._short_of_memory:
            words = f"It needed more memory than it may have. {words}"
        self._lab_of(change.service).died(change, words)

    def restore(self) -> None:
        """Wanted against actual: take over what runs, note what died, remove what nobody wants."""
        found = self.engine.instances(self.name)
        for each in found:
            if not any(lab.owns(each.service) for lab in self._labs.values()):
                self.engine.stop(self.name, each.instance)
        jobs = dict.fromkeys(self.log.at("jobs") or {})
        words = ", ".join(sorted(each.instance for each in found if each.running)) or "nothing runs"
        self.log.record(
            "dashboard",
            "workspace.adopted",
            f"The dashboard looks after {self.name}: {words}.",
            patch={"jobs": jobs},
        )
        for lab in self._labs.values():
            lab.restore({each.instance: each for each in found if lab.owns(each.service)})
        self._restored = True

    def check(self) -> None:
        """Note what died while nobody watched, and listen again to what lives."""
        if not self._restored:
            return self.restore()
        alive = {each.id: each for each in self.engine.instances(self.name) if each.running}
        for tail in list(self._tails.values()):
            each = tail.instance
            if each.id not in alive:
                self.changed(Change(each.workspace, each.service, each.instance, each.id, "died"))
            elif tail.ended:
                self._follow(each)
        return None

    def reset(self) -> str:
        """Remove everything of this workspace, then begin afresh; the job's id.

        What waits is dropped, and a build is cancelled.
        """
        for lane in self._lanes.values():
            lane.drop()
        lab = next(iter(self._labs.values()))
        return self.submit(
            lab, "reset", self._reset, text=f"Remove everything of {self.name}.", failed=lambda error: None
        )

    def close(self) -> None:
        """Let go; what runs goes on running."""
        for lane in self._lanes.values():
            lane.close()
        for name in list(self._tails):
            self._tails[name].close()
        for control in self._controls.values():
            control.close()
        self.log.close()

    def _reset(self) -> None:
        """Runs in the first lane, while the others stand still."""
        with contextlib.ExitStack() as stack:
            for lane in list(self._lanes.values())[1:]:
                stack.enter_context(lane.held())
            for name in list(self._tails):
                stack.enter_context(self._ending(name))
            self.engine.destroy(self.name)
            for name in list(self._tails):
                self.forget(name)
            for lab in self._labs.values():
                lab.clear()
            self.log.clear()
            self.log.record("dashboard", "workspace.reset", f"{self.name} begins afresh.")

    def _follow(self, instance: Instance) -> None:
        lab = self._lab_of(instance.service)
        translate = lab.translate if lab.speaks else None
        with self._lock:
            self._tails[instance.instance] = Tail(self.engine, self.log, instance, translate, lab.explain)

    def _lab_of(self, service: str) -> Lab:
        return next(lab for lab in self._labs.values() if lab.owns(service))

    @contextlib.contextmanager
    def _ending(self, name: str) -> Iterator[None]:
        """An end in here was asked for; when it could not be done, a later one is news again."""
        tail = self._tails.get(name)
        if tail:
            self._ends.append(tail.instance.id)
        try:
            yield
        except BaseException:
            if tail and tail.instance.id in self._ends:
                self._ends.remove(tail.instance.id)
            raise

    def _check_alive(self, name: str) -> None:
        """Raise ServiceFailed, in the service's own words where it left some, when it is dead."""
        if name in self.alive():
            return
        tail = self._tails.get(name)
        if tail:
            tail.finish()
        said = tail.last_error if tail else None
        if said:
            failure = ServiceFailed(f"{name}: {said.get('message', 'failed')}", hint=said.get("hint"))
            failure.kind = said.get("kind", failure.kind)
            raise failure
        words = " ".join(tail.last_lines) if tail else ""
        raise ServiceFailed(together(say("%(name)s ended before it was ready.", name=name), words))
