"""Docker's disk is full: a small daemon of the test's own, in a network of its own, on a disk of 48 MB."""

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from contract.machines import SETTINGS, run
from waiting import wait_for

from services.engines.base import Recipe
from services.engines.docker import DockerEngine
from services.errors import BuildFailed

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system"),
    pytest.mark.skipif(shutil.which("dockerd") is None, reason="no dockerd to start a second time"),
]
MIB = 1024 * 1024


class SmallDaemon:
    """Its images live on the small disk. The namespace is there because `--bridge none` removes docker0."""

    def __init__(self, folder):
        self.folder, self.socket = folder, f"unix://{folder}/docker.sock"
        (folder / "data").mkdir()
        run("mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder / "data"))
        command = ["unshare", "--net", "--mount", "--propagation", "private", "--", "dockerd"]
        command += ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "--host", self.socket]
        command += ["--pidfile", f"{folder}/pid", "--bridge", "none", "--iptables=false", "--ip6tables=false"]
        self.log = (folder / "log").open("w+")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, start_new_session=True)

    def ask(self, *words):
        return run("docker", "--host", self.socket, *words).split()

    def answers(self):
        assert self.process.poll() is None, Path(self.log.name).read_text()[-2000:]
        asked = ["docker", "--host", self.socket, "version"]
        return subprocess.run(asked, capture_output=True, timeout=60).returncode == 0

    def take(self, image):
        """A base image, from the daemon that everybody uses."""
        saved = subprocess.run(("docker", "save", image), check=True, capture_output=True, timeout=60).stdout
        load = ("docker", "--host", self.socket, "load")
        subprocess.run(load, input=saved, check=True, capture_output=True, timeout=60)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
        self.log.close()
        run("umount", str(self.folder / "data"))


@pytest.fixture(scope="module")
def daemon():
    folder = Path(tempfile.mkdtemp(prefix="labdeck-full-"))  # a socket's path must be short
    small = SmallDaemon(folder)
    try:
        wait_for(small.answers, 60)
        small.take(SETTINGS.image_runtime)
        yield small
    finally:
        small.end()
        shutil.rmtree(folder)


@pytest.fixture
def engine(daemon, tmp_path):
    with closing(DockerEngine("full", tmp_path / "engine", daemon.socket)) as engine:
        yield engine


def recipe(folder, *steps):
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text("\n".join((f"FROM {SETTINGS.image_runtime}", *steps)))
    return Recipe("large", folder, "go")


def check_clean(engine, daemon, before):
    assert daemon.ask("ps", "--all", "--quiet") == [], "no container is left"
    assert daemon.ask("images", "--all", "--quiet", "--no-trunc") == before, "no image is left"
    assert engine.image("large") is None


def test_a_step_that_fills_the_disk_fails_with_a_hint_and_leaves_nothing(engine, daemon, tmp_path):
    before = daemon.ask("images", "--all", "--quiet", "--no-trunc")
    fills = recipe(
        tmp_path / "fills", "RUN echo made > /made", "RUN dd if=/dev/zero of=/large bs=1M count=100"
    )
    with pytest.raises(BuildFailed, match="No space left on device") as failed:
        engine.build(fills, lambda line: None)
    assert "disk is full" in failed.value.hint
    check_clean(engine, daemon, before)


@pytest.mark.parametrize(
    "size", [80, 30], ids=["a context larger than the disk", "a copy beside its context"]
)
def test_what_does_not_fit_fails_the_same_way(engine, daemon, tmp_path, size):
    """In MiB; the context itself takes room before its copy does."""
    before = daemon.ask("images", "--all", "--quiet", "--no-trunc")
    copies = recipe(tmp_path / "copies", "COPY large /large")
    with (tmp_path / "copies/large").open("wb") as large:
        large.truncate(size * MIB)
    with pytest.raises(BuildFailed, match="no space left on device") as failed:
        engine.build(copies, lambda line: None)
    assert "disk is full" in failed.value.hint
    check_clean(engine, daemon, before)


def test_there_is_room_again_for_what_fits(engine, daemon, tmp_path):
    fits = recipe(tmp_path / "fits", "RUN dd if=/dev/zero of=/small bs=1M count=20")
    assert engine.build(fits, lambda line: None).size > 20 * MIB
    daemon.ask("rmi", "labdeck/large")
