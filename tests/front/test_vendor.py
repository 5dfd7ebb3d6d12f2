"""What is vendored is what VENDOR.md says, and nothing else is there."""

import hashlib
import re
from pathlib import Path

VENDOR = Path(__file__).parents[2] / "static" / "vendor"
LINE = re.compile(r"^\| (\S+) \| .+ \| ([\d.]+) \| (\S+) \| ([0-9a-f]{64}) \|$", re.MULTILINE)


def listed():
    return {
        name: (version, digest)
        for name, version, _, digest in LINE.findall((VENDOR / "VENDOR.md").read_text())
    }


def test_every_vendored_file_has_the_sha256_of_its_line():
    assert listed()
    for name, (_, digest) in listed().items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


def test_no_file_is_vendored_without_a_line():
    assert {file.name for file in VENDOR.iterdir()} - {"VENDOR.md", "fetch.sh"} == set(listed())


def test_every_library_lies_beside_its_licence_and_carries_its_version():
    libraries = [name for name in listed() if name.endswith(".js")]
    assert libraries
    for name in libraries:
        version = listed()[name][0]
        assert version in name
        assert any(other.endswith("LICENSE") and version in other for other in listed())
