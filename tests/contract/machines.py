"""The engines under test, and words for what the tests do to their programs."""

import contextlib
import json
import os
import shutil
import subprocess
import threading
import urllib.request
import uuid
from pathlib import Path
from urllib.parse import urlencode

import pytest
from contract.talker.talker import Talker, serve
from scripted_engine import ScriptedEngine
from waiting import wait_for

from services.engines.base import Limits, Port, Recipe, Spec
from services.engines.docker import DockerEngine
from services.engines.local import LocalEngine
from services.settings import read_settings

HERE = Path(__file__).parent
SETTINGS = read_settings(os.environ)
ENGINES = (
    "scripted",
    pytest.param("local", marks=pytest.mark.local),
    pytest.param("docker", marks=pytest.mark.docker),
)
REAL = ENGINES[1:]
THIS_RUN = uuid.uuid4().hex[:6]
"""Part of the names of all images, so that two runs on one machine are not in each other's way."""
TALKER = f"talker-{THIS_RUN}"


def talker_recipe(context=HERE / "talker"):
    return Recipe(TALKER, context, "python", arguments={"PYTHON": SETTINGS.image_python, "NAME": TALKER})


def talker_spec(workspace, instance="talker-1", **fields):
    return Spec(
        workspace,
        "talker",
        instance,
        TALKER,
        **{"command": ("talker.py",), "ports": {"public": Port(8000)}, "limits": Limits(pids=32)} | fields,
    )


class Machine:
    """One engine on this machine, and words for what the tests do to its talkers."""

    def __init__(self, kind, folder, go_caches):
        self.kind, self.folder = kind, folder
        folder.mkdir()
        (folder / "go").symlink_to(go_caches)  # a cold Go build takes a quarter of a minute
        self.deck = uuid.uuid4().hex[:6]
        self.workspace = "contract"
        self.engines = [self._make()]

    @property
    def engine(self):
        return self.engines[-1]

    def _make(self):
        if self.kind == "docker":
            return DockerEngine(self.deck, self.folder)
        if self.kind == "local":
            return LocalEngine(self.folder)
        engine = ScriptedEngine()
        engine.scripts[TALKER] = play_talker
        return engine

    def restart(self):
        """The dashboard is another one; what runs is not."""
        self.engine.close()
        self.engines.append(self.engine.restarted() if self.kind == "scripted" else self._make())

    def build(self):
        return self.engine.build(talker_recipe(), lambda line: None)

    def start(self, instance="talker-1", **fields):
        """Start a talker and wait until it answers."""
        started = self.engine.start(talker_spec(self.workspace, instance, **fields))
        wait_for(lambda: self.answers(instance), told=lambda: self.output(instance))
        return started

    def answers(self, instance, within=10):
        try:
            return self.ask(instance, "ping", within=within) == "pong"
        except OSError:
            return False

    def ask(self, instance, word, within=10, **options):
        address = self.engine.address(self.workspace, instance, "public")
        with urllib.request.urlopen(f"{address.url}/{word}?{urlencode(options)}", timeout=within) as answer:
            return json.load(answer)

    def let_exit(self, instance, code):
        with contextlib.suppress(OSError):  # most often it is gone before it has answered
            self.ask(instance, "exit", code=code)
        wait_for(lambda: not self.find(instance).running)

    def find(self, instance="talker-1"):
        return next((one for one in self.engine.instances(self.workspace) if one.instance == instance), None)

    def read(self, count, after=None, instance="talker-1"):
        """Exactly that many lines, then the stream is closed."""
        stream, lines = self.engine.logs(self.workspace, instance, after), []
        for line in stream:
            lines.append(line)
            if len(lines) == count:
                break
        stream.close()
        return lines

    def output(self, instance):
        found = self.find(instance)
        if found is None or found.running:
            return f"{found}"
        return [line.text for line in self.engine.logs(self.workspace, instance)]

    def inspect(self, instance="talker-1"):
        """What `docker inspect` says."""
        return json.loads(run("docker", "inspect", f"labdeck-{self.deck}-{self.workspace}-{instance}"))[0]

    def leave(self):
        for workspace in ("contract", "contract-two"):
            self.engine.destroy(workspace)
        for engine in self.engines:
            engine.close()


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def play_talker(program):
    """The talker inside the scripted engine, on a real port."""

    def write(text):
        program.say(*text.removesuffix("\n").split("\n"))

    class FreezableTalker(Talker):
        def ping(self):
            program.awake.wait()
            return super().ping()

    server = serve(
        FreezableTalker(program.spec.environment, write, program.die),
        program.spec.environment["LAB_LISTEN_PUBLIC"],
    )
    write("talker is ready")

    def when_it_dies():
        program.stopping.wait()
        server.shutdown()
        server.server_close()

    threading.Thread(target=when_it_dies, daemon=True).start()


@pytest.fixture(scope="session")
def go_caches(tmp_path_factory):
    """Filled by the first build, used by all."""
    return tmp_path_factory.mktemp("go")


@pytest.fixture(scope="session", autouse=True)
def no_image_stays():
    yield
    remove_images()


def remove_images():
    """Those that this run made; the stand-ins stay."""
    if shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True).returncode == 0:
        tags = run("docker", "images", "--format", "{{.Repository}}:{{.Tag}}", "labdeck/*").split()
        if ours := [tag for tag in tags if THIS_RUN in tag]:
            run("docker", "rmi", *ours)
