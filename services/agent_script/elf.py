"""Linux programs, read with pyelftools."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from itertools import islice
from typing import Any

from elftools.common.utils import struct_parse
from elftools.elf.constants import E_FLAGS
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

from services.agent_script.facts import Facts

_MACHINES = {
    "EM_X86_64": ("x64", "x86-64"),
    "EM_386": ("x86", "Intel 386"),
    "EM_ARM": ("arm", "ARM"),
    "EM_AARCH64": ("arm64", "ARM 64-bit"),
    "EM_RISCV": ("riscv64", "RISC-V"),
    "EM_PPC64": ("ppc64", "PowerPC 64-bit"),
    "EM_S390": ("s390x", "IBM Z"),
    "EM_LOONGARCH": ("loongarch64", "LoongArch"),
}
_LONGEST_PATH = 4096
_MOST_SEGMENTS = 64
_MOST_LIBRARIES = 64
_LONGEST_TABLE = 16 * 1024
"""Bytes of the dynamic section: programs have some 40 entries of 16."""


def read(data: bytes) -> Facts:
    """Header, loader and libraries; sections are not looked at, so the beginning of a file is enough."""
    file = ELFFile(io.BytesIO(_without_sections(data)))
    code = struct.unpack_from("<H" if file.little_endian else ">H", data, 18)[0]
    name, words = _MACHINES.get(str(file["e_machine"]), (f"machine-{code}", str(file["e_machine"])))
    interpreter, libraries = _of_segments(file, data)
    return Facts(
        "ELF",
        name,
        code,
        words,
        file.elfclass,
        "little endian" if file.little_endian else "big endian",
        interpreter,
        _libc(interpreter, libraries),
        more=tuple(_more(file, libraries)),
    )


def _without_sections(data: bytes) -> bytes:
    """The table of sections is at the end of a file, which may be cut off: say that there is none."""
    if len(data) < 52:
        raise ValueError("it is shorter than a header")
    fixed = bytearray(data)
    wide = data[4] == 2
    offset, size, count = (40, 8, 60) if wide else (32, 4, 48)
    if len(data) < count + 4:
        raise ValueError("it is shorter than a header")
    fixed[offset : offset + size] = bytes(size)
    fixed[count : count + 4] = bytes(4)
    return bytes(fixed)


def _of_segments(file: ELFFile, data: bytes) -> tuple[str | None, list[str]]:
    """Loader and libraries. What lies behind the end of the data is unknown, and that is no error."""
    segments: dict[str, Any] = {}
    for number in range(min(file["e_phnum"], _MOST_SEGMENTS)):
        with suppress(Exception):  # the parser's errors are of many kinds
            place = file["e_phoff"] + number * file["e_phentsize"]
            header = struct_parse(file.structs.Elf_Phdr, file.stream, stream_pos=place)
            segments.setdefault(header["p_type"], (number, header))
    libraries: list[str] = []
    if "PT_DYNAMIC" in segments:
        number, header = segments["PT_DYNAMIC"]
        with suppress(Exception):
            libraries = _libraries(file, number, data[header["p_offset"] :][:_LONGEST_TABLE])
    return _interpreter(segments, data), libraries


def _interpreter(segments: dict[str, Any], data: bytes) -> str | None:
    """The first loader that is asked for, as the kernel takes it."""
    if "PT_INTERP" not in segments:
        return None
    _, header = segments["PT_INTERP"]
    if header["p_filesz"] > _LONGEST_PATH:
        return None
    path = data[header["p_offset"] :][: header["p_filesz"]].partition(b"\0")[0]
    return path.decode(errors="replace") or None


def _libraries(file: ELFFile, number: int, table: bytes) -> list[str]:
    """Empty where the table has no end within reach: pyelftools would read it entry by entry, and again."""
    width = file.elfclass // 8
    tags = {table[at : at + width] for at in range(0, len(table), 2 * width)}
    if bytes(width) not in tags:
        return []
    segment = file.get_segment(number)
    assert isinstance(segment, DynamicSegment)
    found = segment.iter_tags("DT_NEEDED")
    return [str(getattr(tag, "needed", ""))[:200] for tag in islice(found, _MOST_LIBRARIES)]


def _libc(interpreter: str | None, libraries: list[str]) -> str | None:
    named = [interpreter or "", *libraries]
    if any("ld-musl" in name or "libc.musl" in name for name in named):
        return "musl"
    if any(name.startswith("libc.so.6") or "ld-linux" in name for name in named):
        return "glibc"
    return None


def _more(file: ELFFile, libraries: list[str]) -> list[tuple[str, str]]:
    found = []
    if file["e_machine"] == "EM_ARM" and file["e_flags"] & E_FLAGS.EF_ARM_ABI_FLOAT_HARD:
        found.append(("Floating point", "hard (armhf)"))
    if libraries:
        found.append(("Libraries", ", ".join(libraries[:8])))
    return found
