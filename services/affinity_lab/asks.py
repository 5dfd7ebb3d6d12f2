"""What people ask of the affinity lab: checked and acknowledged at once, done in its turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.affinity_lab.asker import ASKED, By
from services.affinity_lab.story import story
from services.affinity_lab.work import Work
from services.errors import NotFound, NotInThisApp, NotOnThisEngine
from services.words import say


class Asks(Work):
    """Each raises what stands against it now; what comes of it arrives as events."""

    def launch(self, app: str = "circuit", by: By = "api") -> str:
        """Start three replicas behind the balancer, or whatever of it is missing; the job's id.

        Raises AppUnavailable for an app that this machine lacks, WrongPhase while the other one runs.
        """
        self._apps.get(app)
        self._must_run_no_other(app)
        return self._submit("launch", lambda: self._launch(app), f"Launch the affinity lab with {app}.", by)

    def stop(self, by: By = "api") -> str:
        """Stop visitors, balancer and replicas; the job's id."""
        return self._submit("stop", self._stop, "Stop the affinity lab.", by)

    def scale(self, count: int, by: By = "api") -> str:
        """Ask for `count` replicas; the job's id. Raises WrongPhase when the lab does not run."""
        return self._ask("scale", lambda: self._scale(count, by), f"Scale to {count} replicas.", by)

    def kill(self, name: str, by: By = "api") -> str:
        """SIGKILL a replica; the job's id. This and the next ones raise NotFound, WrongPhase."""
        work = lambda: self._replicas.kill(name, by)  # noqa: E731 - one line each, all alike
        return self._ask("kill", work, f"Kill {name}.", by, name, "running", "frozen")

    def stop_replica(self, name: str, by: By = "api") -> str:
        """Stop a replica in good order, the balancer told first; the job's id."""
        work = lambda: self._stop_replica(name, by)  # noqa: E731
        return self._ask("stop_replica", work, f"Stop {name}.", by, name, "running", "frozen")

    def start(self, name: str, by: By = "api") -> str:
        """Start a replica that was stopped, was killed or died; the job's id."""
        return self._ask(
            "start", lambda: self._start(name, by), f"Start {name}.", by, name, "stopped", "failed"
        )

    def restart(self, name: str, by: By = "api") -> str:
        """Stop a replica in good order and start it again; the job's id."""
        work = lambda: self._restart(name, by)  # noqa: E731
        return self._ask("restart", work, f"Restart {name}.", by, name, "running", "frozen")

    def freeze(self, name: str, by: By = "api") -> str:
        """Stop a replica in its place: it holds all and answers nothing; the job's id."""
        work = lambda: self._replicas.freeze(name, by)  # noqa: E731
        return self._ask("freeze", work, f"Freeze {name}.", by, name, "running")

    def thaw(self, name: str, by: By = "api") -> str:
        """Let a frozen replica go on; the job's id."""
        return self._ask("thaw", lambda: self._replicas.thaw(name, by), f"Thaw {name}.", by, name, "frozen")

    def drain(self, name: str, by: By = "api") -> str:
        """Give a replica no new visitors, have those it holds move elsewhere, stop it; the job's id."""
        work = lambda: self._drain_work.run(name, by)  # noqa: E731
        return self._ask("drain", work, f"Drain {name}.", by, name, "running")

    def restart_balancer(self, by: By = "api") -> str:
        """Stop Envoy and start it again, set as before; the job's id. Raises WrongPhase."""
        return self._ask(
            "restart_balancer",
            lambda: self._balancer.restart(self._replicas, by),
            "Restart the balancer.",
            by,
        )

    def set_page_keys(self, shared: bool, by: By = "api") -> str:
        """Sign pages with one key for all replicas, or each with its own; the job's id."""
        text = "Share the keys that sign pages." if shared else "Give each replica a page key of its own."
        return self._ask("page_keys", lambda: self._set_page_keys(shared, by), text, by)

    def set_app_settings(self, changes: Mapping[str, Any], by: By = "api") -> str:
        """Have the app behave otherwise; the replicas that run it restart in turn. The job's id.

        Raises AppUnavailable for a store that this machine lacks.
        """
        self.runs.must_rest()
        if changes.get("shared_store"):
            self._switches.must_have_store()
        work = lambda: self._switches.set(changes, by)  # noqa: E731
        return self._submit("app_settings", work, "Change the app's settings.", by)

    def set_visitors(self, settings: Mapping[str, Any], by: By = "api") -> str:
        """Ask for a crowd of `count` that behaves as the other fields say; the job's id."""
        self._must_run()
        if settings.get("one_address") is False and self._log.at("visitors", "own_addresses") is False:
            raise NotOnThisEngine(
                say("In a container all virtual visitors have the address of their container."),
                hint=say("Run with LAB_ENGINE=local to give each visitor an address of its own."),
            )
        text = f"Ask for {settings['count']} visitors." if "count" in settings else "Ask for other visitors."
        return self._ask("visitors", lambda: self._crowd.set(settings, by), text, by)

    def set_affinity(self, settings: Mapping[str, Any], by: By = "api") -> dict[str, Any]:
        """Toggle; returns `{"affinity", "ms"}` once the balancer obeys. Absent fields stay as they are."""
        self.runs.must_rest()
        self._must_run()
        return self._balancer.set_affinity(settings, by)

    def drop(
        self,
        visitor: str | None = None,
        replica: str | None = None,
        connection: str | None = None,
        by: By = "api",
    ) -> int:
        """Cut connections without a goodbye: one, one visitor's, one replica's, or all; how many.

        Raises WrongPhase, and NotFound for a replica or visitor that nobody knows.
        """
        self.runs.must_rest()
        self._must_run(*([replica, "running"] if replica else []))
        if (visitor or connection) and not self._apps.now.drops_one:
            raise NotInThisApp(
                say("A replica of %(name)s cannot cut one connection alone.", name=self._apps.now.name),
                hint=say("Drop all connections of a replica, or run the circuit app."),
            )
        if visitor and visitor not in (self._log.at("people") or {}):
            raise NotFound(
                say("There is no visitor %(visitor)s.", visitor=repr(visitor)),
                hint=say("Take a name from people in the snapshot."),
            )
        whose = f"the connections of {visitor or replica or 'everyone'}"
        if connection:
            whose = f"connection {connection[:6]}…"
        data = {"visitor": visitor, "replica": replica, "connection": connection, "by": by}
        text = f"Cutting {whose} without a goodbye, {ASKED[by]}."
        self._log.record("dashboard", "fault.drop_asked", text, data=data)
        return self._replicas.drop(visitor, replica, connection)

    def story(self, visitor: str, before: int | None = None) -> dict[str, Any]:
        """What happened to a visitor when it last tried to connect; raises NotFound."""
        return story(self._log, visitor, before)
