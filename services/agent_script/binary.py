"""What a program's header says: format, class, byte order, machine, loader. Nothing is executed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from services.agent_script.facts import Facts
from services.errors import BadRequest
from services.words import say

SHOWN = 32
"""Bytes of the header that the page shows."""
_MACHO = {bytes.fromhex(magic) for magic in ("feedface", "feedfacf", "cefaedfe", "cffaedfe", "cafebabe")}


class NotAProgram(BadRequest):
    """Neither ELF, Mach-O nor PE, or too damaged to say."""

    kind = "not_a_program"
    hint = say("Give bin/Agent.Listener, another program, or a package (.tar.gz, .zip).")


@dataclass(frozen=True)
class Field:
    """One line of the page: name, value, and where in the file it stands."""

    name: str
    value: str
    meaning: str
    at: tuple[int, int] | None = field(default=None)


def read_binary(data: bytes) -> Facts:
    """The facts of a program, of which `data` may be just the beginning; raises NotAProgram.

    Each parser is loaded by the first file of its kind: 4 MB that most dashboards never need.
    """
    try:
        if data.startswith(b"\x7fELF"):
            from services.agent_script import elf

            return elf.read(data)
        if data[:4] in _MACHO:
            from services.agent_script import macho

            return macho.read(data)
        if data.startswith(b"MZ"):
            from services.agent_script import pe

            return pe.read(data)
    except Exception as error:  # three parsers on a stranger's bytes: whatever they raise, it is the file
        raise NotAProgram(
            say("The file begins like a program, but its header is damaged: %(short)s.", short=_short(error))
        ) from error
    if data.startswith(b"#!"):
        first = data.splitlines()[0][:80].decode(errors="replace")
        raise NotAProgram(
            say(
                "This is a script (%(first)s), not a program: it runs wherever its interpreter does.",
                first=first,
            )
        )
    raise NotAProgram(say("This is no program: it begins neither like ELF, nor Mach-O, nor PE."))


def _short(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:120].rstrip(".")


def describe(facts: Facts, data: bytes) -> dict[str, Any]:
    """The facts for a page: fields with their meaning, and the first bytes with the fields' places."""
    return {
        "format": facts.format,
        "machine": facts.machine,
        "bits": facts.bits,
        "interpreter": facts.interpreter,
        "libc": facts.libc,
        "rid": facts.rid,
        "hex": data[:SHOWN].hex(" "),
        "fields": [vars(one) for one in _fields(facts)],
    }


def _fields(facts: Facts) -> list[Field]:
    is_elf = facts.format == "ELF"
    systems = {"ELF": say("Linux program"), "Mach-O": say("macOS program"), "PE": say("Windows program")}
    order_code = "01" if facts.byte_order == "little endian" else "02"
    fields = [
        Field(say("Format"), facts.format, systems[facts.format], (0, 2) if facts.format == "PE" else (0, 4)),
        Field(
            say("Class"),
            say("%(bits)s-bit", bits=facts.bits),
            say("byte 4 is %(code)s", code="02" if facts.bits == 64 else "01") if is_elf else "",
            (4, 5) if is_elf else None,
        ),
        Field(
            say("Byte order"),
            facts.byte_order,
            say("byte 5 is %(order_code)s", order_code=order_code) if is_elf else "",
            (5, 6) if is_elf else None,
        ),
        Field(
            say("Machine"),
            f"{facts.machine_words}, {facts.machine_code:#x}",
            _contrast(facts),
            _machine_at(facts),
        ),
    ]
    if is_elf:
        fields.append(_loader(facts))
    if facts.libc:
        fields.append(
            Field(
                say("C library"), facts.libc, say("told by the loader's name and the libraries it asks for")
            )
        )
    fields += [Field(name, value, "") for name, value in facts.more]
    return fields


def _machine_at(facts: Facts) -> tuple[int, int] | None:
    """A PE has it behind the bytes that are shown, a Mach-O for several processors has one for each."""
    places = {"ELF": (18, 20), "Mach-O": (4, 8) if len(facts.machines) == 1 else None, "PE": None}
    return places[facts.format]


def _contrast(facts: Facts) -> str:
    if facts.format != "ELF":
        return ""
    return say("ARM would be 0x28") if facts.machine_code == 0x3E else say("x86-64 would be 0x3e")


def _loader(facts: Facts) -> Field:
    if facts.interpreter is None:
        return Field(say("Loader"), say("none"), say("statically linked"))
    return Field(
        say("Loader"), facts.interpreter, say("must exist, or the shell says: No such file or directory")
    )
