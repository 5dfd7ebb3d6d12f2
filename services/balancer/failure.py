"""Why the balancer cannot go on, in the words that the dashboard shows."""

from __future__ import annotations


class BalancerFailed(Exception):
    """Ends the program; becomes the error of a `balancer.failed` line."""

    def __init__(self, kind: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint

    def as_dict(self) -> dict[str, str]:
        return {"kind": self.kind, "message": self.message, "hint": self.hint}
