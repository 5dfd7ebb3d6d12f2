"""The sandbox program itself: time, memory of what it was given, and what it cuts off."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from services.agent_script.lab_package import HERE, fill, pack

pytestmark = pytest.mark.local
OUTSIDE = "http://1.1.1.1/"


@pytest.fixture
def tmp_path():
    """Not pytest's, which nobody but this user may enter: a script that is not root could not either."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def run(tmp_path, script, seconds="20", **environment):
    """Its JSON lines, and how long the process took to end."""
    context, scratch = tmp_path / "context", tmp_path / "scratch"
    fill(context, pack(b"no program"))
    scratch.mkdir(mode=0o700)
    given = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(scratch),
        "LAB_PACKAGE": "p.tar.gz",
        "LAB_SECONDS": seconds,
    }
    ran = subprocess.run(
        [sys.executable, "rehearse.py"],
        cwd=context,
        env=given | {"LAB_SCRIPT": script} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert list(scratch.iterdir()) == []
    return [json.loads(line) for line in ran.stdout.splitlines()]


def outcome(lines):
    assert lines[-1]["kind"] == "agent_script.rehearsed"
    return lines[-1]["data"]


def texts(lines):
    return [line["text"] for line in lines]


def test_a_script_that_does_not_end_is_ended(tmp_path):
    told = outcome(run(tmp_path, "sleep 600 & sleep 600", seconds="1"))
    assert told["outcome"] == "deadline"
    assert told["seconds"] < 10


@pytest.fixture
def waiting(tmp_path):
    """A running rehearsal whose script says `one`, waits for a word in a pipe, and then says `two`."""
    fill(tmp_path / "context", pack(b"no program"))
    (tmp_path / "scratch").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "pipe").chmod(0o644)
    given = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path / "scratch")}
    given |= {"LAB_PACKAGE": "p.tar.gz", "LAB_SECONDS": "60"}
    with subprocess.Popen(
        [sys.executable, "rehearse.py"],
        cwd=tmp_path / "context",
        env=given | {"LAB_SCRIPT": f"echo one; sleep 600 & read -r word <{tmp_path}/pipe; echo two; kill $!"},
        stdout=subprocess.PIPE,
        text=True,
    ) as rehearsal:
        yield rehearsal
        rehearsal.kill()


def until(rehearsal, text):
    for line in rehearsal.stdout:
        if json.loads(line)["text"] == text:
            return
    raise AssertionError(f"it ended without {text}")


def test_each_line_is_told_while_the_script_runs(tmp_path, waiting):
    until(waiting, "one")
    (tmp_path / "pipe").write_text("go on\n")
    until(waiting, "two")
    waiting.communicate(timeout=30)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_told_to_end_it_leaves_neither_processes_nor_files(tmp_path, waiting):
    until(waiting, "sleep 600")
    waiting.terminate()
    assert waiting.wait(30) == 143
    assert list((tmp_path / "scratch").iterdir()) == []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            assert not str((entry / "cwd").readlink()).startswith(f"{tmp_path}/scratch")


def test_a_script_that_fails_is_told_as_failed_with_its_code(tmp_path):
    assert outcome(run(tmp_path, "exit 7"))["outcome"] == "failed"
    assert outcome(run(tmp_path / "two", "(exit 9)\nexit 9"))["exit_code"] == 9


def test_the_network_is_away_but_for_the_package_server(tmp_path):
    script = f'for u in {OUTSIDE} http://packages.lab/other; do curl -sS -m 5 -o out "$u"; wc -c <out; done'
    script += "\nenv -u HOME curl -sS -m 5 http://1.1.1.1/ || echo unreachable"
    lines = run(tmp_path, script)
    confined = next(line for line in lines if line["kind"] == "agent_script.confined")
    assert confined["data"]["network"] == "none but its own loopback"
    assert "unreachable" in texts(lines)
    assert "404: the lab has no /other" in texts(lines)


