"""On what it was measured, and how busy that was: a number from a busy machine says little."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def description() -> str:
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    kernel = platform.release().partition("-")[0]
    return (
        f"{os.cpu_count()} cores ({_processor()}), {gigabytes:.0f} GB, "
        f"{platform.system()} {kernel}, Python {platform.python_version()}"
    )


def load() -> str:
    """Runnable processes over the last minute, on average; the benchmark's own are among them."""
    return f"{os.getloadavg()[0]:.2f}"


def _processor() -> str:
    """The model, where the kernel tells one."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
