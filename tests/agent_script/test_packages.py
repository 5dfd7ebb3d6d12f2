"""Which packages exist, and what is said of those that do not."""

import pytest

from services.agent_script.packages import RIDS, NoSuchPackage, find_package, rids_of
from services.errors import BadRequest

FACTS = {
    "win-x64", "win-x86", "win-arm64", "osx-x64", "osx-arm64",
    "linux-x64", "linux-arm", "linux-arm64", "linux-musl-x64", "linux-musl-arm64",
}  # fmt: skip


@pytest.mark.parametrize("version", ["4.275.0", "5.278.0"])
def test_versions_of_today_have_every_package_of_the_facts(version):
    assert {rid.name for rid in rids_of(version)} == FACTS == set(RIDS)
    without_musl = {name for name in FACTS if "musl" not in name}
    assert {rid.name for rid in rids_of(version, "pipelines-agent")} == without_musl


def test_windows_packages_are_zips_and_the_others_are_not():
    assert find_package("5.278.0", "win-x64").file == "vsts-agent-win-x64-5.278.0.zip"
    assert find_package("5.278.0", "osx-arm64", "pipelines-agent").file.endswith("osx-arm64-5.278.0.tar.gz")


@pytest.mark.parametrize(
    ("version", "rid", "reason"),
    [
        ("2.173.0", "linux-musl-x64", "next version with one is 3.226.3"),
        ("2.173.0", "osx-arm64", "next version with one is 3.214.0"),
        ("2.165.0", "linux-arm64", "2.166.1"),
        ("3.251.0", "win-arm64", "next version with one is 4.248.1"),
        ("3.218.0", "osx-arm64", "3.220.0"),
        ("5.278.0", "rhel.6-x64", "gone"),
        ("5.278.0", "linux-riscv64", "no package 'linux-riscv64'"),
        ("1.2.3", "linux-x64", "lines are 2, 3, 4 and 5"),
        ("3.300.0", "linux-x64", "ended with 3.258.1"),
        ("5.1.0", "linux-x64", "began with 5.270.0"),
    ],
)
def test_a_package_that_does_not_exist_is_refused_with_the_reason(version, rid, reason):
    with pytest.raises(NoSuchPackage, match=reason):
        find_package(version, rid)


@pytest.mark.parametrize("text", ["", "newest", "5.278", "5.278.0.1", "5.278.0;id", "٥.٢٧٨.٠", "5.278.0\n"])
def test_what_is_no_version_is_refused(text):
    with pytest.raises(BadRequest, match="version"):
        find_package(text, "linux-x64")


@pytest.mark.parametrize(
    ("version", "old"), [("3.254.0", True), ("3.255.0", False), ("4.255.0", False), ("4.254.0", True)]
)
def test_the_download_host_is_that_of_the_release_notes(version, old):
    assert find_package(version, "linux-x64").on_retired_host is old