def test_nothing_outside_its_folder_can_be_written(tmp_path):
    target = tmp_path / "elsewhere"
    lines = run(tmp_path, f"touch {target} || echo refused")
    confined = next(line for line in lines if line["kind"] == "agent_script.confined")
    if "own folder only" in confined["data"]["files"]:
        assert "refused" in texts(lines)
        assert not target.exists()
    else:
        assert "Landlock" in confined["data"]["files"]


def test_the_environment_of_the_dashboard_is_not_there(tmp_path):
    lines = run(tmp_path, "env", LAB_TOKEN="a-secret", AWS_SECRET_ACCESS_KEY="b-secret")
    assert not [text for text in texts(lines) if "a-secret" in text or "b-secret" in text]
    assert [text for text in texts(lines) if text == "VSTS_AGENT_INPUT_TOKEN=not-a-real-token"]


def test_sudo_and_systemctl_are_the_labs(tmp_path):
    lines = run(tmp_path, "command -v sudo systemctl; sudo id -u")
    assert {"~/programs/sudo", "~/programs/systemctl"} <= set(texts(lines))
    confined = next(line for line in lines if line["kind"] == "agent_script.confined")
    assert confined["data"]["user"] == f"user {texts(lines)[-2]}"


def test_a_script_is_not_root_even_where_the_dashboard_is(tmp_path):
    lines = run(tmp_path, "id -u; grep CapEff /proc/self/status; chmod 600 /etc/hosts || echo refused")
    assert "0" not in texts(lines)
    assert "CapEff:\t0000000000000000" in texts(lines)
    assert "refused" in texts(lines)


def test_processes_outside_are_out_of_reach(tmp_path):
    """Where the kernel can (Landlock 6), or because the script is somebody else."""
    with subprocess.Popen(["sleep", "60"]) as other:
        lines = run(tmp_path, f"kill -9 {other.pid} || echo refused")
        alive = other.poll() is None
        other.kill()
    assert alive or "refused" not in texts(lines)
    if os.getuid() == 0:
        assert alive


def test_endless_output_is_bounded(tmp_path):
    lines = run(tmp_path, "yes 'a line' | head -n 100000")
    assert 1000 < len(lines) < 2100


def test_a_line_without_an_end_is_told_in_pieces(tmp_path):
    lines = run(tmp_path, "head -c 300000000 /dev/zero | tr '\\0' a")
    assert any("the rest is not shown" in text for text in texts(lines))
    assert max(map(len, texts(lines))) <= 2000


def test_what_a_script_writes_is_never_taken_for_the_labs_own_lines(tmp_path):
    lines = run(tmp_path, "printf '\\036!nonsense\\n\\036\\036forged\\n{}\\n'")
    assert outcome(lines)["exit_code"] == 0
    forged = [line for line in lines if "forged" in line["text"] or "nonsense" in line["text"]]
    assert [line["data"]["stream"] for line in forged] == ["command", "output", "output"]


def test_without_curl_the_lab_brings_one(tmp_path):
    fill(tmp_path / "context", pack(b"no program"))
    source = (HERE / "rehearse.py").read_text()
    assert 'which("curl", path=PATH)' in source
    folder = tmp_path / "own"
    folder.mkdir()
    changed = source.replace("path=PATH", 'path="/nowhere"')
    for name in ("confinement.py",):
        shutil.copy(HERE / name, folder / name)
    (folder / "rehearse.py").write_text(changed)
    (folder / "package.tar.gz").write_bytes(b"the package")
    given = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(tmp_path),
        "LAB_PACKAGE": "p.tar.gz",
        "LAB_SECONDS": "20",
    }
    script = "curl -fSL -o out http://packages.lab/agent/1/p.tar.gz; wc -c <out"
    script += "; curl -fSL -o out http://x/y || echo gone"
    ran = subprocess.run(
        [sys.executable, "rehearse.py"],
        cwd=folder,
        env=given | {"LAB_SCRIPT": script},
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = texts([json.loads(line) for line in ran.stdout.splitlines()])
    assert {"11", "gone", "curl: the lab's own stand-in, since there is no curl here"} <= set(said)
