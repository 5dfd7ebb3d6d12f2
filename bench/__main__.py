"""`python -m bench [--quick] [names…]`: measure all, or the named ones, and print the tables.

`--quick` does little of each: it shows that a benchmark works, not how fast anything is.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from bench import blazor, build, crowd, launch, live, machine, memory, picture, scroll, toggle
from bench.table import Skipped, Table

BENCHMARKS: dict[str, Callable[[bool], Table]] = {
    "toggle": toggle.measure,
    "launch": launch.measure,
    "build": build.measure,
    "live": live.measure,
    "memory": memory.measure,
    "crowd": crowd.measure,
    "blazor": blazor.measure,
    "scroll": scroll.measure,
    "picture": picture.measure,
}


def main(arguments: Sequence[str]) -> int:
    """The exit status: 2 for a name that there is not, 1 when one could not be measured to its end."""
    names = [word for word in arguments if word != "--quick"] or list(BENCHMARKS)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        sys.stderr.write(f"There is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}.\n")
        return 2
    print(f"{machine.description()}\n", flush=True)
    failed = [name for name in names if not _show(name, quick="--quick" in arguments)]
    return 1 if failed else 0


def _show(name: str, quick: bool) -> bool:
    """True unless it failed; what this machine cannot measure has not failed."""
    function, load, began = BENCHMARKS[name], machine.load(), time.monotonic()
    print(
        f"## {name}: {(sys.modules[function.__module__].__doc__ or '').strip().splitlines()[0]}\n", flush=True
    )
    try:
        print(function(quick))
    except Skipped as reason:
        print(f"Skipped: {reason}")
    except (AssertionError, RuntimeError, OSError) as error:
        print(f"Failed: {_shortened(str(error))}")
        return False
    finally:
        took = time.monotonic() - began
        print(f"\nLoad average {load} before, {machine.load()} after {took:.0f} s.\n", flush=True)
    return True


def _shortened(words: str) -> str:
    """The first and the last lines; a dashboard that failed has told its whole log."""
    lines = words.splitlines()
    return "\n".join(lines if len(lines) < 15 else [*lines[:2], "…", *lines[-10:]])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
