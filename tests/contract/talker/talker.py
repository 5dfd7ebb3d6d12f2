"""A program for the contract tests: says what it is told to over HTTP, and looks at where it runs."""

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit


class Talker:
    """What `GET /<word>?<options>` does; the scripted engine gives its own `write` and `leave`."""

    def __init__(self, environment, write, leave):
        self.environment, self.write, self.leave = environment, write, leave

    def environment_(self):
        return dict(self.environment)

    def say(self, text="", times="1", end="\n"):
        """Write `times` lines, numbered when there are several."""
        if times == "1":
            self.write(text + end)
        else:
            self.write("".join(f"{text} {number}\n" for number in range(int(times))))

    def exit(self, code="0"):
        self.leave(int(code))

    def fetch(self, url):
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)

    def ping(self):
        return "pong"


class RealTalker(Talker):
    """What only a real process can do."""

    def grow(self, mib):
        """Take that much memory, really."""
        self.taken = b"x" * (int(mib) * 1024 * 1024)

    def child(self):
        """Start a process that outlives a killed parent; its pid."""
        return subprocess.Popen(["sleep", "600"], start_new_session=True).pid

    def touch(self, path):
        """`written`, or why not."""
        try:
            Path(path).write_text("x")
        except OSError as error:
            return error.strerror
        return "written"

    def whoami(self):
        return {"uid": os.getuid(), "pid": os.getpid()}


def serve(talker, listen):
    """Answer on `host:port` until somebody shuts the server down; the server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = urlsplit(self.path)
            name = {"environment": "environment_"}.get(asked.path.strip("/"), asked.path.strip("/"))
            answer = json.dumps(
                getattr(talker, name)(**dict(parse_qsl(asked.query, keep_blank_values=True)))
            ).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments):
            pass

    host, _, port = listen.rpartition(":")
    server = ThreadingHTTPServer((host, int(port)), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def write(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def main():
    if os.environ.get("TALKER_STUBBORN"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    write("talker is ready\n")  # before it listens: whoever can ask it writes after this line
    serve(RealTalker(os.environ, write, os._exit), os.environ["LAB_LISTEN_PUBLIC"])
    threading.Event().wait()


if __name__ == "__main__":
    main()
