"""The gunicorn worker: gevent's, but it ends at once when it is told to, and only once."""

from __future__ import annotations

from types import FrameType

from gunicorn.workers.ggevent import GeventWorker


class Worker(GeventWorker):
    """SIGTERM means what Ctrl-C means.

    gunicorn's own answer to SIGTERM waits for open connections, and a WebSocket is open for hours.
    Nothing is lost by not waiting: no request takes long, and a watcher connects again and catches up.
    """

    ending = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.handle_quit(sig, frame)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal only: at Ctrl-C the terminal sends one and gunicorn's master another.

        The second would interrupt the writing of the log that the first began.
        """
        if not self.ending:
            self.ending = True
            super().handle_quit(sig, frame)
