"""macOS programs, read with macholib."""

from __future__ import annotations

import struct
import tempfile

from macholib.mach_o import CPU_TYPE_NAMES
from macholib.MachO import MachO

from services.agent_script.facts import Facts

_MACHINES = {"x86_64": "x64", "i386": "x86", "ARM64": "arm64", "ARM": "arm"}
_WORDS = {"x86_64": "x86-64 (Intel)", "ARM64": "ARM 64-bit (Apple silicon)"}

_WHOLE = 16 * 1024 * 1024
"""A file that was cut off is made this long, in no space: macholib looks whether sections fit in."""
_MOST_PROCESSORS = 16
_MOST_COMMANDS = 2000
_LONGEST_COMMANDS = 64 * 1024
"""Bytes of load commands for one processor; programs have some kilobytes."""
_FAT = bytes.fromhex("cafebabe")


def read(data: bytes) -> Facts:
    """Raises what macholib raises for damaged files. It reads from a file only, so it gets one."""
    _check(data)
    with tempfile.NamedTemporaryFile(prefix="labdeck-") as file:
        file.write(data)
        file.truncate(max(len(data), _WHOLE))
        file.flush()
        headers = MachO(file.name, allow_unknown_load_commands=True).headers
    names = [CPU_TYPE_NAMES.get(one.header.cputype, f"cpu {one.header.cputype}") for one in headers[:8]]
    first = headers[0]
    machines = tuple(_MACHINES.get(name, name) for name in names)
    return Facts(
        "Mach-O",
        machines[0],
        first.header.cputype,
        ", ".join(_WORDS.get(name, name) for name in names),
        64 if "64" in type(first.header).__name__ else 32,
        "little endian" if first.endian == "<" else "big endian",
        machines=machines,
    )


def _check(data: bytes) -> None:
    """Refuse headers that promise so much that reading them would take long; Java classes begin alike."""
    places = [0]
    if data.startswith(_FAT):
        count = struct.unpack_from(">I", data, 4)[0]
        if count > _MOST_PROCESSORS:
            raise ValueError(f"it promises {count} processors")
        places = [struct.unpack_from(">I", data, 8 + 20 * number + 8)[0] for number in range(count)]
    for place in places:
        order = "<" if data[place : place + 4] in (b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe") else ">"
        commands, size = struct.unpack_from(f"{order}II", data, place + 16)
        if commands > _MOST_COMMANDS or size > min(len(data), _LONGEST_COMMANDS):
            raise ValueError(f"it promises {commands} commands of {size} bytes")
