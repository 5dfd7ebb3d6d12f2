"""No name breaks out of its argument: scripts run in bash among recorders that compare what arrived."""

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tree_sitter import Language, Parser
from tree_sitter_powershell import language

from services.agent_script.registration import Target
from services.agent_script.script import answer
from services.errors import BadRequest
from tests.agent_script.inputs import ARTICLE, TODAY
from tests.agent_script.recorder import calls_of, record

NASTY = "a b\"c'd$(touch broken)`touch broken`;&|<>!{}[]*?~#\\\n\r\t\u202e\u2018\u2019ü€😀%PATH%^"
texts = st.text(
    st.one_of(st.sampled_from(NASTY), st.characters(blacklist_categories=("Cs",), blacklist_characters="\0")),
    min_size=1,
    max_size=40,
).filter(lambda text: not text.startswith("-"))
slow = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def expected(wanted, agent):
    """The arguments of config.sh, said once more without any quoting."""
    target = ["--deploymentgroup", "--deploymentgroupname", wanted.target.name]
    target += ["--projectname", wanted.target.project]
    target += ["--adddeploymentgrouptags", "--deploymentgrouptags", ",".join(wanted.target.tags)]
    return [*target, "--acceptteeeula", "--agent", agent, "--url", wanted.url, "--work", wanted.work]


def named(base, name, project, tag, work, agent):
    return replace(
        base, target=Target("deployment_group", name, project, (tag,)), work=work, agent=agent, service=True
    )


@pytest.mark.parametrize("base", [ARTICLE, TODAY], ids=["portal", "today"])
@slow
@given(texts, texts, texts, texts, texts)
@example(NASTY, NASTY, NASTY, NASTY, NASTY)
@example("$(id)", "`id`", "!!", "a'b", '"')
def test_one_line_scripts_give_config_sh_every_text_as_it_is(base, name, project, tag, work, agent):
    wanted = named(base, name, project, tag, work, agent)
    calls, ran = record(answer(wanted)["script"])
    given_words = calls_of("config.sh", calls)
    assert ran.returncode == 0, ran.stderr
    as_service = ["--runasservice"] if base is ARTICLE else []
    assert given_words == [expected(wanted, agent) + as_service]
    assert calls_of("sudo", calls) == [["./svc.sh", "install"], ["./svc.sh", "start"]]


@slow
@given(texts, texts, texts, texts, texts)
@example(NASTY, NASTY, NASTY, NASTY, NASTY)
def test_detecting_scripts_give_config_sh_every_text_as_it_is(name, project, tag, work, agent):
    wanted = replace(named(TODAY, name, project, tag, work, agent), detect=True)
    calls, ran = record(
        answer(wanted)["script"],
        answers={
            "uname": '[ "$1" = -s ] && echo Linux || echo x86_64',
            "getconf": "echo 64",
            "ldd": "echo glibc",
        },
        environment={"VSTS_AGENT_INPUT_TOKEN": "secret"},
    )
    assert ran.returncode == 0, ran.stderr
    words = calls_of("config.sh", calls)[0]
    for option, text in [
        ("--deploymentgroupname", name), ("--projectname", project), ("--deploymentgrouptags", tag),
        ("--work", work), ("--agent", agent),
    ]:  # fmt: skip
        assert words[words.index(option) + 1] == text
    assert len(words) == len(expected(wanted, agent)) + 3  # --unattended, --auth pat


@pytest.mark.parametrize("where", ["name", "work", "agent"])
def test_a_text_that_would_be_another_option_is_refused(where):
    with pytest.raises(BadRequest, match="dash"):
        replace(TODAY, target=Target("agent_pool", "--token")) if where == "name" else replace(
            TODAY, **{where: "-x"}
        )


@pytest.mark.parametrize("text", ["", "a\0b", "\ud800"])
def test_what_cannot_be_an_argument_is_refused(text):
    with pytest.raises(BadRequest):
        replace(TODAY, work=text)


# PowerShell: parsed with its grammar, since there is no Windows here

POWERSHELL = Parser(Language(language()))


def literals(script):
    """All quoted texts of a script, as PowerShell understands them; fails when it does not parse."""
    tree = POWERSHELL.parse(script.encode("ascii"))
    assert not tree.root_node.has_error, script
    found, waiting = [], [tree.root_node]
    while waiting:
        node = waiting.pop()
        if node.type == "verbatim_string_characters":
            found.append(node.text.decode()[1:-1].replace("''", "'"))
        elif node.type == "expandable_string_literal":
            found.append(expanded(node.text.decode()[1:-1]))
        waiting += node.children
    return found


def expanded(text):
    """What is in double quotes: letters by number, and letters after a backtick. Anything else is a fault."""
    if text == "config.cmd ended with $LASTEXITCODE.":
        return text  # the script's own
    parts = re.split(r"(\$\(\[char\]0x[0-9a-f]{4}\)|`.)", text, flags=re.DOTALL)
    assert not any(set('`$"') & set(part) for part in parts[::2]), text
    parts[1::2] = [chr(int(part[10:14], 16)) if part[0] == "$" else part[1] for part in parts[1::2]]
    return "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16")


@pytest.mark.parametrize("rid", ["win-x64", "win-x86", "win-arm64"])
def test_powershell_scripts_parse(rid):
    for service in (True, False):
        for sums in ({}, {rid: "a" * 64}):
            literals(answer(replace(TODAY, rid=rid, service=service, checksums=sums))["script"])


@slow
@given(texts, texts)
@example("a' ; Remove-Item x #", "%PATH% & calc")
@example(NASTY, "\u0412; calc #")
def test_powershell_texts_stay_texts(name, work):
    script = answer(replace(TODAY, rid="win-x64", target=Target("agent_pool", name), work=work))["script"]
    assert {name, work} <= set(literals(script))


def test_a_windows_script_is_the_same_in_every_code_page():
    """In that of Western Europe, the second byte of U+0412 is a quote to PowerShell."""
    script = answer(replace(TODAY, rid="win-x64", target=Target("agent_pool", "\u0412; calc #")))["script"]
    assert script.encode().decode("cp1252") == script
    assert "$env:VSTS_AGENT_INPUT_POOL = " in script


def test_a_script_for_bash_is_the_same_in_every_encoding_where_a_text_is_quoted():
    """In Shift JIS and GBK, part of a letter may be a backslash, and then what follows is quoted by it."""
    script = answer(replace(TODAY, target=Target("agent_pool", "it's \u4e5d\u8868")))["script"]
    assert script.isascii()


def test_a_windows_script_that_shall_ask_uname_is_refused():
    with pytest.raises(BadRequest, match="uname"):
        replace(TODAY, rid="win-x64", detect=True)


def test_what_cmd_would_read_as_its_own_goes_through_a_variable():
    script = answer(replace(TODAY, rid="win-x64", target=Target("agent_pool", "a & calc %PATH%")))["script"]
    assert "$env:VSTS_AGENT_INPUT_POOL = 'a & calc %PATH%'" in script
    assert "calc" not in script.split(".\\config.cmd")[1]
