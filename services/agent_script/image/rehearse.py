"""Runs one registration script against the lab's package server and tells, line by line, what happens.

Started by the engine in a container without network, or as a process that leaves the network by itself.
In: LAB_SCRIPT, LAB_PACKAGE (name of the file that is served), LAB_SECONDS. Out: JSON lines. Ends by itself.
"""

from __future__ import annotations

import json
import os
import platform
import queue
import re
import resource
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from confinement import become, confine, hand_over, user_for  # type: ignore[import-not-found]  # beside it, wherever it runs

HERE = Path(__file__).parent
MARK = f"\x1e{secrets.token_hex(8)}"
"""Begins lines that are not the script's: commands as bash traces them, exit codes. Nobody can guess it."""
PATH = "/usr/local/bin:/usr/bin:/bin"
MOST_LINES = 2000
LONGEST_LINE = 2000
LARGEST_FILE = 128 * 1024 * 1024
SECONDS_TO_LISTEN = 5.0
"""After the script's end, a service in the background has this long to say that it listens."""
SECONDS_TO_READ = 5.0
"""For what was written before the end; who left the script's session could hold the pipe open for ever."""
QUOTED = re.compile(r"""\$'(?:\\.|[^'\\])*'|'[^']*'|"(?:\\.|[^"\\])*"|\\.""", re.DOTALL)
"""How bash quotes the words of a command that it traces."""
MOST_LINES_OF_A_COMMAND = 100
RUNNING = "Listening for Jobs"

OUTCOMES = (
    ("exec_format", re.compile(r"cannot execute binary file|Exec format error")),
    ("loader_missing", re.compile(r"Agent\.Listener.*(required file not found|No such file or directory)")),
    ("crashed", re.compile(r"Segmentation fault|Illegal instruction")),
)

# Sourced by the script's bash before its first line; config.sh and the others do not get it.
BEFORE = f"""\
unset BASH_ENV
PS4=${MARK!r}
trap 'printf "\\036{MARK[1:]}!%s\\n" "$?" >&2' ERR
set -x
"""
SUDO = """\
#!/bin/bash
# The lab's: nothing is done as root in a rehearsal.
exec "$@"
"""
SYSTEMCTL = """\
#!/bin/bash
# The lab's: it only has to be there, for the script looks whether it is.
exit 0
"""
CURL = """\
import os, shutil, sys, urllib.request
words = sys.argv[1:]
out = words[words.index("-o") + 1]
path = "/" + words[-1].split("://", 1)[1].split("/", 1)[1]
print("curl: the lab's own stand-in, since there is no curl here", file=sys.stderr)
try:
    with urllib.request.urlopen(os.environ["LAB_SERVER"] + path) as answer, open(out, "wb") as file:
        shutil.copyfileobj(answer, file)
except OSError as error:
    print(f"curl: (22) The requested URL returned error: {error}", file=sys.stderr)
    sys.exit(22)
"""

speaking = threading.Lock()


def say(kind: str, text: str, level: str = "info", **data: object) -> None:
    """One JSON line on stdout, which becomes an event."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line = {"at": at, "kind": kind, "level": level, "text": text, "data": data}
    with speaking:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


class Packages(BaseHTTPRequestHandler):
    """The lab's package server: one package, under its own name; everything else is 404."""

    def do_GET(self) -> None:
        if not self.path.endswith(f"/{os.environ['LAB_PACKAGE']}"):
            say("agent_script.package_refused", f"404: the lab has no {self.path}", "warning", path=self.path)
            self.send_error(404)
            return
        content = (HERE / "package.tar.gz").read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "application/gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        say(
            "agent_script.package_served",
            f"The package server gave {self.path.rpartition('/')[2]}: {len(content)} bytes.",
            path=self.path,
            bytes=len(content),
        )

    def log_message(self, *arguments: object) -> None:
        pass


def write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def has_curl() -> bool:
    return shutil.which("curl", path=PATH) is not None


