"""Windows programs, read with pefile."""

from __future__ import annotations

import pefile

from services.agent_script.facts import Facts

_MACHINES = {
    0x8664: ("x64", "x86-64"),
    0x14C: ("x86", "Intel 386"),
    0xAA64: ("arm64", "ARM 64-bit"),
    0x1C4: ("arm", "ARM"),
}
_MANAGED = 14
"""Number of the directory that only .NET assemblies have."""


def read(data: bytes) -> Facts:
    """Headers only; raises pefile.PEFormatError for damaged files."""
    with pefile.PE(data=data, fast_load=True) as file:
        code = file.FILE_HEADER.Machine
        name, words = _MACHINES.get(code, (f"machine-{code:#x}", f"machine {code:#x}"))
        wide = file.OPTIONAL_HEADER.Magic == pefile.OPTIONAL_HEADER_MAGIC_PE_PLUS
        more = (
            [("Managed", "a .NET assembly; it runs by a runtime of any processor")] if _managed(file) else []
        )
    return Facts("PE", name, code, words, 64 if wide else 32, "little endian", more=tuple(more))


def _managed(file: pefile.PE) -> bool:
    directories = file.OPTIONAL_HEADER.DATA_DIRECTORY
    return len(directories) > _MANAGED and directories[_MANAGED].VirtualAddress != 0
