"""The balancer with words for what tests do to it."""

import os
import subprocess
from pathlib import Path

from lab_programs import Program, call


class Balancer(Program):
    """The program under test, with words for what the tests do to it."""

    def __init__(self, arguments=("-m", "services.balancer"), **options):
        super().__init__(arguments, "balancer", **options)

    def know(self, endpoints):
        status, answer = self.ask("PUT", "/control/endpoints", {"endpoints": endpoints})
        assert status == 200, answer

    def set(self, mode, **fields):
        """The answer of a PUT to the affinity."""
        status, answer = self.ask("PUT", "/control/affinity", {"mode": mode, **fields})
        assert status == 200, answer
        return answer

    def page(self, cookie=None):
        """Which replica served the page."""
        status, _, body = call(self.public, "GET", "/", {"Cookie": cookie} if cookie else {})
        assert status == 200, (status, body, self.story())
        return body

    def pages(self, count):
        return [self.page() for _ in range(count)]

    def pinned(self):
        """A replica, and the cookie by which it is found again."""
        _, headers, body = call(self.public, "GET", "/")
        return body, headers["Set-Cookie"].split(";")[0]

    def negotiate(self, visitor="visitor-7"):
        status, headers, _ = call(
            self.public, "POST", "/_blazor/negotiate", {"Cookie": f"labdeck_visitor={visitor}"}
        )
        assert status == 200
        return headers["X-Labdeck-Connection"]

    def hub(self, token, **headers):
        return call(self.public, "GET", f"/_blazor?id={token}", headers)[0]

    def envoy_pid(self):
        return int(
            subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout
        )


def alive(pid):
    """Whether the process still runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
