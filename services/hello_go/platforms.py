"""Processors that Go compiles for, and which of them is this machine's."""

from __future__ import annotations

import platform as machine
from dataclasses import dataclass

from services.words import say


@dataclass(frozen=True)
class Platform:
    """As Docker names it, and as Go is told."""

    name: str
    words: str
    """Go's variables as a shell has them."""
    people: str

    @property
    def slug(self) -> str:
        return self.name.replace("/", "-")

    @property
    def variables(self) -> dict[str, str]:
        return dict(one.split("=", 1) for one in self.words.split())


PLATFORMS = {
    one.name: one
    for one in (
        Platform("linux/amd64", "GOOS=linux GOARCH=amd64", say("Intel and AMD, 64-bit")),
        Platform("linux/arm64", "GOOS=linux GOARCH=arm64", say("64-bit ARM, such as a Pi 4 or 5")),
        Platform("linux/arm/v7", "GOOS=linux GOARCH=arm GOARM=7", say("32-bit ARM, such as a Pi 2 or 3")),
    )
}
_OF_MACHINE = {
    "x86_64": "linux/amd64",
    "AMD64": "linux/amd64",
    "aarch64": "linux/arm64",
    "arm64": "linux/arm64",
    "armv7l": "linux/arm/v7",
}


def this_platform() -> str | None:
    """The name of this machine's; None for a processor that is not among them."""
    return _OF_MACHINE.get(machine.machine())
