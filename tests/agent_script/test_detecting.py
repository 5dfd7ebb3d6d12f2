"""The script that asks the machine: what it chooses where, that it checks, and that it may be run again."""

import hashlib
import os
import pty
import subprocess
from dataclasses import replace

import pytest

from services.agent_script.script import answer
from tests.agent_script.inputs import ARTICLE, TODAY
from tests.agent_script.recorder import calls_of, record

DETECTING = replace(TODAY, detect=True)
TOKEN = "a-token-that-nobody-may-see"


def machine(system, uname, bits=64, libc="ldd (GNU libc) 2.36"):
    """Programs that answer as such a machine does."""
    return {
        "uname": f'case "$1" in -s) echo {system} ;; -m) echo {uname} ;; esac',
        "getconf": f'[ "$1" = LONG_BIT ] && echo {bits}',
        "ldd": f'echo "{libc}" >&2; exit 1' if "musl" in libc else f'echo "{libc}"',
    }


def run(wanted=DETECTING, on=None, **rest):
    rest.setdefault("environment", {"VSTS_AGENT_INPUT_TOKEN": TOKEN})
    return record(answer(wanted)["script"], answers=on or machine("Linux", "x86_64"), **rest)


@pytest.mark.parametrize(
    ("on", "rid"),
    [
        (machine("Linux", "x86_64"), "linux-x64"),
        (machine("Linux", "aarch64"), "linux-arm64"),
        (machine("Linux", "aarch64", 32), "linux-arm"),
        (machine("Linux", "armv8l", 32), "linux-arm"),
        (machine("Linux", "armv7l", 32), "linux-arm"),
        (machine("Linux", "x86_64", libc="musl libc (x86_64)"), "linux-musl-x64"),
        (machine("Linux", "aarch64", libc="musl libc (aarch64)"), "linux-musl-arm64"),
        (machine("Darwin", "x86_64"), "osx-x64"),
        (machine("Darwin", "arm64"), "osx-arm64"),
    ],
)
def test_it_downloads_the_package_of_the_machine(on, rid):
    calls, ran = run(on=on)
    assert ran.returncode == 0, ran.stderr
    address = calls_of("curl", calls)[0][-1]
    assert address == f"https://download.agent.dev.azure.com/agent/5.278.0/vsts-agent-{rid}-5.278.0.tar.gz"


@pytest.mark.parametrize(
    ("on", "says"),
    [
        (machine("Linux", "armv6l", 32), b"armv6 (Pi Zero, first Pi) is not served"),
        (machine("Linux", "armv7l", 32, "musl libc (armhf)"), b"no linux-arm package for musl"),
        (machine("Linux", "x86_64", 32), b"no agent for Linux x86_64 with 32-bit programs"),
        (machine("Linux", "riscv64"), b"no agent for Linux riscv64"),
        (machine("FreeBSD", "amd64"), b"no agent for FreeBSD amd64"),
    ],
)
def test_it_refuses_what_has_no_package_before_anything_is_downloaded(on, says):
    calls, ran = run(on=on)
    assert ran.returncode == 1
    assert says in ran.stderr
    assert not calls_of("curl", calls)
    assert not calls_of("config.sh", calls)


def test_a_version_without_the_package_is_refused_on_the_machine():
    calls, ran = run(replace(ARTICLE, detect=True), machine("Linux", "x86_64", libc="musl libc (x86_64)"))
    assert ran.returncode == 1
    assert b"2.173.0 has no vsts-agent for linux-musl-x64" in ran.stderr
    assert not calls_of("curl", calls)


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
def test_a_checksum_that_was_given_is_verified(right):
    empty = hashlib.sha256(b"").hexdigest()  # the recorder's curl makes an empty file
    wanted = replace(DETECTING, checksums={"linux-x64": empty if right else "0" * 64})
    calls, ran = run(wanted)
    assert (ran.returncode == 0) is right
    assert bool(calls_of("tar", calls)) is right
    assert bool(calls_of("config.sh", calls)) is right


def test_a_one_line_script_verifies_too():
    for sums, unpacked in (({"linux-arm": hashlib.sha256(b"").hexdigest()}, 1), ({"linux-arm": "0" * 64}, 0)):
        for base in (ARTICLE, TODAY):
            calls, _ = record(answer(replace(base, checksums=sums))["script"])
            assert len(calls_of("tar", calls)) == len(calls_of("config.sh", calls)) == unpacked


