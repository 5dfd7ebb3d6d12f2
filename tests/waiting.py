"""Waiting for a condition with a deadline: no test sleeps and hopes."""

import time


def wait_for(condition, seconds=10.0, *, told=lambda: ""):
    """Return the first true value of `condition()`; fails with what `told()` says when time is up."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {told()}"
        time.sleep(0.01)
    return found
