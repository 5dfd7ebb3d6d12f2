"""The replicas: as many as asked for, each with its own phase, and the balancer told of those that serve."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from services.affinity_lab.asker import ASKED, By
from services.affinity_lab.patches import memory_gone
from services.affinity_lab.programs import Programs
from services.errors import LabError, ServiceFailed
from services.words import say, together
from services.workspaces.workspace import Workspace

THERE = ("running", "frozen")
"""Phases in which it holds its memory."""
_EMPTY = {"connections": 0, "circuits": 0, "draining": False, "error": None, "healthy": None}


def replica_names(count: int) -> list[str]:
    """`replica-1` to `replica-<count>`."""
    return [f"replica-{number}" for number in range(1, count + 1)]


def in_order(names: Iterable[str]) -> list[str]:
    """Sorted by number, so that replica-10 comes after replica-9."""
    return sorted(names, key=lambda name: int(name.rpartition("-")[2]))


class Replicas:
    """The replicas of one workspace; all changes are made by the lab's one job worker."""

    def __init__(self, workspace: Workspace, programs: Programs) -> None:
        self._workspace = workspace
        self._log = workspace.log
        self._programs = programs

    def known(self) -> dict[str, dict[str, Any]]:
        """All replicas by name, also those that are stopped or failed."""
        return self._log.at("replicas") or {}

    def serving(self) -> list[str]:
        """Those that may get visitors: of a frozen one the balancer has to find out by itself."""
        known = self.known()
        return [
            name
            for name in in_order(known)
            if known[name].get("phase") in THERE and not known[name].get("draining")
        ]

    def stale(self) -> list[str]:
        """Those that run with other settings than they should: a change of them was interrupted."""
        wanted = self._programs.settings_text()
        return [
            name
            for name, replica in self.known().items()
            if replica.get("phase") in THERE and replica.get("started_with", wanted) != wanted
        ]

    def start(self, names: list[str], by: By | None = None) -> None:
        """Start these and wait until all answer; raises the first error after noting it on its replica."""
        for name in names:
            text, data = f"Starting {name}{_asked(by)}.", _by(by)
            change = {"phase": "starting", "started_with": self._programs.settings_text()} | _EMPTY
            self._say("replica.starting", name, text, change, data=data)
            self._try(name, lambda name=name: self._start(name))
        for name in names:
            self._try(name, lambda name=name: self._programs.wait_ready(name))
            self._say("replica.started", name, f"{name} answers.", {"phase": "running"})

    def stop(self, names: Iterable[str], by: By | None = None) -> None:
        """Stop these and forget them."""
        for name in names:
            text = f"Stopping {name}{_asked(by)}."
            self._say("replica.stopping", name, text, {"phase": "stopping"}, data=_by(by))
            self._programs.stop(name)
            self._gone("replica.stopped", name, f"{name} is stopped; its memory is gone.", None)

    def retire(self, names: Iterable[str], by: By) -> None:
        """Mark those that are to go, so that the balancer sends nobody there any more."""
        for name in names:
            text = f"{name} takes no new visitors, {ASKED[by]}."
            going = {"draining": True, "phase": "stopping"}
            self._say("replica.draining", name, text, going, data={"by": by})

    def kill(self, name: str, by: By) -> None:
        """SIGKILL, as a crash would; the replica stays known, so that it can be started again."""
        self._workspace.kill(name)
        text = f"{name} was killed, {ASKED[by]}. Whoever it held in memory is forgotten."
        empty = {"phase": "stopped"} | _EMPTY
        self._gone("replica.killed", name, text, empty, level="warning", data={"by": by})

    def leave(self, name: str, by: By, kind: str = "replica.stopping") -> None:
        """Note that it is about to be stopped, so that the balancer is told to send nobody there any more."""
        again = kind == "replica.restarting"
        text = f"{'Restarting' if again else 'Stopping'} {name}, {ASKED[by]}."
        # a dashboard that is killed meanwhile starts what was starting, and forgets what was stopping
        self._say(kind, name, text, {"phase": "starting" if again else "stopping"}, data={"by": by})

    def end(self, name: str, by: By) -> None:
        """SIGTERM: it says goodbye to its visitors; it stays known, so that it can be started again."""
        self._programs.stop(name)
        text = f"{name} is stopped; its memory is gone."
        self._gone("replica.stopped", name, text, {"phase": "stopped"} | _EMPTY, data={"by": by})

    def freeze(self, name: str, by: By) -> None:
        """Stop it in its place; nobody is told, the balancer's health checks have to notice."""
        self._workspace.engine.freeze(self._workspace.name, name)
        text = f"{name} was frozen, {ASKED[by]}. It keeps its memory and connections and answers nothing."
        self._say("replica.frozen", name, text, {"phase": "frozen"}, level="warning", data={"by": by})

    def thaw(self, name: str, by: By) -> None:
        """Let it go on where it stood still."""
        self._workspace.engine.thaw(self._workspace.name, name)
        text = f"{name} goes on, {ASKED[by]}. What it held it still holds."
        self._say("replica.thawed", name, text, {"phase": "running"}, data={"by": by})

    def found(self, name: str, *, frozen: bool) -> None:
        """After a restart of the dashboard the engine knows better than the state whether it stands still."""
        phase = self.known().get(name, {}).get("phase")
        if frozen and phase == "running":
            self._say("replica.frozen", name, f"{name} was found frozen.", {"phase": "frozen"})
        if not frozen and phase == "frozen":
            self._say("replica.thawed", name, f"{name} was found going on.", {"phase": "running"})

    def drain(self, name: str, by: By) -> None:
        """It takes nobody new from now on; who it holds stays."""
        text = f"{name} takes no new visitors, {ASKED[by]}."
        self._say("replica.draining", name, text, {"draining": True}, data={"by": by})

    def drop(self, visitor: str | None, replica: str | None, connection: str | None = None) -> int:
        """Cut connections without a goodbye; how many. Replicas that do not answer are passed over."""
        known = self.known()
        running = [name for name in in_order(known) if known[name].get("phase") == "running"]
        asked = {"visitor": visitor, "connection": connection}
        body = {key: value for key, value in asked.items() if value}
        dropped = 0
        for name in [replica] if replica else running:
            try:
                dropped += int(self._workspace.control(name).send("POST", "/control/drop", body)["dropped"])
            except (ServiceFailed, KeyError):
                if replica:
                    raise
        return dropped

    def died(self, name: str, words: str) -> None:
        """Note that a replica ended by itself."""
        error = ServiceFailed(
            together(say("%(name)s ended by itself.", name=name), words),
            hint=say("Start %(name)s again, or read its last lines.", name=name),
        )
        failed = {"phase": "failed"} | _EMPTY | {"error": error.as_dict()}
        self._gone(
            "replica.died", name, error.message, failed, level="error", data={"error": error.as_dict()}
        )

    def endpoints(self) -> list[dict[str, Any]]:
        """The replicas that are there, as the balancer wants them: who drains gets nobody new."""
        engine, workspace, known = self._workspace.engine, self._workspace.name, self.known()
        there = [name for name in in_order(known) if known[name].get("phase") in THERE]
        addresses = {name: engine.peer_address(workspace, name, "public") for name in there}
        return [
            {"name": name, "host": at.host, "port": at.port, "draining": bool(known[name].get("draining"))}
            for name, at in addresses.items()
        ]

    def _start(self, name: str) -> None:
        """In place of whatever an interrupted start or stop has left there."""
        self._programs.stop(name, grace=0)
        self._programs.start_replica(name)

    def _try(self, name: str, work: Any) -> None:
        try:
            work()
        except LabError as error:
            with contextlib.suppress(LabError):
                self._programs.stop(name, grace=0)
            patch = {"phase": "failed", "error": error.as_dict()}
            text = f"{error.message} {error.hint}"
            self._say("replica.failed", name, text, patch, level="error", data={"error": error.as_dict()})
            raise

    def _say(self, kind: str, name: str, text: str, change: Mapping[str, Any] | None, **rest: Any) -> None:
        self._log.record(name, kind, text, patch={"replicas": {name: change}}, **rest)

    def _gone(self, kind: str, name: str, text: str, change: Mapping[str, Any] | None, **rest: Any) -> None:
        def patch(state: Mapping[str, Any]) -> dict[str, Any]:
            return memory_gone(state, name) | {"replicas": {name: change}}

        self._log.record(name, kind, text, patch=patch, **rest)


def _asked(by: By | None) -> str:
    return f", {ASKED[by]}" if by else ""


def _by(by: By | None) -> dict[str, By] | None:
    return {"by": by} if by else None
