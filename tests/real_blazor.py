"""The real Blazor Server app, unpacked from its published copy, as replicas behind the real balancer."""

import os
import re
from pathlib import Path

from lab_programs import Program, call, listens, until
from real_balancer import Balancer
from real_crowd import Crowd, Lab

_PAGE_OF = re.compile(r'id="page-replica">([^<]+)<')
SAID_ITS_OWN_WAY = (
    "REPLICA=$LAB_INSTANCE PORT=${LAB_LISTEN_PUBLIC##*:} CONTROL_PORT=${LAB_LISTEN_CONTROL##*:} "
    'CONTROL_KEY=$LAB_CONTROL_KEY exec "$0"'
)


class BlazorReplica(Program):
    """One process of it; its switches (`KEYS`, `TRANSPORTS`, …) are its environment."""

    def __init__(self, name, **environment):
        app = str(Path(os.environ["LAB_BLAZOR_DIR"], "blazor"))
        quiet = {"DOTNET_EnableDiagnostics": "0"}
        super().__init__(
            ("-c", SAID_ITS_OWN_WAY, app), name, environment=quiet | environment, python="/bin/sh"
        )


class BlazorLab(Lab):
    """Three replicas behind a balancer, and a crowd that is still empty."""

    def __init__(self, replicas=3, **environment):
        names = [f"replica-{number}" for number in range(1, replicas + 1)]
        self.replicas = {name: BlazorReplica(name, **environment) for name in names}
        self.balancer, self.crowd = Balancer(), Crowd()
        for replica in self.replicas.values():
            until(lambda port=replica.public: listens(port), replica.story)
        self.balancer.wait_for("balancer.ready")
        self.know(*names)

    def know(self, *names):
        """These are the replicas that the balancer has from now on; each has served a page since."""
        ports = {name: self.replicas[name].public for name in names}
        self.balancer.know(
            [{"name": name, "host": "127.0.0.1", "port": port} for name, port in ports.items()]
        )
        waited_for = set(names)

        def all_served():
            _, _, page = call(self.balancer.public, "GET", "/")
            waited_for.difference_update(_PAGE_OF.findall(page))
            return not waited_for

        until(all_served, lambda: f"pages of {waited_for}\n{self.balancer.story()}")

    def visit(self, count, **fields):
        return super().visit(count, **({"app": "blazor"} | fields))

    def begin(self, mode, count, **fields):
        """With an empty lab: everybody has left, and what was told before is of no interest."""
        self.crowd.set(0)
        until(lambda: not self.circuits(), lambda: f"all circuits end: {self.circuits()}")
        self.balancer.set(mode)
        self._told_before = len(self.crowd.lines)
        self.visit(count, **fields)

    def told(self, kind, **data):
        """What the crowd has told since the beginning."""
        before = self.crowd.lines[: self._told_before]
        return [line["data"] for line in self.crowd.of(kind, **data) if line not in before]

    def wait_until_told(self, kind, count=1, **data):
        """So many lines of this kind since the beginning."""

        def seen():
            found = self.told(kind, **data)
            return found if len(found) >= count else None

        return until(seen, lambda: f"{count} {kind} {data}\n{self.crowd.story()}", 60)

    def agree(self):
        """Until pages and replicas say the same of every circuit; that."""
        return until(
            lambda: (seen := self.seen()) == self.circuits() and seen,
            lambda: f"{self.seen()} is not {self.circuits()}\n{self.crowd.story()}",
        )

    def circuits(self):
        """Id → replica and count, as the replicas themselves see those that are connected."""
        states = [replica.state() for replica in self.replicas.values() if replica.process.poll() is None]
        return {
            one["id"]: (state["replica"], one["count"])
            for state in states
            for one in state["circuits"]
            if one["connected"]
        }

    def seen(self):
        """The same, as the visitors read it from their pages."""
        visitors = self.crowd.by_name().values()
        return {one["circuit"]: (one["replica"], one["count"]) for one in visitors}

    def wait_for_clicks(self, count):
        """Until every visitor has clicked so often."""
        until(
            lambda: all(one["count"] >= count for one in self.crowd.by_name().values()),
            lambda: f"{count} clicks each: {self.seen()}\n{self.crowd.story()}",
            60,
        )
