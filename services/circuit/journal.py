"""What this replica tells about itself, one line an event."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from services.wire.lines import Level, emit

if TYPE_CHECKING:
    from services.circuit.connection import Connection


class Journal:
    """Adds to every event who it is about and how many connections and circuits there are now."""

    def __init__(self, replica: str, counts: Callable[[], dict[str, int]]) -> None:
        self.replica = replica
        self._counts = counts

    def tell(
        self, kind: str, text: str, connection: Connection | None = None, level: Level = "info", **data: Any
    ) -> None:
        """One event; `data` wins over what the connection says."""
        about = connection.facts() if connection else {}
        emit(kind, text, level=level, **(about | {"replica": self.replica} | self._counts() | data))
