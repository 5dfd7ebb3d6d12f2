"""Building: lines while it runs, an image at the end, and Hello-Go for real."""

import shutil

import pytest
import urllib3
from contract.machines import HERE, REAL, TALKER, THIS_RUN, talker_recipe
from waiting import wait_for

from services.engines.base import Cancellation, Port, Recipe, Spec
from services.errors import BuildCancelled, BuildFailed, NotFound

HELLO_GO = HERE.parents[1] / "services" / "hello_go" / "image"


def test_a_build_tells_its_lines_and_makes_an_image(bare_machine):
    lines = []
    made = bare_machine.engine.build(talker_recipe(), lines.append)
    assert lines and made.name == TALKER and made == bare_machine.engine.image(TALKER)
    bare_machine.restart()
    assert bare_machine.engine.image(TALKER) == made


def test_there_is_no_image_of_what_was_never_built(bare_machine):
    assert bare_machine.engine.image("never-made") is None
    assert bare_machine.engine.image("never-made:stage") is None
    assert bare_machine.engine.base("nobody/has-this:image") is None
    with pytest.raises(NotFound):
        next(iter(bare_machine.engine.files("never-made")))


def test_a_build_that_is_cancelled_at_once_makes_nothing(bare_machine):
    cancellation = Cancellation()
    cancellation.ask()
    name = f"cancelled-{THIS_RUN}"
    with pytest.raises(BuildCancelled):
        bare_machine.engine.build(Recipe(name, HELLO_GO, "go"), lambda line: None, cancellation)
    assert bare_machine.engine.image(name) is None


@pytest.mark.parametrize("bare_machine", REAL, indirect=True)
def test_hello_go_is_built_started_and_called(bare_machine):
    engine, lines, name = bare_machine.engine, [], f"hello-go-{THIS_RUN}"
    made = engine.build(Recipe(name, HELLO_GO, "go"), lines.append)
    assert any("go build" in line for line in lines) and 1_000_000 < made.size < 12_000_000
    engine.start(Spec("contract", "hello-go", "hello-go", name, ports={"public": Port(8080)}))
    url = engine.address("contract", "hello-go", "public").url
    assert wait_for(lambda: call(url)) == b"Hello-Go"
    engine.stop("contract", "hello-go")
    assert bare_machine.find("hello-go") is None


@pytest.mark.parametrize("bare_machine", REAL, indirect=True)
def test_a_failing_build_ends_with_the_compilers_words(bare_machine, tmp_path):
    broken = shutil.copytree(HELLO_GO, tmp_path / "broken")
    (broken / "hello-go.go").write_text("package main\n\nfunc main() { nobody() }\n")
    lines = []
    with pytest.raises(BuildFailed, match=r"hello-go.go:3:15: undefined: nobody"):
        bare_machine.engine.build(Recipe(f"broken-{THIS_RUN}", broken, "go"), lines.append)
    assert any("undefined: nobody" in line for line in lines)
    assert bare_machine.engine.image(f"broken-{THIS_RUN}") is None


@pytest.mark.parametrize("bare_machine", REAL, indirect=True)
def test_a_rebuild_while_it_runs_serves_at_the_next_start(bare_machine, tmp_path):
    context = shutil.copytree(HERE / "talker", tmp_path / "talker")
    for greeting in ("is ready", "is ready again"):
        program = context / "talker.py"
        program.write_text(program.read_text().replace("is ready", greeting))
        bare_machine.engine.build(talker_recipe(context), lambda line: None)
        bare_machine.engine.stop("contract", "talker-1")
        bare_machine.start()
        assert bare_machine.read(1)[0].text == f"talker {greeting}"


def call(url):
    try:
        return urllib3.request("GET", url, timeout=2, retries=False).data
    except urllib3.exceptions.HTTPError:
        return None
