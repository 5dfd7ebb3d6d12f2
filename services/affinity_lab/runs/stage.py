"""The lab as the stage of a run: emptied, set, peopled, broken, and put back as it was."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.affinity_lab.asker import By
from services.affinity_lab.balancer import Balancer
from services.affinity_lab.crowd import BEHAVIOUR, Crowd
from services.affinity_lab.drain import Drain
from services.affinity_lab.replicas import Replicas, in_order, replica_names
from services.affinity_lab.switches import Switches
from services.errors import LabError, ServiceFailed, WrongPhase
from services.events.event import Event
from services.words import say
from services.words.phases import phase_name
from services.workspaces.control import ControlPort
from services.workspaces.workspace import Workspace

_POLL = 0.02
_PAGE = 2000
_LEAVE_SECONDS = 15.0
_BRIEF_SECONDS = 2
"""So long a replica keeps a memory where visitors are to be away for longer."""
_EXPIRE_SECONDS = 30.0
"""So long at most until all memories have expired: that nobody polls any more is noticed after 15 seconds."""
_CUT_SECONDS = 2.0
_NEVER = 3600
"""Seconds after which a failed visitor loads its page again: not while a cell is measured."""
_RELOAD_SECONDS = 5
"""What visitors do when nobody has said otherwise."""
_MANNERS: Mapping[str, Any] = {
    "protocol": "json",
    "reconnect": True,
    "cookies": True,
    "reload_seconds": _NEVER,
}


@dataclass(frozen=True)
class Means:
    """The parts of the lab that a click drives too."""

    replicas: Replicas
    balancer: Balancer
    crowd: Crowd
    drain: Drain
    switches: Switches
    share_keys: Callable[[bool, By], None]


class Stage:
    """Drives the lab through the same calls as a click; runs in the lab's own worker."""

    def __init__(self, workspace: Workspace, means: Means, check: Callable[[], None]) -> None:
        """`check` raises when the run is to end; it is asked while anything is waited for."""
        self._workspace = workspace
        self._log = workspace.log
        self._replicas = means.replicas
        self._balancer = means.balancer
        self._crowd = means.crowd
        self._drain = means.drain
        self._switches = means.switches
        self._share_keys = means.share_keys
        self._check = check

    def facts(self) -> dict[str, Any]:
        """What has to be put back afterwards. Raises WrongPhase when the lab is not fit to be measured."""
        phase = self._log.at("affinity_lab", "phase")
        if phase != "running":
            raise WrongPhase(
                say("The affinity lab is %(phase)s.", phase=phase_name(phase)), hint=say("Launch it first.")
            )
        known = self._replicas.known()
        for name in in_order(known):
            if not _serves(known[name]):
                how = say("draining") if known[name].get("draining") else phase_name(known[name].get("phase"))
                raise WrongPhase(
                    say("%(name)s is %(how)s; a run needs all replicas up.", name=name, how=how),
                    hint=say("Start %(name)s again, or scale in.", name=name),
                )
        visitors = self._log.at("visitors") or {}
        crowd = {name: visitors.get(name, default) for name, default in BEHAVIOUR.items()}
        crowd |= {"count": visitors.get("count", 0)}
        crowd["reload_seconds"] = visitors.get("reload_seconds") or _RELOAD_SECONDS
        affinity = self._log.at("balancer", "affinity") or {}
        return {"replicas": len(known), "affinity": affinity, "crowd": crowd, "settings": self._settings()}

    def keys(self) -> str:
        """Who can read what a replica signs, as the lab is set now: one of `KEYS`."""
        settings = self._settings()
        if settings["shared_store"] and self._log.at("app") == "blazor":
            return "store"
        return "shared" if settings["shared_keys"] else "own"

    def keys_missing(self) -> list[str]:
        """Those of `KEYS` that this machine lacks what they need."""
        return ["store"] if self._switches.facts()["store_reason"] else []

    def must_have_store(self) -> None:
        """Raises AppUnavailable where there can be none."""
        self._switches.must_have_store()

    def _settings(self) -> dict[str, Any]:
        """What replicas are started with, so far as a run changes it."""
        now = self._switches.facts()
        return {"shared_keys": bool(self._log.at("page_keys", "shared"))} | {
            name: now[name] for name in ("shared_store", "retention_seconds")
        }

    def start_with(self, keys: str, brief: bool, before: Mapping[str, Any]) -> None:
        """Replicas with such keys, which keep a memory briefly or as long as `before` says.

        Those that run with something else restart in turn. The store has keys of its own, so that those which
        replicas share beside it do not matter.
        """
        seconds = _BRIEF_SECONDS if brief else before["settings"]["retention_seconds"]
        self._set(
            {
                "shared_keys": self._settings()["shared_keys"] if keys == "store" else keys == "shared",
                "shared_store": keys == "store",
                "retention_seconds": seconds,
            }
        )

    def _set(self, settings: Mapping[str, Any]) -> None:
        if self._log.at("app") == "blazor":
            wanted = {name: settings[name] for name in ("shared_store", "retention_seconds")}
            self._switches.set(wanted, "run")
        self._share_keys(settings["shared_keys"], "run")

    def set_up(self, replicas: int, algorithm: str) -> None:
        """Nobody there, so many replicas, affinity off and its cookie forgotten."""
        self.empty()
        self._scale(replicas)
        self._balancer.set_affinity({"mode": "none", "algorithm": algorithm}, "run")

    def put_back(self, before: Mapping[str, Any]) -> None:
        """As `facts` found it: what runs is left alone, what is missing is started."""
        with contextlib.suppress(LabError):
            self.empty()
        try:
            if settings := before.get("settings"):
                self._set(settings)
        finally:
            self._put_back_rest(before)

    def _put_back_rest(self, before: Mapping[str, Any]) -> None:
        self._scale(before["replicas"])
        wanted = {key: value for key, value in before["affinity"].items() if value is not None}
        self._balancer.set_affinity(wanted, "run")
        crowd = dict(before["crowd"])
        if self._log.at("visitors", "own_addresses") is False:
            crowd["one_address"] = True
        self._crowd.set(crowd, "run")

    def empty(self) -> None:
        """Everybody leaves, and nothing that they still say is read later; their circuits are thrown away."""
        if self._log.at("visitors", "phase") == "running":
            mark, count = self.mark(), self._log.at("visitors", "count") or 0
            self._crowd.set({"count": 0}, "run")
            left: set[Any] = set()
            for events in self.read_on(mark, _LEAVE_SECONDS):
                left |= {event.data.get("visitor") for event in events if event.kind == "visitor.left"}
                if len(left) >= count:
                    break
        self._forget_circuits()

    def set_affinity(self, mode: str) -> None:
        self._balancer.set_affinity({"mode": mode}, "run")

    def send(self, count: int, crowd: Mapping[str, Any]) -> None:
        """Fresh visitors, without any cookie, who connect so."""
        wanted = {**_MANNERS, **crowd, "count": count}
        if self._log.at("visitors", "own_addresses") is not False:
            wanted["one_address"] = False
        self._crowd.set(wanted, "run")

    def drop(self) -> None:
        """Cut all connections."""
        text = "Cutting the connections of everyone without a goodbye, as the run wants it."
        self._log.record("dashboard", "fault.drop_asked", text, data={"visitor": None, "by": "run"})
        self._replicas.drop(None, None)

    def reload(self) -> None:
        """All visitors load the page again, with their cookies."""
        self._workspace.control("visitors").send("POST", "/control/reload", {})

    def go_away(self, visitors: Iterable[str]) -> None:
        """Everybody loses the network, until no replica holds a memory of theirs.

        Raises ServiceFailed when one goes on holding it.
        """
        everybody = set(visitors)
        self._offline(True)
        self.drop()
        begun, held = time.monotonic(), True
        for _ in self.read_on(self.mark(), _EXPIRE_SECONDS):
            circuits = (self._log.at("circuits") or {}).values()
            held = any(circuit.get("visitor") in everybody for circuit in circuits)
            # at first the lines that tell of a circuit may still be on their way
            if not held and time.monotonic() - begun > _BRIEF_SECONDS:
                break
        self._offline(False)
        if held:
            raise ServiceFailed(
                say("A replica still holds memories that should have expired."),
                hint=say("Its last lines in the log may say why. Then measure again."),
            )

    def _offline(self, offline: bool) -> None:
        self._workspace.control("visitors").send("POST", "/control/offline", {"offline": offline})

    def kill(self, name: str) -> None:
        self._replicas.kill(name, "run")

    def stop(self, name: str) -> None:
        """In good order, the balancer told first."""
        self._replicas.leave(name, "run")
        self._balancer.tell(self._replicas)
        self._replicas.end(name, "run")

    def drain(self, name: str) -> None:
        """Nobody new, those it holds move elsewhere with their memory, then it stops."""
        self._drain.run(name, "run")

    def revive(self, name: str) -> None:
        """Start a replica that has ended, and have it served again.

        The balancer is told in between that it is gone, so that it takes what comes back for a new one and
        checks it at once; else it might stay ejected into the next cell.
        """
        self._balancer.tell(self._replicas)
        self._replicas.start([name], "run")
        self._balancer.tell(self._replicas)

    def mark(self) -> int:
        """The newest event; what is measured comes after it."""
        return self.look()[0]

    def look(self) -> tuple[int, dict[str, Any]]:
        """The newest event, and the state that includes it."""
        return self._log.look()

    def read_on(self, after: int, seconds: float) -> Iterable[list[Event]]:
        """Events after that seq as they come, again and again, until that time has passed and all is read."""
        deadline = time.monotonic() + seconds
        while True:
            events = self._log.read(after, _PAGE)
            if events:
                after = events[-1].seq
            yield events
            self._check()
            if len(events) == _PAGE:
                continue
            if time.monotonic() > deadline:
                return
            time.sleep(_POLL)

    def names(self) -> list[str]:
        """The replicas in order. Raises ServiceFailed when one of them does not run any more."""
        known = self._replicas.known()
        for name in in_order(known):
            if known[name].get("phase") != "running":
                hint = say("Its last lines in the log may say why. Then measure again.")
                raise ServiceFailed(
                    say("%(name)s went down while the lab was measured.", name=name), hint=hint
                )
        return in_order(known)

    def _scale(self, count: int) -> None:
        wanted, known = replica_names(count), self._replicas.known()
        extra = [name for name in in_order(known) if name not in wanted]
        down = [name for name in wanted if not _serves(known.get(name, {}))]
        if not (extra or down):
            return
        self._replicas.start(down, "run")
        self._replicas.retire(extra, "run")
        self._balancer.tell(self._replicas)
        self._replicas.stop(extra)

    def _forget_circuits(self) -> None:
        """Of virtual visitors that are gone; a replica that does not answer has nothing to forget."""
        for name in self._replicas.serving():
            with contextlib.suppress(LabError):
                control = self._workspace.control(name)
                self._cut_lingering(name, control)
                for circuit in control.get("/control/state").get("circuits", []):
                    # Blazor's have no visitor: it lets go of them when their visitors say goodbye
                    if not circuit["connected"] and _is_virtual(circuit):
                        control.send("POST", "/control/forget", {"circuit": circuit["circuit"]})

    def _cut_lingering(self, name: str, control: ControlPort) -> None:
        """Connections whose goodbye reached another replica: theirs would wait half a minute for a sign."""
        deadline = time.monotonic() + _CUT_SECONDS
        while time.monotonic() < deadline:
            found = control.get("/control/state").get("connections")
            # Blazor only counts them
            lingering = (
                [one["connection"] for one in found if _is_virtual(one)] if isinstance(found, list) else []
            )
            if not lingering:
                return
            for connection in lingering:
                self._replicas.drop(None, name, connection)
            time.sleep(_POLL)


def _serves(replica: Mapping[str, Any]) -> bool:
    return replica.get("phase") == "running" and not replica.get("draining")


def _is_virtual(one: Mapping[str, Any]) -> bool:
    """Of a visitor of the crowd, as its replica tells of a connection or a circuit."""
    return str(one.get("visitor")).startswith("visitor-")
