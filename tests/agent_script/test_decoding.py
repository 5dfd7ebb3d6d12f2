"""Errors as people paste them, and what is said to them."""

import pytest

from services.agent_script.decoding import LONGEST, decode

LINE = "./config.sh: line 85: ./bin/Agent.Listener: "


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        (f"{LINE}cannot execute binary file: Exec format error", "exec_format", "another processor"),
        ("-bash: ./Agent.Listener: cannot execute binary file", "exec_format", "another processor"),
        ("sh: ./Agent.Listener: Exec format error", "exec_format", "another processor"),
        ("zsh: bad CPU type in executable: ./bin/Agent.Listener", "exec_format", "another processor"),
        (f"{LINE}No such file or directory", "loader_missing", "loader"),
        (f"{LINE}cannot execute: required file not found", "loader_missing", "loader"),
        ("Illegal instruction", "illegal_instruction", "too old"),
        (f"{LINE[:23]} 1234 Segmentation fault      ./bin/Agent.Listener", "segmentation_fault", "#2047"),
        ("Error relocating ./bin/Agent.Listener: __res_init: symbol not found", "musl", "musl"),
        ("./bin/Agent.Listener: /lib/libc.so.6: version `GLIBC_2.28' not found", "old_glibc", "older"),
        ("Couldn't find a valid ICU package installed on the system.", "libicu", "library"),
        ("Must not run with sudo", "run_as_root", "root"),
    ],
)
def test_an_error_gets_its_cause_and_a_mend(text, kind, says):
    found = decode(f"tar: done\n{text}\nbye")
    assert found[0]["kind"] == kind
    assert says in found[0]["cause"]
    assert found[0]["mend"]
    assert found[0]["line"] == text.strip()


@pytest.mark.parametrize(
    ("text", "kind", "rid"),
    [
        (
            "Linux raspberrypi 5.10.103-v7l+ #1529 SMP Tue Mar 8 12:24:00 GMT 2022 armv7l GNU/Linux",
            "machine",
            "linux-arm",
        ),
        (
            "Linux pi 6.1.21-v8+ #1642 SMP PREEMPT Mon Apr 3 17:24:16 BST 2023 aarch64 GNU/Linux",
            "machine",
            "linux-arm64",
        ),
        (
            "Linux pi 6.1.21-v8+ #1642 SMP aarch64 GNU/Linux\n$ getconf LONG_BIT\n32",
            "narrow_userland",
            "linux-arm",
        ),
        ("aarch64\narmhf", "narrow_userland", "linux-arm"),
        ("Linux zero 5.10.63+ #1459 armv6l GNU/Linux", "armv6", None),
        ("Linux alpine 6.6 #1-Alpine SMP x86_64 Linux", "machine", "linux-musl-x64"),
        ("Linux alpine 6.6 #1-Alpine SMP aarch64 Linux", "machine", "linux-musl-arm64"),
        ("Darwin mac 23.1.0 Darwin Kernel Version 23.1.0: RELEASE_ARM64_T6000 arm64", "machine", "osx-arm64"),
        ("x86_64", "machine", "linux-x64"),
        ("Linux board 6.1 riscv64 GNU/Linux", "not_served", None),
    ],
)
def test_uname_names_the_package(text, kind, rid):
    assert [(one["kind"], one["rid"]) for one in decode(text)] == [(kind, rid)]


def test_an_error_and_uname_are_both_told_the_error_first():
    text = f"{LINE}Exec format error\nLinux pi 5.10 armv7l GNU/Linux"
    assert [one["kind"] for one in decode(text)] == ["exec_format", "machine"]


def test_what_is_not_known_is_not_guessed():
    assert decode("all is well") == decode("") == []


def test_a_long_text_costs_nothing():
    assert decode("x /bin/a " * LONGEST) == []
