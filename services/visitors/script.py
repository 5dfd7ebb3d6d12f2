"""What the page of an app does in a browser: the seam between a visitor and the app that it visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from services.visitors.browser import Browser
from services.visitors.connection import HubConnection
from services.visitors.settings import CrowdSettings, Ways
from services.visitors.transports import ConnectionLost
from services.wire.messages import Message

MOST_ERRORS = 12
Memory = Literal["new", "kept", "lost"]


class VisitFailed(Exception):
    """This page has failed for good; only loading it again helps. `errors` is what it logged."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__(errors[-1])
        self.errors = list(errors[-MOST_ERRORS:])


class MemoryLost(Exception):
    """The replica does not know our circuit: the page is loaded again at once, as Blazor's does."""


@dataclass
class Held:
    """What the visitor sees of its memory on its page."""

    replica: str | None = None
    circuit: str | None = None
    """The id under which the replica speaks of it."""
    count: int = 0
    """How often this circuit was clicked, as the page was told last."""


class Script(Protocol):
    """One load of a page. Used by one task; raises VisitFailed, MemoryLost, CallFailed, ConnectionLost."""

    held: Held
    asked_to_move: bool
    """The replica wants us to take our memory elsewhere; the visitor then calls `pause`."""

    @classmethod
    async def load(cls, browser: Browser, settings: CrowdSettings) -> Script:
        """Fetch the page and read it; raises VisitFailed."""

    @property
    def ways(self) -> Ways:
        """How it connects."""

    @property
    def delays(self) -> Sequence[float]:
        """Seconds before each attempt to come back."""

    async def start(self, connection: HubConnection) -> None:
        """From a connection to a circuit that is seen on the page."""

    async def hear(self, connection: HubConnection, message: Message) -> None:
        """A message that no call waits for."""

    async def click(self, connection: HubConnection) -> None:
        """Add one; the answer is heard later."""

    async def pause(self, connection: HubConnection) -> None:
        """Have the memory in our hands; the connection is of no more use."""

    async def come_back(self, connection: HubConnection) -> Memory:
        """To the circuit that we had, or with what was saved of it, on a new connection."""

    def comes_back_after(self, lost: ConnectionLost) -> bool:
        """Whether it tries to, or gives up at once."""

    def failed_to_start(self, errors: Sequence[str]) -> list[str]:
        """What is on the console when the first connection failed with these lines of the client."""

    async def leave(self, browser: Browser, connection: HubConnection | None) -> None:
        """The page is closed or loaded again; never raises."""
