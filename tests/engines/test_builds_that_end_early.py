"""A build that is cancelled, loses its daemon or finds a full disk: said in words, and nothing is left."""

import contextlib
import os
import subprocess
import threading
import uuid
from pathlib import Path

import pytest
from contract.machines import SETTINGS, THIS_RUN, run
from waiting import wait_for

from services.engines.base import Cancellation, Recipe
from services.engines.build_failures import build_failed
from services.engines.docker import DockerEngine
from services.engines.local import LocalEngine
from services.errors import BuildCancelled, BuildFailed, EngineUnavailable
from tests.engines.test_docker_away import Wire

GO = "package main\n\nfunc main() { println(`hello`) }\n"


@pytest.fixture
def slow(tmp_path):
    """A Dockerfile whose last step would take five minutes; its word is in all that it makes."""
    word = uuid.uuid4().hex
    steps = (
        f"FROM {SETTINGS.image_runtime} AS first",
        f"RUN echo {word} > /made",
        f"RUN sleep 300; echo {word}",
    )
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow/Dockerfile").write_text("\n".join(steps))
    return word, Recipe(f"slow-{THIS_RUN}", tmp_path / "slow", "go")


def left(word):
    """Containers and images with the word in their making."""
    containers = run("docker", "ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Command}}").splitlines()
    found = [line for line in containers if word in line]
    for image in set(run("docker", "images", "--all", "--quiet", "--no-trunc").split()):
        with contextlib.suppress(subprocess.CalledProcessError):  # removed by somebody meanwhile
            if word in run("docker", "history", "--no-trunc", "--format", "{{.CreatedBy}}", image):
                found.append(image)
    return found


def build_until_it_sleeps(engine, recipe, cancellation=None):
    """Builds in a thread; returns when the long step runs, with a list that gets the error."""
    ended, sleeps = [], threading.Event()

    def report(line):
        if "sleep" in line:
            ran.set()
        elif ran.is_set() and "Running in" in line:
            sleeps.set()

    def work():
        try:
            ended.append(engine.build(recipe, report, cancellation))
        except Exception as error:
            ended.append(error)

    ran = threading.Event()
    threading.Thread(target=work, daemon=True).start()
    assert sleeps.wait(60), ended
    return ended


@pytest.mark.docker
def test_a_cancelled_build_leaves_no_container_and_no_image(slow, tmp_path):
    word, recipe = slow
    engine, cancellation = DockerEngine("early", tmp_path), Cancellation()
    ended = build_until_it_sleeps(engine, recipe, cancellation)
    assert left(word), "there is something to be cleaned up"
    cancellation.ask()
    wait_for(lambda: ended, 30)
    assert isinstance(ended[0], BuildCancelled), ended
    assert left(word) == [] and engine.image(recipe.name) is None
    engine.close()


@pytest.mark.docker
def test_a_build_whose_daemon_goes_away_fails_and_is_cleaned_up_when_it_is_back(slow, tmp_path):
    word, recipe = slow
    wire = Wire(tmp_path / "docker.sock")
    engine = DockerEngine("early", tmp_path, f"unix://{wire.path}")
    ended = build_until_it_sleeps(engine, recipe)
    wire.cut()
    wait_for(lambda: ended, 30)
    assert isinstance(ended[0], EngineUnavailable), ended
    wire.mend()
    engine.watch().close()  # what the dashboard does as soon as Docker answers again
    assert left(word) == []
    wire.cut()
    engine.close()


@pytest.mark.docker
def test_what_a_build_left_is_removed_by_the_next_dashboard(slow, tmp_path):
    word, recipe = slow
    wire = Wire(tmp_path / "docker.sock")
    first = DockerEngine("early", tmp_path / "state", f"unix://{wire.path}")
    ended = build_until_it_sleeps(first, recipe)
    wire.cut()
    wait_for(lambda: ended, 30)
    first.close()
    assert left(word), "there is something to be cleaned up"
    second = DockerEngine("early", tmp_path / "state")
    second.watch().close()  # what a dashboard does when it starts
    second.close()
    assert left(word) == [] and not list((tmp_path / "state").rglob("*-*")), "and nothing is owed any more"


@pytest.mark.local
def test_a_cancelled_compilation_ends_its_compilers_and_leaves_no_file(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source/go.mod").write_text("module hello\n\ngo 1.24\n")
    (tmp_path / "source/hello.go").write_text(GO)
    engine, cancellation = LocalEngine(tmp_path / "state"), Cancellation()
    with pytest.raises(BuildCancelled):
        engine.build(
            Recipe("hello", tmp_path / "source", "go"), lambda line: _ask_at(line, cancellation), cancellation
        )
    assert engine.image("hello") is None
    work = list((tmp_path / "state/go").glob("work-*"))
    binaries = [path for path in (tmp_path / "state/images").rglob("*") if path.is_file()]
    assert work == binaries == []
    here = str(tmp_path / "state").encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            assert here not in (process / "cmdline").read_bytes(), f"{process} still compiles"


def _ask_at(line, cancellation):
    """Once the compiler has begun to work on packages."""
    if not line.startswith("$"):
        cancellation.ask()


@pytest.mark.local
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
def test_a_full_disk_is_said_in_words_with_the_next_move(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source/go.mod").write_text("module hello\n\ngo 1.24\n")
    (tmp_path / "source/hello.go").write_text(GO)
    state = tmp_path / "state"
    state.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(state))
    try:
        engine = LocalEngine(state)
        with pytest.raises(BuildFailed, match="no space left on device") as failed:
            engine.build(Recipe("hello", tmp_path / "source", "go"), lambda line: None)
        assert "disk is full" in failed.value.hint
        assert engine.image("hello") is None and not list(state.glob("go/work-*"))
    finally:
        run("umount", str(state))


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("dial tcp: lookup registry-1.docker.io: no such host", "docker pull"),
        ("pull access denied for nobody, repository does not exist", "docker pull"),
        ("write /build/hello-go: no space left on device", "disk is full"),
        ("\x1b[91m./hello-go.go:11:2: undefined: fmtt\x1b[0m", "last lines say"),
    ],
)
def test_the_hint_follows_the_builders_words(words, hint):
    error = build_failed("hello-go", [words])
    assert hint in error.hint and "\x1b" not in error.message
