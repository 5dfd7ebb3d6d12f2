"""Runs a script in bash among recorders: programs that note their arguments, one folder for each run."""

import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

NOTE = f"""#!{sys.executable}
import json, os, sys
with open(os.environ["RECORD"], "a") as file:
    words = [os.fsencode(word).decode("latin-1") for word in sys.argv[1:]]
    file.write(json.dumps([os.path.basename(sys.argv[0]), *words]) + "\\n")
"""
# What curl is asked for is made as an empty file; tar puts the agent's own scripts there.
CURL = NOTE + 'open(sys.argv[sys.argv.index("-o") + 1], "w").close()\n'
TAR = (
    NOTE
    + """
for name in ("config.sh", "svc.sh", "run.sh"):
    with open(name, "w") as file:
        file.write(open(os.environ["NOTE"]).read())
    os.chmod(name, 0o755)
"""
)
SUDO = NOTE + "os.execv(sys.argv[1], sys.argv[1:])\n"


def record(script, *, without=(), answers=None, environment=None, folder=None, stdin=subprocess.DEVNULL):
    """What was called, in order, as lists of texts; `answers` are programs that print a text."""
    with tempfile.TemporaryDirectory() as scratch:
        programs, place = Path(scratch, "programs"), Path(folder or Path(scratch, "place"))
        programs.mkdir()
        place.mkdir(exist_ok=True)
        kinds = {"curl": CURL, "tar": TAR, "sudo": SUDO, "systemctl": NOTE}
        for name, text in kinds.items():
            if name not in without:
                _program(programs / name, text)
        for name, text in (answers or {}).items():
            _program(programs / name, f"#!/bin/bash\n{text}\n")
        _program(programs / "note", NOTE)
        for name in ("mkdir", "mv", "cat", "hostname", "sha256sum", "printf", "env", "bash", "chmod", "rm"):
            if not (programs / name).exists() and (real := Path("/usr/bin", name)).exists():
                (programs / name).symlink_to(real)
        file = Path(scratch, "script.sh")
        file.write_text(script)
        told = Path(scratch, "record")
        told.touch()
        ran = subprocess.run(
            ["/bin/bash", str(file)],
            cwd=place,
            env={"PATH": str(programs), "RECORD": str(told), "NOTE": str(programs / "note"), "HOME": scratch}
            | (environment or {}),
            stdin=stdin,
            capture_output=True,
            timeout=30,
        )
        lines = [json.loads(line) for line in told.read_text().splitlines()]
        calls = [
            [word.encode("latin-1").decode("utf-8", "surrogateescape") for word in line] for line in lines
        ]
        return calls, ran


def calls_of(name, calls):
    return [call[1:] for call in calls if call[0] == name]


def _program(path, text):
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    assert os.access(path, os.X_OK)
