"""Start and end: Envoy and its controller live and die together, and say why they cannot."""

import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import pytest
from lab_programs import LiveSocket, Program, free_port, until
from real_balancer import Balancer, alive

pytestmark = pytest.mark.local


def failure(program):
    """The error it told before it ended."""
    assert program.ended(20) == 1, program.story()
    [line] = program.of("balancer.failed")
    assert line["level"] == "error"
    return line["data"]["error"]


def test_told_to_stop_both_end_within_three_seconds_with_a_websocket_open(balancer):
    envoy = balancer.envoy_pid()
    live = LiveSocket(balancer.public, "/_blazor")
    live.echo("hello")
    started = time.monotonic()
    assert balancer.end(signal.SIGTERM) == 0
    assert time.monotonic() - started < 3
    assert not alive(envoy)
    live.close()


def test_a_killed_controller_takes_envoy_with_it(bare_balancer):
    envoy = bare_balancer.envoy_pid()
    bare_balancer.end(signal.SIGKILL)
    until(lambda: not alive(envoy), "Envoy ends with its controller")


def test_a_killed_envoy_ends_the_program_with_a_line_that_says_so(bare_balancer):
    os.kill(bare_balancer.envoy_pid(), signal.SIGKILL)
    error = failure(bare_balancer)
    assert error["kind"] == "service_failed" and "Envoy ended" in error["message"]


def test_its_files_are_private_and_gone_afterwards():
    with tempfile.TemporaryDirectory() as place:
        balancer = Balancer(environment={"TMPDIR": place})
        balancer.wait_for("balancer.ready")
        [folder] = Path(place).iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "admin.sock").stat().st_mode & 0o777 == 0o600
        balancer.end()
        assert not list(Path(place).iterdir())


def test_a_folder_for_temporary_files_with_a_long_name_is_no_obstacle(tmp_path):
    deep = tmp_path / ("a" * 100)
    deep.mkdir()
    balancer = Balancer(environment={"TMPDIR": str(deep)})
    balancer.wait_for("balancer.ready")
    assert balancer.end() == 0


@pytest.mark.parametrize("port", ["public", "control"])
def test_a_taken_port_is_said(port):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        error = failure(Balancer(environment={f"LAB_LISTEN_{port.upper()}": taken}))
    assert error["kind"] == "port_taken" and error["hint"]


def test_a_second_balancer_on_the_same_port_is_refused_and_the_first_serves_on(balancer):
    second = Balancer(environment={"LAB_LISTEN_PUBLIC": f"127.0.0.1:{balancer.public}"})
    assert failure(second)["kind"] == "port_taken"
    assert len(set(balancer.pages(3))) == 3


def test_an_address_that_is_not_of_this_machine_is_said():
    error = failure(Balancer(environment={"LAB_LISTEN_PUBLIC": f"192.0.2.1:{free_port()}"}))
    assert error["kind"] == "service_failed" and "192.0.2.1" in error["message"]


def test_a_machine_without_envoy_is_told_how_to_get_it(tmp_path):
    python = tmp_path / "python"
    python.symlink_to(Path(sys.executable).resolve())
    paths = {"PYTHONPATH": f"{Path.cwd()}:{sysconfig.get_path('purelib')}", "PATH": str(tmp_path)}
    program = Program(("-m", "services.balancer"), "balancer", environment=paths, python=str(python))
    error = failure(program)
    assert error["kind"] == "engine_unavailable" and "pip install" in error["hint"]


def test_a_missing_variable_is_named():
    program = Program(("-m", "services.balancer"), environment={"LAB_CONTROL_KEY": ""})
    assert program.ended() == 2
    assert "LAB_CONTROL_KEY" in "".join(program.complaints)


def test_envoy_gets_no_key(bare_balancer):
    environment = Path(f"/proc/{bare_balancer.envoy_pid()}/environ").read_bytes()
    assert b"LAB_" not in environment


def test_both_together_need_at_most_110_megabytes(balancer):
    balancer.pages(30)
    pids = f"{balancer.process.pid},{balancer.envoy_pid()}"
    sizes = subprocess.run(["ps", "-o", "rss=", "-p", pids], capture_output=True, text=True).stdout.split()
    assert sum(map(int, sizes)) < 110 * 1024, json.dumps(sizes)