def environment(folder: Path, server: str) -> dict[str, str]:
    """What the script sees: nothing of the dashboard's environment, and no token but a made-up one."""
    programs = folder / "programs"
    programs.mkdir()
    write_program(programs / "sudo", SUDO)
    write_program(programs / "systemctl", SYSTEMCTL)
    if not has_curl():
        write_program(programs / "curl", f"#!{sys.executable}\n{CURL}")
    (folder / "before.sh").write_text(BEFORE)
    # Every address is the lab's server, whatever its name.
    (folder / ".curlrc").write_text(f'connect-to = "::{server}"\nnoproxy = "*"\n')
    kept = {name: os.environ[name] for name in ("LAB_PROCESS",) if name in os.environ}
    return {
        "PATH": f"{programs}:{PATH}",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LC_ALL": "C.UTF-8",
        "BASH_ENV": str(folder / "before.sh"),
        "LAB_SERVER": f"http://{server}",
        "VSTS_AGENT_INPUT_TOKEN": "not-a-real-token",
        **kept,
    }


def limited(user: int) -> None:
    """Of the script and all that it starts."""
    become(user)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))


def goes_on(command: str) -> bool:
    """True for a traced command that ends inside of a quoted text."""
    return bool(set("'\"") & set(QUOTED.sub("", command))) and command.count("\n") < MOST_LINES_OF_A_COMMAND


class Rehearsal:
    """One run of the script."""

    def __init__(self, folder: Path, server: str, seconds: float, user: int) -> None:
        script = folder / "script.sh"
        script.write_text(os.environ["LAB_SCRIPT"])
        self.folder = folder
        self.began = time.monotonic()
        self.deadline = self.began + seconds
        self.outcome, self.telling, self.running_at = "", "", 0.0
        self.half = ""
        self.codes: list[int] = []
        self.lines: queue.Queue[str] = queue.Queue()
        given = environment(folder, server)
        hand_over(folder, user)
        self.script = subprocess.Popen(
            ["bash", str(script)],
            cwd=folder,
            env=given,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: limited(user),
            start_new_session=True,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        output = self.script.stdout
        assert output is not None
        pieces = iter(lambda: output.readline(4 * LONGEST_LINE), b"")
        for number, line in enumerate(pieces):
            if number < MOST_LINES:
                self.lines.put(line.decode(errors="replace"))
            elif number == MOST_LINES:
                self.lines.put(f"… more than {MOST_LINES} lines; the rest is not shown")

    def watch(self) -> None:
        """Tell lines until there is nothing more to come, the agent runs, or time is up."""
        ended_at = 0.0
        while time.monotonic() < self.deadline:
            with suppress(queue.Empty):
                self.tell(self.lines.get(timeout=0.05))
                continue
            if self.script.poll() is None:
                if self.outcome == "running" and time.monotonic() - self.running_at > 1:
                    return  # run.sh in the foreground would go on for ever
                continue
            ended_at = ended_at or time.monotonic()
            waits = self.listeners() and self.outcome != "running"
            if not waits or time.monotonic() - ended_at > SECONDS_TO_LISTEN:
                return
        self.outcome = self.outcome or "deadline"

    def tell(self, line: str) -> None:
        """One line of the script's, or one of ours about it."""
        text = line.rstrip("\r\n").replace(str(self.folder), "~")
        depth, marked, rest = text.partition(MARK[1:])
        if self.half:  # a traced command goes on where a text in it has a line end
            return self.tell_command(f"{self.half}\n{text}")
        if marked and not depth.strip(MARK[0]):  # bash repeats the first letter for each level
            return self.tell_command(rest)
        text = text.rpartition("\r")[2][:LONGEST_LINE]
        if text.strip():
            self.out("output", text)
            self.judge(text)
        return None

    def tell_command(self, text: str) -> None:
        """What bash traced, or the exit code of what failed."""
        self.half = text if goes_on(text) else ""
        if self.half or text.startswith(f"printf '\\036{MARK[1:]}!"):
            return
        if text.startswith("!"):
            self.codes.append(int(text[1:]))
            self.out("exit", f"exit {text[1:]} after {self.seconds()} s")
        else:
            self.out("command", text[:LONGEST_LINE])

    def out(self, stream: str, text: str) -> None:
        failed = stream == "output" and self.is_error(text)
        say("output.line", text, "error" if failed else "info", stream=stream)

    def is_error(self, text: str) -> bool:
        return any(pattern.search(text) for _, pattern in OUTCOMES)

    def judge(self, text: str) -> None:
        """What this line means for the end; the first one that means something counts."""
        for outcome, pattern in OUTCOMES:
            if pattern.search(text) and not self.outcome:
                self.outcome, self.telling = outcome, text
        if text == RUNNING and self.listeners() and self.registered():
            self.outcome, self.telling, self.running_at = "running", text, time.monotonic()
            say(
                "agent_script.agent_running",
                "The agent is registered in the lab, runs, and listens for jobs.",
            )

    def registered(self) -> bool:
        return any(self.folder.glob("*/.agent"))

    def listeners(self) -> list[int]:
        """Living processes of this rehearsal's Agent.Listener, as the kernel knows them."""
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                program = str((entry / "exe").readlink()) if entry.name.isdigit() else ""
                if program.startswith(f"{self.folder}/") and program.endswith("/bin/Agent.Listener"):
                    found.append(int(entry.name))
        return found

    def seconds(self) -> float:
        return round(time.monotonic() - self.began, 2)

    def end(self) -> int | None:
        """Leave nothing running; the script's exit code when it had ended by itself."""
        code = self.script.poll()
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self.script.pid, signal_number)
            until = time.monotonic() + 1.0
            while self.listeners() and time.monotonic() < until:
                time.sleep(0.01)
        self.script.wait()
        self.reader.join(SECONDS_TO_READ)
        while not self.lines.empty():
            self.tell(self.lines.get())
        return code


