"""What a lab program reads from its environment and writes on its standard output."""

import json
import os
import signal
import subprocess
import sys
from datetime import datetime

import pytest

from services.wire.environment import BadEnvironment, Listen, read_environment, read_listen

NAMES = {"LAB_WORKSPACE": "demo", "LAB_INSTANCE": "replica-1", "LAB_CONTROL_KEY": "secret"}


def run(code, **options):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, **options)


def test_the_names_of_an_instance_are_read_and_its_key_is_never_printed():
    environment = read_environment(NAMES)
    assert (environment.workspace, environment.instance) == ("demo", "replica-1")
    assert environment.control_key == "secret"
    assert "secret" not in repr(environment)


@pytest.mark.parametrize("missing", sorted(NAMES))
def test_a_missing_variable_is_named(missing):
    with pytest.raises(BadEnvironment, match=missing):
        read_environment(NAMES | {missing: ""})


@pytest.mark.parametrize(("text", "listen"), [
    ("127.0.0.1:8090", Listen("127.0.0.1", 8090)),
    ("0.0.0.0:0", Listen("0.0.0.0", 0)),
    ("[::1]:80", Listen("::1", 80)),
])  # fmt: skip
def test_a_listening_address_is_read(text, listen):
    assert read_listen({"LAB_LISTEN_PUBLIC": text}, "public") == listen


@pytest.mark.parametrize(
    "text", ["", "8090", ":8090", "host:", "host:port", "host:65536", "host:-1", "host:²"]
)
def test_a_listening_address_that_cannot_be_is_named(text):
    with pytest.raises(BadEnvironment, match="LAB_LISTEN_PUBLIC"):
        read_listen({"LAB_LISTEN_PUBLIC": text}, "public")


def test_a_line_is_json_with_the_time_in_utc():
    code = (
        "from services.wire.lines import emit\n"
        "emit('circuit.rejected', 'Nobody\\nknows \\ud800.', level='warning', visitor='visitor-7', ms=1.5)\n"
        "emit('page.served', 'Served.', source='replica-2')"
    )
    first, second = map(json.loads, run(code).stdout.splitlines())
    assert datetime.fromisoformat(first["at"]).utcoffset().total_seconds() == 0
    assert first["at"][-5] == "." and first["at"].endswith("Z")
    assert (first["kind"], first["level"]) == ("circuit.rejected", "warning")
    assert first["data"] == {"visitor": "visitor-7", "ms": 1.5}
    assert "source" not in first
    assert second["source"] == "replica-2"


def test_a_program_goes_on_when_nobody_reads_its_lines():
    code = (
        "import os, sys\nfrom services.wire.lines import emit\n"
        "read, write = os.pipe(); os.dup2(write, 1); os.close(write); os.close(read)\n"
        "emit('replica.ready', 'Ready.'); emit('replica.ready', 'Ready.')\n"
        "sys.stderr.write('still here'); sys.stderr.flush(); os._exit(0)"
    )
    assert run(code).stderr == "still here"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_program_is_told_to_stop(number):
    code = (
        "import asyncio\nfrom services.wire.environment import told_to_stop\n"
        "async def main():\n"
        "    waiting = asyncio.ensure_future(told_to_stop())\n"
        "    await asyncio.sleep(0); print('ready', flush=True); await waiting\n"
        "asyncio.run(main())"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout.readline() == "ready\n"
        os.kill(program.pid, number)
        assert program.wait(10) == 0
