"""The real Blazor Server app, unpacked from its published copy, as replicas behind the real balancer."""

import os
from pathlib import Path

from lab_programs import Program, listens, until
from real_balancer import Balancer
from real_crowd import Crowd, Lab

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
        self.balancer.know(
            [{"name": name, "host": "127.0.0.1", "port": r.public} for name, r in self.replicas.items()]
        )

    def visit(self, count, **fields):
        return super().visit(count, **({"app": "blazor"} | fields))

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
