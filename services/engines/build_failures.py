"""Why a build failed, and the learner's next move: read from the builder's last words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from services.engines.escapes import plain
from services.errors import BuildFailed
from services.words import say

_HINTS = (
    (
        r"no space left on device|disk quota exceeded",
        say(
            "The disk is full. Make room (`docker image prune` removes images without a name), "
            "then try again."
        ),
    ),
    (
        r"manifest unknown|pull access denied|repository does not exist|no such host|dial tcp|toomanyrequests"
        r"|TLS handshake timeout|failed to resolve|i/o timeout|Client\.Timeout",
        say(
            "A base image is not on this machine and no registry gave it. `docker pull` it where there is a "
            "network, or name one that is here with LAB_IMAGE_GOLANG, LAB_IMAGE_RUNTIME or LAB_IMAGE_DEBIAN."
        ),
    ),
)


def hint_for(words: str) -> str | None:
    """The next move, when the words tell one; also when Docker says them outside of a build."""
    return next((hint for pattern, hint in _HINTS if re.search(pattern, words, re.IGNORECASE)), None)


def build_failed(name: str, said: Iterable[str]) -> BuildFailed:
    """The error with the builder's last words, and the hint for what they tell."""
    words = "\n".join(plain(line) for line in said)
    return BuildFailed(say("%(name)s did not build: %(words)s", name=name, words=words), hint=hint_for(words))
