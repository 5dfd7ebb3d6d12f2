"""Every script is one that bash takes and that ShellCheck has nothing to say about."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from services.agent_script.packages import OFFERED, rids_of
from services.agent_script.registration import Target
from services.agent_script.script import answer
from tests.agent_script.inputs import ARTICLE, TARGETS, TODAY
from tests.agent_script.test_quoting import NASTY

SHELLCHECK = str(Path(sys.executable).with_name("shellcheck"))
PORTAL_SAYS = {2164, 2086}
"""`cd` without a way out, and $HOSTNAME without quotes: the portal's own text has both."""
PACKAGE = Path(__file__).parents[2] / "services/agent_script/image/package"


def complaints(script):
    """Codes of ShellCheck at its strictest default, style included."""
    parsed = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)
    assert parsed.returncode == 0, parsed.stderr
    ran = subprocess.run(
        [SHELLCHECK, "--shell=bash", "--format=json", "--severity=style", "-"],
        input=script,
        text=True,
        capture_output=True,
        timeout=30,
    )
    return {found["code"] for found in json.loads(ran.stdout)}


@pytest.mark.parametrize("version", [version for version in OFFERED if not version.startswith("2.")])
@pytest.mark.parametrize("detect", [False, True], ids=["one line", "detecting"])
def test_scripts_of_today_are_clean(version, detect):
    rids = [rid.name for rid in rids_of(version) if rid.system != "win"]
    for rid in rids[:1] if detect else rids:
        for target in TARGETS:
            for service in (True, False):
                sums = {rid: "0" * 64} if service else {}
                wanted = replace(
                    TODAY,
                    version=version,
                    rid=rid,
                    target=target,
                    service=service,
                    detect=detect,
                    checksums=sums,
                )
                assert complaints(answer(wanted)["script"]) == set()


@pytest.mark.parametrize(
    "text", [NASTY, "$(id)", "`id`", "it's", 'say "hi"', "a\nb", "ünï", "“curly”", "a\u00a0b", "\\"]
)
@pytest.mark.parametrize("detect", [False, True], ids=["one line", "detecting"])
def test_nasty_names_make_no_complaint(text, detect):
    wanted = replace(
        TODAY, target=Target("environment", text, text, (text,)), work=text, agent=text, detect=detect
    )
    assert complaints(answer(wanted)["script"]) == set()


def test_the_portals_own_text_has_just_the_two_complaints_that_the_article_has():
    for target in TARGETS:
        assert complaints(answer(replace(ARTICLE, target=target))["script"]) == PORTAL_SAYS


def test_the_scripts_of_the_labs_own_package_are_clean():
    for script in PACKAGE.glob("*.sh"):
        assert complaints(script.read_text()) == set(), script.name


def test_agent_listener_is_started_on_line_85():
    assert (PACKAGE / "config.sh").read_text().splitlines()[
        84
    ].strip() == './bin/Agent.Listener configure "$@"'
