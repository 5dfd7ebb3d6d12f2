"""Runs a script in bash among recorders: programs that note their arguments, one folder for each run."""

import os
import stat
import subprocess
import tempfile
from pathlib import Path

# Bash and not Python, since a script calls ten of them. No argument holds a NUL, so nothing is ambiguous.
NOTE = """#!/bin/bash
printf '%s\\0' "$#" "${0##*/}" "$@" >>"$RECORD"
"""
# What curl is asked for is made as an empty file; tar puts the agent's own scripts there.
CURL = (
    NOTE
    + """
while [ "$1" != -o ]; do shift; done
: >"$2"
"""
)
TAR = (
    NOTE
    + """
for name in config.sh svc.sh run.sh; do
  cat "$NOTE" >"$name"
  chmod 755 "$name"
done
"""
)
SUDO = NOTE + 'exec "$@"\n'


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
        return _calls(told.read_bytes()), ran


def _calls(noted):
    """Back into lists: a count, the program's name, and that many arguments, over and over."""
    words = [word.decode("utf-8", "surrogateescape") for word in noted.split(b"\0")[:-1]]
    calls = []
    while words:
        end = int(words[0]) + 2
        calls.append(words[1:end])
        words = words[end:]
    return calls


def calls_of(name, calls):
    return [call[1:] for call in calls if call[0] == name]


def _program(path, text):
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    assert os.access(path, os.X_OK)
