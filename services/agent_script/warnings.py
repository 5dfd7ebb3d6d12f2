"""What somebody should know before running the script."""

from __future__ import annotations

from services.agent_script.packages import ARTICLE, NEWEST, Package, read_version
from services.agent_script.registration import Registration
from services.words import say


def warnings(wanted: Registration, package: Package) -> list[dict[str, str]]:
    """`{"kind", "message"}` each, the most important first."""
    found = [*_of_version(package), *_of_processor(wanted, package), *_of_registration(wanted, package)]
    return [{"kind": kind, "message": message} for kind, message in found]


def _of_version(package: Package) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if package.on_retired_host:
        found.append(
            (
                "retired_host",
                say(
                    "The download host is retired. %(version)s is of the time of "
                    "vstsagentpackage.azureedge.net; versions of today come from "
                    "download.agent.dev.azure.com.",
                    version=package.version,
                ),
            )
        )
    version = read_version(package.version)
    if version[0] < 4:
        found.append(
            (
                "old_line",
                say(
                    "Line %(value)s gets no updates any more; the newest agent is %(newest)s.",
                    value=version[0],
                    newest=NEWEST,
                ),
            )
        )
    if version > read_version(NEWEST):
        found.append(
            (
                "unknown_version",
                say(
                    "%(version)s is newer than the table of packages, which ends with %(newest)s.",
                    version=package.version,
                    newest=NEWEST,
                ),
            )
        )
    return found


def _of_processor(wanted: Registration, package: Package) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    version, rid = read_version(package.version), package.rid.name
    if rid == "linux-arm" and version[0] >= 4 and not wanted.detect:
        found.append(
            (
                "no_node_24",
                say(
                    "The 32-bit ARM package has no Node 24, and tasks that need it fail. A "
                    "64-bit system avoids it."
                ),
            )
        )
    if rid == "linux-arm" and not wanted.detect:
        found.append(("armv6", say("armv6l (Pi Zero, first Pi) is not served: this package crashes there.")))
    if rid == "linux-arm64" and version < (2, 169, 0) and not wanted.detect:
        found.append(
            (
                "wrong_link",
                say(
                    "In release notes of this time the ARM64 link pointed to the ARM package (#2928, #2964)."
                ),
            )
        )
    return found


def _of_registration(wanted: Registration, package: Package) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if (
        wanted.service
        and package.rid.system == "linux"
        and package.version.startswith("2.")
        and not wanted.detect
    ):
        found.append(
            (
                "runasservice",
                say(
                    "--runasservice is for Windows only. On Linux svc.sh does the work; the "
                    "portal writes both."
                ),
            )
        )
    if wanted.target.kind == "environment":
        found.append(("token_lifetime", say("An environment's registration token lasts 3 hours.")))
    if package.version == ARTICLE and not wanted.detect and package.rid.system != "win":
        found.append(
            (
                "unchecked_certificate",
                say("curl -k does not check whose server it talks to. It is kept as the portal had it."),
            )
        )
    return found
