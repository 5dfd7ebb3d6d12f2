"""`python -m services.circuit` as the engines start it."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import aiohttp

KEY = "control-key-of-the-test"
DEADLINE = 15.0
ROOT = Path(__file__).parents[2]


async def until(condition, what="the condition"):
    """Wait until `condition()` is true, at most DEADLINE seconds; gives back what it was."""
    end = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < end, f"{what} did not come true"
        await asyncio.sleep(0.01)
    return found


class RunningReplica:
    """One replica, what it printed, and its control port."""

    def __init__(self, name="replica-1", environment=(), *, ready=True):
        settings = {
            "LAB_WORKSPACE": "test", "LAB_INSTANCE": name, "LAB_CONTROL_KEY": KEY,
            "LAB_LISTEN_PUBLIC": "127.0.0.1:0", "LAB_LISTEN_CONTROL": "127.0.0.1:0",
        } | dict(environment)  # fmt: skip
        clean = {key: value for key, value in os.environ.items() if not key.startswith("LAB_")}
        self.events, self.noise = [], []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "services.circuit"],
            cwd=ROOT, env=clean | settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._readers = [
            threading.Thread(target=self._read_events, daemon=True),
            threading.Thread(target=self._read_noise, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        if ready:
            self._wait_until_ready()

    def _read_events(self):
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def _read_noise(self):
        self.noise.extend(self.process.stderr)

    def _wait_until_ready(self):
        end = time.monotonic() + DEADLINE
        while not self.events:
            alive = self.process.poll() is None and time.monotonic() < end
            assert alive, f"not ready, exit code {self.stop()}: {self.account()}"
            time.sleep(0.01)
        ready = self.events[0]["data"]
        self.url = f"http://127.0.0.1:{ready['public']['port']}"
        self.control_url = f"http://127.0.0.1:{ready['control']['port']}"

    async def told(self, kind, **data):
        """The first event of that kind with that data, waited for."""

        def find():
            return next(
                (e for e in self.events if e["kind"] == kind and data.items() <= e["data"].items()), None
            )

        return await until(find, f"{kind} {data}")

    def kinds(self):
        return [event["kind"] for event in list(self.events)]

    async def control(self, method, path, body=None):
        """The answer of a control call that must succeed."""
        headers = {"Authorization": f"Bearer {KEY}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, f"{self.control_url}/control/{path}", json=body) as response,
        ):
            assert response.status == 200, await response.text()
            return await response.json()

    def rss_megabytes(self):
        """What it holds of this machine's memory now."""
        lines = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Rss:")) / 1024

    def stop(self):
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(DEADLINE)
        for reader in self._readers:
            reader.join(DEADLINE)
        return code

    def account(self):
        """What it said, for a failing test."""
        return "\n".join([json.dumps(event) for event in self.events] + self.noise)
