"""Scripted programs for the scripted engine: they open real control ports and answer what a test wrote."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COOKIE = {
    "name": "labdeck_affinity_played",
    "path": "/",
    "ttl_seconds": 3600,
    "same_site": "Lax",
    "secure": False,
    "strict": False,
}


class ControlPlay:
    """Answers `(method, path)` with `answers[...]`, remembers what came, and checks the control key."""

    def __init__(self):
        self.asked = []
        self.affinity = {"mode": "none", "algorithm": "round_robin"}

    def __call__(self, program):
        """Run as the script of one scripted program until it dies."""
        told = program.spec.environment
        play, key = self, told.get("LAB_CONTROL_KEY") or told.get("CONTROL_KEY")

        class Handler(BaseHTTPRequestHandler):
            def _do(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length) or b"{}")
                play.asked.append((program.spec.instance, self.command, self.path, body))
                known = self.headers.get("Authorization") == f"Bearer {key}"
                status, answer = (200, play.answer(self.path, body)) if known else (401, {"error": {}})
                if known and self.path == "/control/crowd":
                    program.say(json.dumps({"kind": "crowd.changed", "text": "As it was told."}))
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = _do

            def log_message(self, *arguments):
                pass

        for name in program.ports:
            server = ThreadingHTTPServer(("127.0.0.1", program.ports[name]), Handler)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            threading.Thread(target=self._end_with, args=(program, server), daemon=True).start()

    def _end_with(self, program, server):
        program.stopping.wait()
        server.shutdown()
        server.server_close()

    def answer(self, path, body):
        if path == "/control/affinity":
            self.affinity = body | ({"cookie": COOKIE | body["cookie"]} if body.get("cookie") else {})
            return {"affinity": self.affinity, "ms": 1.0}
        if path == "/control/drop":
            return {"dropped": 1}
        if path == "/control/crowd":
            return {"count": body.get("count", 0), "connected": 0, "failed": 0}
        return {"affinity": self.affinity}
