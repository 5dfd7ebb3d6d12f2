"""What is known of a program after its header was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Facts:
    """One program; of a Mach-O for several processors, the first with the others in `machines`."""

    format: Literal["ELF", "Mach-O", "PE"]
    machine: str
    """In the words of rids: `x64`, `x86`, `arm`, `arm64`; the header's own word for others."""
    machine_code: int
    machine_words: str
    """For people: `ARM`, `x86-64`."""
    bits: int
    byte_order: str
    interpreter: str | None = None
    """Path of the loader that an ELF program asks for."""
    libc: str | None = None
    machines: tuple[str, ...] = ()
    more: tuple[tuple[str, str], ...] = ()

    @property
    def rid(self) -> str:
        """The package it belongs to, as far as its header tells."""
        system = {"ELF": "linux", "Mach-O": "osx", "PE": "win"}[self.format]
        return f"{system}{'-musl' if self.libc == 'musl' else ''}-{self.machine}"
