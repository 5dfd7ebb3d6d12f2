"""The article's own scripts, byte for byte, and what differs between them."""

from dataclasses import replace

import pytest

from services.agent_script.registration import Target
from services.agent_script.script import answer
from tests.agent_script.inputs import ARTICLE

CONFIG = (
    './config.sh --deploymentpool --deploymentpoolname "SandboxDeploy" --acceptteeeula --agent $HOSTNAME '
    "--url https://dev.azure.com/torben/ --work _work"
)
GOLDEN = (
    "mkdir azagent;cd azagent;curl -fkSL -o vstsagent.tar.gz "
    "https://vstsagentpackage.azureedge.net/agent/2.173.0/vsts-agent-linux-{}-2.173.0.tar.gz;"
    'tar -zxvf vstsagent.tar.gz; if [ -x "$(command -v systemctl)" ]; then '
    f"{CONFIG} --runasservice; sudo ./svc.sh install; sudo ./svc.sh start; else {CONFIG}; ./run.sh; fi"
)


@pytest.mark.parametrize("processor", ["x64", "arm"])
def test_with_the_articles_inputs_the_script_is_the_articles(processor):
    found = answer(replace(ARTICLE, rid=f"linux-{processor}"))
    assert found["script"] == GOLDEN.format(processor)
    assert found["package"] == f"vsts-agent-linux-{processor}-2.173.0.tar.gz"
    assert found["download"] in found["script"]
    assert found["articles"]
    assert not answer(replace(ARTICLE, rid=f"linux-{processor}", work="w"))["articles"]


def test_the_one_word_that_differs_is_marked():
    rows = [row for row in answer(ARTICLE)["diff"] if row["changed"]]
    assert len(rows) == 1
    changed = {
        side: [piece["text"] for piece in rows[0][side] if piece["changed"]] for side in ("default", "yours")
    }
    assert changed == {"default": ["x64"], "yours": ["arm"]}


def test_both_sides_of_the_diff_are_the_scripts():
    rows = answer(ARTICLE)["diff"]
    for side, processor in (("default", "x64"), ("yours", "arm")):
        text = "".join(piece["text"] for row in rows for piece in row[side])
        assert text == GOLDEN.format(processor)


def test_the_default_differs_from_itself_in_nothing():
    found = answer(replace(ARTICLE, rid="linux-x64"))
    assert not any(row["changed"] for row in found["diff"])
    assert "Nothing differs" in found["why"]


def test_the_portal_is_named_only_for_what_it_gave():
    assert answer(ARTICLE)["default"]["portal"]
    pool = replace(ARTICLE, target=Target("agent_pool", "Default"))
    for other in (pool, replace(ARTICLE, version="5.278.0"), replace(ARTICLE, rid="win-x64")):
        assert not answer(other)["default"]["portal"]


def test_it_says_that_the_old_host_is_retired_and_today_uses_the_new_one():
    old, new = answer(ARTICLE), answer(replace(ARTICLE, version="5.278.0"))
    assert "retired_host" in [one["kind"] for one in old["warnings"]]
    assert "retired_host" not in [one["kind"] for one in new["warnings"]]
    assert new["download"] == (
        "https://download.agent.dev.azure.com/agent/5.278.0/vsts-agent-linux-arm-5.278.0.tar.gz"
    )
    assert "azureedge" not in new["script"]
