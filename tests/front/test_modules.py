"""The page's pure modules, tested in node: the one on the PATH, else the one that comes with Playwright."""

import shutil
import subprocess
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable

HERE = Path(__file__).parent


def node():
    return shutil.which("node") or str(compute_driver_executable()[0])


@pytest.mark.parametrize("file", sorted(HERE.glob("*.test.mjs")), ids=lambda file: file.name)
def test_pure_modules_do_in_node_what_their_tests_say(file):
    ran = subprocess.run([node(), "--test", str(file)], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_there_are_tests_for_node_to_run():
    assert {file.name for file in HERE.glob("*.test.mjs")} >= {"store.test.mjs", "words.test.mjs"}
