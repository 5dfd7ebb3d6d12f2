"""What waits to be sent to one client: bounded, one reader at a time."""

from __future__ import annotations

import asyncio
from collections import deque


class OutboxFull(Exception):
    """The client reads too slowly."""


class Outbox:
    """Frames from the hub to whichever transport carries them away."""

    __slots__ = ("_closed", "_frames", "_limit", "_reader", "_size")

    def __init__(self, limit: int) -> None:
        self._frames: deque[bytes] = deque()
        self._size = 0
        self._limit = limit
        self._closed = False
        self._reader: asyncio.Future[bool] | None = None

    def put(self, frame: bytes) -> None:
        """Queue one frame; raises OutboxFull. After `close` it is silently dropped."""
        if self._closed:
            return
        if self._size + len(frame) > self._limit:
            raise OutboxFull
        self._frames.append(frame)
        self._size += len(frame)
        self._wake(displaced=False)

    def close(self) -> None:
        """Nothing more comes; what is queued can still be taken."""
        self._closed = True
        self._wake(displaced=False)

    @property
    def empty(self) -> bool:
        return not self._frames

    async def take(self) -> bytes | None:
        """Everything queued, in order; None when it is over or when another reader took this one's place."""
        self._wake(displaced=True)
        while not self._frames and not self._closed:
            if await self._woken():
                return None
        frames = b"".join(self._frames)
        self._frames.clear()
        self._size = 0
        return frames or None

    async def _woken(self) -> bool:
        reader = self._reader = asyncio.get_running_loop().create_future()
        try:
            return await reader
        finally:
            if self._reader is reader:
                self._reader = None

    def _wake(self, *, displaced: bool) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(displaced)
