"""Reading programs: real ones of every processor, cut and damaged ones; hostile ones are in test_hostile."""

import base64
import gzip
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from pip._vendor import distlib

from services.agent_script.binary import NotAProgram
from services.agent_script.inspection import inspect, inspect_encoded
from services.agent_script.lab_package import _TARGETS, LISTENER, pack
from services.errors import BadRequest

WINDOWS = {"win-x64": "t64.exe", "win-x86": "t32.exe", "win-arm64": "t64-arm.exe"}
"""Programs for Windows that every virtual environment has: the launchers that pip brings."""
LAUNCHERS = Path(distlib.__file__).parent
RUNS_ON = {
    "linux-x64": {"x86_64"},
    "linux-arm": {"armv7l", "aarch64", "aarch64-32", "aarch64-musl"},
    "linux-arm64": {"aarch64"},
    "linux-musl-x64": {"x86_64-musl"},
    "linux-musl-arm64": {"aarch64-musl"},
    "osx-x64": {"mac-x86_64", "mac-arm64"},
    "osx-arm64": {"mac-arm64"},
    "win-x64": {"win-x64", "win-arm64"},
    "win-x86": {"win-x64", "win-arm64"},
    "win-arm64": {"win-arm64"},
}


@pytest.fixture(scope="session")
def programs(tmp_path_factory, go_caches):
    """A program for a processor; those for Linux and macOS are Agent.Listener, as the engines compile it."""
    folder, made = tmp_path_factory.mktemp("programs"), {}

    def program(rid):
        if rid in WINDOWS:
            return (LAUNCHERS / WINDOWS[rid]).read_bytes()
        if rid not in made:
            made[rid] = compile_listener(_TARGETS[rid], folder / rid, go_caches)
        return made[rid]

    return program


def compile_listener(target, out, caches):
    mode = [f"-buildmode={target['BUILDMODE']}"] if "BUILDMODE" in target else []
    linker = target.get("LDFLAGS", "-s -w")
    go = Path(sys.executable).with_name("go")
    own = {
        "PATH": os.environ["PATH"],
        "HOME": str(caches),
        "GOCACHE": f"{caches}/build",
        "GOPATH": f"{caches}/path",
    }
    own |= {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false"}
    subprocess.run(
        [go, "build", "-trimpath", *mode, "-ldflags", linker, "-o", str(out), "."],
        cwd=LISTENER,
        env=own | {name: text for name, text in target.items() if name.startswith("GO")},
        check=True,
        timeout=150,
    )
    return out.read_bytes()


@pytest.mark.local
@pytest.mark.parametrize("rid", RUNS_ON)
def test_a_program_of_each_processor_is_known_and_judged(programs, rid):
    found = inspect("Agent.Listener", programs(rid))
    assert found["rid"] == rid
    outcomes = {row["machine"]: row["outcome"] for row in found["judged"]}
    runs = {name for name, outcome in outcomes.items() if outcome in ("runs", "translated")}
    assert runs == RUNS_ON[rid]
    if rid.startswith("linux"):
        assert outcomes["mac-arm64"] == "exec_format"


@pytest.mark.local
def test_fields_say_where_they_stand_and_what_they_mean(programs):
    found = inspect("Agent.Listener", programs("linux-arm"))
    assert found["hex"].startswith("7f 45 4c 46 01 01")
    fields = {field["name"]: field for field in found["fields"]}
    assert fields["Machine"]["value"] == "ARM, 0x28"
    assert fields["Machine"]["at"] == (18, 20)
    assert fields["Class"]["value"] == "32-bit"
    assert fields["Loader"]["value"] == "none"
    musl = inspect("Agent.Listener", programs("linux-musl-x64"))
    assert (musl["interpreter"], musl["libc"]) == ("/lib/ld-musl-x86_64.so.1", "musl")


@pytest.mark.local
def test_the_beginning_of_a_program_is_enough(programs):
    for rid in ("linux-x64", "linux-musl-arm64", "osx-arm64", "win-arm64"):
        assert inspect("cut", programs(rid)[:8192])["rid"] == rid


@pytest.mark.local
def test_a_package_is_read_through_to_its_listener(programs):
    packed = pack(programs("linux-arm")).content
    assert inspect("a.tar.gz", packed)["path"] == "bin/Agent.Listener"
    assert inspect("cut.tar.gz", packed[: len(packed) // 2])["rid"] == "linux-arm"
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bin/Agent.Listener.exe", programs("win-x64"))
    assert inspect("a.zip", zipped.getvalue())["rid"] == "win-x64"


def test_this_machines_own_programs_run_on_it():
    rows = inspect("sh", Path("/bin/sh").resolve().read_bytes())["judged"]
    assert rows[0]["here"]
    assert rows[0]["outcome"] == "runs"


def test_a_chosen_machine_is_judged_alone():
    encoded = base64.b64encode(Path("/bin/sh").resolve().read_bytes()).decode()
    rows = inspect_encoded("sh", encoded, "armv6l")["judged"]
    assert [row["uname"] for row in rows] == ["armv6l"]
    with pytest.raises(BadRequest, match="machine"):
        inspect_encoded("sh", encoded, "toaster")
    with pytest.raises(BadRequest, match="base64"):
        inspect_encoded("sh", "nö", None)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no program"),
        (b"hello", "no program"),
        (b"#!/bin/bash\necho", "script .*#!/bin/bash"),
        (b"\x7fELF", "damaged"),
        (b"\x7fELF\x02\x01\x01" + bytes(9) + b"\xff" * 40, "damaged"),
        (b"MZ" + bytes(100), "damaged"),
        (bytes.fromhex("cffaedfe") + b"\xff" * 8, "damaged"),
        (b"\x1f\x8bnot gzip at all", "unpacked|looked at"),
        (gzip.compress(b"no tar", mtime=0), "damaged|looked at"),
        (b"PK\x03\x04cut off", "damaged"),
    ],
)
def test_what_is_no_whole_program_is_refused_in_words(data, says):
    with pytest.raises(NotAProgram, match=says):
        inspect("file", data)
