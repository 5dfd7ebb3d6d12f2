"""Linux programs, read with pyelftools."""

from __future__ import annotations

import io
import struct

from elftools.elf.constants import E_FLAGS
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

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


def read(data: bytes) -> Facts:
    """Header, loader and libraries; sections are not looked at, so the beginning of a file is enough."""
    file = ELFFile(io.BytesIO(_without_sections(data)))
    code = struct.unpack_from("<H" if file.little_endian else ">H", data, 18)[0]
    name, words = _MACHINES.get(str(file["e_machine"]), (f"machine-{code}", str(file["e_machine"])))
    interpreter, libraries = _of_segments(file)
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


def _of_segments(file: ELFFile) -> tuple[str | None, list[str]]:
    """What lies behind the end of the data is unknown, and that is no error."""
    interpreter, libraries = None, []
    for number in range(min(file["e_phnum"], _MOST_SEGMENTS)):
        try:
            segment = file.get_segment(number)
            if isinstance(segment, InterpSegment) and segment["p_filesz"] <= _LONGEST_PATH:
                interpreter = segment.get_interp_name()
            elif isinstance(segment, DynamicSegment):
                libraries = _libraries(segment)
        except Exception:  # the parser's errors are of many kinds
            continue
    return interpreter, libraries


def _libraries(segment: DynamicSegment) -> list[str]:
    found = []
    for tag in segment.iter_tags("DT_NEEDED"):
        found.append(str(getattr(tag, "needed", ""))[:200])
        if len(found) == _MOST_LIBRARIES:
            break
    return found


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
