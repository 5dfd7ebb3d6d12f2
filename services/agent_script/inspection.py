"""A dropped file, read and judged."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from services.agent_script.archive import program_in
from services.agent_script.binary import describe, read_binary
from services.agent_script.machines import MACHINES, judged
from services.errors import BadRequest
from services.words import say


def inspect(name: str, data: bytes, machine: str | None = None) -> dict[str, Any]:
    """Facts and judgement of a program, or of the Agent.Listener in a package; raises NotAProgram."""
    path, program = program_in(data)
    facts = read_binary(program)
    return {"file": name, "path": path} | describe(facts, program) | {"judged": judged(facts, machine)}


def inspect_encoded(name: str, encoded: str, machine: str | None) -> dict[str, Any]:
    """The same of base64, as it comes in JSON; raises BadRequest and NotAProgram."""
    if machine is not None and machine not in MACHINES:
        raise BadRequest(say("machine: choose one of %(names)s.", names=", ".join(MACHINES)))
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(say("data: this is not base64: %(error)s.", error=error)) from error
    return inspect(name, data, machine)
