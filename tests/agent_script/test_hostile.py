"""Files and texts that were made to hurt: the dashboard is one process, so none may keep it busy."""

import contextlib
import gzip
import io
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pip._vendor import distlib

from services.agent_script.binary import NotAProgram, read_binary
from services.agent_script.decoding import LONGEST, decode
from services.agent_script.inspection import inspect
from services.agent_script.lab_package import pack
from services.errors import LabError

pytestmark = pytest.mark.timeout(5)
"""Each of these takes milliseconds; without its guard, some took half a minute, and one never ended."""
PLACE = 64 + 56 * 64
"""Where a file of `elf` has its content."""


def elf(*segments, phoff=64, phnum=None, rest=b""):
    """A 64-bit program for x86-64 with these segments: `(type, length)` each, all at PLACE."""
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    count = len(segments) if phnum is None else phnum
    header = struct.pack("<HHIQQQIHHHHHH", 2, 0x3E, 1, 0, phoff, 0, 0, 64, 56, count, 0, 0, 0)
    table = [struct.pack("<IIQQQQQQ", kind, 5, PLACE, PLACE, 0, size, size, 8) for kind, size in segments]
    return (ident + header + b"".join(table)).ljust(PLACE, b"\0") + rest


LOAD, DYNAMIC, INTERP = 1, 2, 3
WHOLE = (LOAD, 1 << 20)
ENDLESS = struct.pack("<2Q", 3, 1) * 60_000


def mach_o(sections):
    """A header whose one command promises that many sections, and keeps its promise."""
    size = 72 + 80 * sections
    header = struct.pack("<8I", 0xFEEDFACF, 0x01000007, 3, 2, 1, size, 0, 0)
    segment = struct.pack("<II", 0x19, size) + bytes(16) + struct.pack("<4Q4I", 0, 0, 0, 0, 0, 0, sections, 0)
    return header + segment + bytes(80 * sections)


def fat(program, processors):
    """A Mach-O for many processors, all of them the same program."""
    entry = struct.pack(">5I", 0x01000007, 3, 4096, len(program), 0)
    return (struct.pack(">II", 0xCAFEBABE, processors) + entry * processors).ljust(4096, b"\0") + program


@pytest.mark.parametrize(
    ("segments", "rest"),
    [
        ((WHOLE, *[(DYNAMIC, 1 << 20)] * 63), ENDLESS),
        ([(INTERP, 4000)] * 64, b"A" * 1_000_000),
        ((WHOLE, (DYNAMIC, 4096)), struct.pack("<4Q", 5, PLACE, 1, 1) * 200 + bytes(16) + b"A" * 900_000),
    ],
    ids=["tables without end", "loaders without end", "names without end"],
)
def test_a_program_whose_parts_have_no_end_is_read_without_them(segments, rest):
    assert read_binary(elf(*segments, rest=rest)).machine == "x64"


def test_a_program_that_promises_65535_segments_is_read_without_them():
    assert read_binary(elf(phnum=65535, rest=bytes(1_000_000))).machine == "x64"
    assert read_binary(elf(phnum=65535, phoff=2**63, rest=bytes(1_000_000))).interpreter is None


@pytest.mark.parametrize(
    "data",
    [
        b"\xcf\xfa\xed\xfe" + b"\xff" * 40,
        b"\xca\xfe\xba\xbe" + b"\xff" * 40,
        b"\xcf\xfa\xed\xfe" + struct.pack("<7I", 7, 3, 2, 2**31, 2**31, 0, 0) + bytes(900_000),
        fat(mach_o(7000), 16),
    ],
    ids=["all ones", "all ones, many processors", "two thousand million commands", "sixteen times much"],
)
def test_a_mach_o_that_promises_too_much_is_refused(data):
    with pytest.raises(NotAProgram):
        inspect("greedy", data)


def test_a_bomb_is_not_unpacked_to_its_end():
    with pytest.raises(NotAProgram):
        inspect("bomb.tar.gz", gzip.compress(bytes(100 * 1024 * 1024), compresslevel=1))


def tar_entry(name, size):
    """A header with a size that `tarfile` writes for nobody: eleven bytes of a signed number."""
    raw = bytearray(tarfile.TarInfo(name).tobuf(format=tarfile.GNU_FORMAT)[:512])
    raw[124:136] = b"\xff" + size.to_bytes(11, "big", signed=True)
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw)
    return bytes(raw)


@pytest.mark.parametrize("entries", [1, 2, 3])
def test_a_package_whose_entry_leads_back_is_not_read_for_ever(entries):
    tar = tarfile.TarInfo("first").tobuf() + tar_entry("back", -512 * entries) * 4 + bytes(1024)
    with pytest.raises(NotAProgram):
        inspect("loop.tar.gz", gzip.compress(tar))


def test_a_package_that_lies_about_sizes_is_refused():
    with pytest.raises(NotAProgram):
        inspect("liar.tar.gz", gzip.compress(tar_entry("bin/Agent.Listener", 2**40)))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 9, 99])
def test_a_package_packed_in_an_odd_way_is_refused(method):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("bin/Agent.Listener.exe", b"no such packing")
    data = bytearray(packed.getvalue())
    data[8] = data[data.find(b"PK\x01\x02") + 10] = method
    with pytest.raises(NotAProgram):
        inspect("odd.zip", bytes(data))


@pytest.mark.parametrize(
    "text",
    [
        "/bin/" * LONGEST,
        "aarch64\n" + "\n" * (LONGEST - 20) + "x",
        "aarch64\n" + "LONG_BIT " * LONGEST,
        "/bin/a" + " " * LONGEST,
    ],
    ids=["paths", "line ends", "words", "spaces"],
)
def test_a_text_that_almost_matches_everywhere_is_read_at_once(text):
    assert [one["kind"] for one in decode(text)] in ([], ["machine"])


@pytest.mark.timeout(120)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_bytes_whatever_make_anything_but_an_answer_or_a_refusal(data):
    linux = Path("/bin/sh").resolve().read_bytes()
    windows = (Path(distlib.__file__).parent / "t64.exe").read_bytes()
    whole = data.draw(st.sampled_from([linux, windows, mach_o(20), fat(mach_o(3), 2), pack(linux).content]))
    program = bytearray(whole[: data.draw(st.integers(0, 8192))])
    for place, byte in data.draw(st.lists(st.tuples(st.integers(0, 8191), st.integers(0, 255)), max_size=30)):
        if place < len(program):
            program[place] = byte
    with contextlib.suppress(LabError):
        inspect("fuzzed", bytes(program))


@pytest.mark.timeout(120)
@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(
        [b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\x1f\x8b", b"PK\x03\x04", b""]
    ),
    st.binary(max_size=600),
)
def test_random_bytes_behind_a_magic_number_are_refused_or_read(magic, rest):
    with contextlib.suppress(LabError):
        inspect("random", magic + rest)
