"""Engines block in the way gevent can see: in gunicorn's worker other requests go on meanwhile."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from contract.machines import REAL

HERE = Path(__file__).parent


@pytest.mark.parametrize("kind", REAL)
def test_streams_run_and_close_in_a_patched_process(kind, tmp_path, go_caches):
    (tmp_path / "go").symlink_to(go_caches)
    seen = subprocess.run(
        [sys.executable, str(HERE / "under_gevent.py"), kind, str(tmp_path)],
        cwd=HERE.parents[1],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(HERE.parents[1]), str(HERE.parent)))},
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert seen.returncode == 0, seen.stderr
    found = json.loads(seen.stdout)
    assert found["lines"] == 2001 and found["told"] == ["started", "died"] and found["ended"], found
    assert found["slowest_ms"] < 500 and found["laps"] > 20, found