WORDS = {
    "running": "The package fits: the agent is registered in the lab and was seen running.",
    "exec_format": "bash could not start Agent.Listener: it was compiled for another processor.",
    "loader_missing": "bash could not start Agent.Listener: the loader that it asks for is not here.",
    "crashed": "Agent.Listener started and crashed.",
    "deadline": "Time was up before the script had ended.",
    "failed": "The script ended with an error before any agent ran.",
    "ended": "The script ended and no agent runs.",
}


def tell_machine() -> None:
    say("output.line", "uname -m", stream="command")
    say("output.line", platform.machine(), stream="output")


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    scratch = Path(os.environ.get("TMPDIR", "/tmp")).resolve()
    facts = confine(scratch)
    folder = Path(tempfile.mkdtemp(prefix="rehearsal-", dir=scratch))
    user = user_for(folder) if has_curl() else user_for(folder, Path(sys.executable))
    facts["user"] = f"user {user}" + (" (root)" if user == 0 else "")
    words = f"Network: {facts['network']}. Files: {facts['files']}. It runs as {facts['user']}."
    say("agent_script.confined", words, **facts)
    try:
        rehearse(folder, user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def rehearse(folder: Path, user: int) -> None:
    """Serve the package, run the script, tell how it ended."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Packages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    tell_machine()
    rehearsal = Rehearsal(folder, f"127.0.0.1:{server.server_port}", float(os.environ["LAB_SECONDS"]), user)
    try:
        rehearsal.watch()
    finally:
        code = rehearsal.end()
    outcome = rehearsal.outcome or ("failed" if code else "ended")
    say(
        "agent_script.rehearsed",
        WORDS[outcome],
        "info" if outcome == "running" else "warning",
        outcome=outcome,
        exit_code=rehearsal.codes[0] if rehearsal.codes else code,
        seconds=rehearsal.seconds(),
        line=rehearsal.telling,
    )


if __name__ == "__main__":
    main()