def test_the_token_is_on_no_command_line():
    calls, ran = run()
    assert calls_of("config.sh", calls)
    assert TOKEN not in str(calls)
    assert TOKEN.encode() not in ran.stdout + ran.stderr
    assert "--token" not in answer(DETECTING)["script"]


def test_the_agent_gets_the_token_by_its_variable_and_later_programs_do_not(tmp_path):
    unpack = f"""for name in config svc; do
      printf '#!/bin/bash\\nenv >{tmp_path}/%s.env\\n' "$name" >"$name.sh"
      chmod +x "$name.sh"
    done"""
    run(on=machine("Linux", "x86_64") | {"tar": unpack, "sudo": '"$@"'})
    assert f"VSTS_AGENT_INPUT_TOKEN={TOKEN}" in (tmp_path / "config.env").read_text()
    assert "TOKEN" not in (tmp_path / "svc.env").read_text()


def test_without_a_token_and_without_a_terminal_it_says_what_to_set():
    calls, ran = run(environment={})
    assert ran.returncode == 1
    assert b"set VSTS_AGENT_INPUT_TOKEN, or run this in a terminal" in ran.stderr
    assert not calls_of("config.sh", calls)


def test_in_a_terminal_it_asks_for_the_token():
    ours, theirs = pty.openpty()
    os.write(ours, f"{TOKEN}\n".encode())
    calls, ran = run(environment={}, stdin=theirs)
    os.close(theirs)
    os.close(ours)
    assert ran.returncode == 0, ran.stderr
    assert calls_of("config.sh", calls)
    assert TOKEN not in str(calls)


def test_in_a_terminal_that_gives_no_token_nothing_is_registered():
    ours, theirs = pty.openpty()
    os.write(ours, b"\n")
    calls, ran = run(environment={}, stdin=theirs)
    os.close(theirs)
    os.close(ours)
    assert ran.returncode == 1
    assert b"no token was given" in ran.stderr
    assert not calls_of("config.sh", calls)


def test_the_chosen_processor_does_not_matter_to_a_script_that_chooses():
    old = replace(ARTICLE, detect=True)
    assert answer(replace(old, rid="linux-musl-arm64"))["script"] == answer(old)["script"]


def test_run_again_it_downloads_and_registers_nothing_twice(tmp_path):
    folder = tmp_path / "place"
    first, _ = run(folder=folder)
    (folder / "azagent/.agent").write_text("{}")
    (folder / "azagent/.service").write_text("name")
    second, ran = run(folder=folder)
    assert ran.returncode == 0, ran.stderr
    assert calls_of("config.sh", first)
    assert not calls_of("curl", second)
    assert not calls_of("config.sh", second)
    assert calls_of("sudo", second) == [["./svc.sh", "start"]]


def test_run_again_after_a_download_that_broke_off_it_begins_afresh(tmp_path):
    folder = tmp_path / "place"
    broken = machine("Linux", "x86_64") | {"curl": 'echo half >"$3"; exit 18'}
    _, failed = run(on=broken, folder=folder)
    assert failed.returncode == 18
    calls, ran = run(folder=folder)
    assert ran.returncode == 0, ran.stderr
    assert calls_of("config.sh", calls)


def test_without_systemd_the_agent_runs_in_the_foreground():
    calls, ran = run(without=("systemctl",))
    assert ran.returncode == 0
    assert calls_of("run.sh", calls) == [[]]
    assert not calls_of("sudo", calls)


def test_on_a_mac_the_service_is_installed_without_sudo():
    calls, _ = run(on=machine("Darwin", "arm64"))
    assert calls_of("svc.sh", calls) == [["install"], ["start"]]
    assert not calls_of("sudo", calls)


def test_it_really_chooses_this_machines_package_here():
    uname = subprocess.run(["uname", "-m"], capture_output=True, text=True, check=True).stdout.strip()
    wanted = {"x86_64": "linux-x64", "aarch64": "linux-arm64"}.get(uname)
    answers = {name: f'exec /usr/bin/{name} "$@"' for name in ("uname", "getconf", "ldd")}
    calls, _ = run(on=answers)
    assert wanted is None or f"-{wanted}-" in calls_of("curl", calls)[0][-1].replace("musl-", "")
