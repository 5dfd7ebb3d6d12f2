"""Reading programs: real ones of every kind that Go compiles, cut, damaged and hostile ones."""

import base64
import contextlib
import gzip
import io
import os
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.agent_script.binary import NotAProgram, read_binary
from services.agent_script.inspection import inspect, inspect_encoded
from services.agent_script.lab_package import _TARGETS, LISTENER, pack
from services.errors import BadRequest, LabError

WINDOWS = {
    "win-x64": {"GOOS": "windows", "GOARCH": "amd64"},
    "win-x86": {"GOOS": "windows", "GOARCH": "386"},
    "win-arm64": {"GOOS": "windows", "GOARCH": "arm64"},
}
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
def programs(tmp_path_factory):
    """Agent.Listener for a processor, compiled by the wheel when it is first asked for."""
    folder, made = tmp_path_factory.mktemp("programs"), {}

    def program(rid):
        if rid not in made:
            made[rid] = compile_listener({**_TARGETS, **WINDOWS}[rid], folder / rid, folder / "cache")
        return made[rid]

    return program


def compile_listener(target, out, cache):
    """As the engines do it."""
    mode = [f"-buildmode={target['BUILDMODE']}"] if "BUILDMODE" in target else []
    linker = target.get("LDFLAGS", "-s -w")
    go = Path(sys.executable).with_name("go")
    own = {
        "PATH": os.environ["PATH"],
        "HOME": str(cache),
        "GOCACHE": f"{cache}/build",
        "GOPATH": f"{cache}/path",
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
        (gzip.compress(b"no tar"), "damaged|looked at"),
        (b"PK\x03\x04cut off", "damaged"),
    ],
)
def test_what_is_no_whole_program_is_refused_in_words(data, says):
    with pytest.raises(NotAProgram, match=says):
        inspect("file", data)


def test_a_bomb_is_not_unpacked_to_its_end():
    bomb = gzip.compress(bytes(300 * 1024 * 1024), compresslevel=1)
    began = time.monotonic()
    with pytest.raises(NotAProgram):
        inspect("bomb.tar.gz", bomb)
    assert time.monotonic() - began < 5


def test_a_package_that_lies_about_sizes_is_refused():
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as file:
        entry = tarfile.TarInfo("bin/Agent.Listener")
        entry.size = 2**40
        file.fileobj.write(entry.tobuf())
    with pytest.raises(NotAProgram):
        inspect("liar.tar.gz", gzip.compress(tar.getvalue()))


def header(bits, machine, phnum, phoff=64):
    ident = b"\x7fELF" + bytes([2 if bits == 64 else 1, 1, 1]) + bytes(9)
    return ident + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, phoff, 0, 0, 64, 56, phnum, 0, 0, 0)


@pytest.mark.parametrize(
    "rest", [b"\xff" * 40, struct.pack("<7I", 7, 3, 2, 2**31, 2**31, 0, 0) + bytes(900_000)]
)
@pytest.mark.parametrize("magic", [b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"])
def test_a_mach_o_header_that_promises_too_much_is_refused_at_once(magic, rest):
    began = time.monotonic()
    with pytest.raises(NotAProgram):
        inspect("greedy", magic + rest)
    assert time.monotonic() - began < 2


def test_a_header_that_promises_65535_segments_costs_nothing():
    began = time.monotonic()
    assert read_binary(header(64, 0x3E, 65535) + bytes(1_000_000)).machine == "x64"
    assert read_binary(header(64, 0x3E, 65535, 2**63)).interpreter is None
    assert time.monotonic() - began < 3


@pytest.mark.local
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_bytes_whatever_make_anything_but_an_answer_or_a_refusal(programs, data):
    rid = data.draw(st.sampled_from(["linux-arm", "linux-x64", "osx-x64", "win-x64"]))
    program = bytearray(programs(rid)[: data.draw(st.integers(0, 8192))])
    for place, byte in data.draw(st.lists(st.tuples(st.integers(0, 8191), st.integers(0, 255)), max_size=30)):
        if place < len(program):
            program[place] = byte
    with contextlib.suppress(LabError):
        inspect("fuzzed", bytes(program))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(
        [b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\x1f\x8b", b"PK\x03\x04", b""]
    ),
    st.binary(max_size=600),
)
def test_random_bytes_behind_a_magic_number_are_refused_or_read(magic, rest):
    with contextlib.suppress(LabError):
        inspect("random", magic + rest)
