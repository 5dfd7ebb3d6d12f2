"""The labs' images on a stick: nothing half-written passes for whole, nothing is skipped in silence."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import uuid
from dataclasses import fields
from pathlib import Path

import docker
import pytest

from services.engines.base import Recipe
from services.engines.docker_carried import Carrier
from services.errors import BadRequest, EngineUnavailable, LabError
from services.settings import Settings, read_settings
from services.stick import manifest
from services.stick.loading import load
from services.stick.manifest import Damaged
from services.stick.saving import ImagesMissing, NoSpace, save
from services.stick.wanted import Wanted, all_wanted
from tests.dashboard import TOP

pytestmark = pytest.mark.docker
_TEMPORARY = tempfile.TemporaryDirectory()
DECK = Path(_TEMPORARY.name)
"""What the dashboard of these tests remembers of its Docker."""


def quiet(line):
    pass


@pytest.fixture
def client():
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture
def wanted(client):
    """Three tiny images of this test alone, with a megabyte each that no other has."""
    run = f"labdeck-test-{uuid.uuid4().hex[:8]}"
    names = [f"{run}/{part}:1.0" for part in ("one", "two", "three")]
    for name in names:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            entry = tarfile.TarInfo("content")
            entry.size = 1_000_000
            tar.addfile(entry, io.BytesIO(os.urandom(entry.size)))
        client.api.import_image_from_data(packed.getvalue(), *name.split(":"))
    made = [client.images.get(name).id for name in names]
    yield [Wanted(name.split("/")[1].split(":")[0], name, "a test needs it") for name in names]
    remove(client, names)
    remove(client, made)  # one of them lost its name


def remove(client, names):
    for name in names:
        try:
            client.images.remove(name, force=True)
        except docker.errors.ImageNotFound:
            continue


def names_in(folder):
    return {path.name for path in folder.iterdir()}


def id_of(client, name):
    return client.images.get(name).id


def test_what_was_saved_is_loaded_again_under_its_name(client, wanted, tmp_path):
    ids = {one.image: id_of(client, one.image) for one in wanted}
    done = save(Carrier(DECK), wanted, tmp_path, quiet)
    written = json.loads((tmp_path / manifest.NAME).read_text())
    assert written["complete"] and [one["id"] for one in written["images"]] == list(ids.values())
    for one in written["images"]:
        content = (tmp_path / one["file"]).read_bytes()
        assert len(content) == one["bytes"] > 1_000_000
        assert hashlib.sha256(content).hexdigest() == one["sha256"]
    assert names_in(tmp_path) == {manifest.NAME, *(one.file for one in done.images)}
    remove(client, list(ids)[:2])
    said = []
    load(Carrier(DECK), wanted, tmp_path, said.append)
    assert {name: id_of(client, name) for name in ids} == ids
    names = list(ids)
    assert said == [f"{names[0]}: loaded", f"{names[1]}: loaded", f"{names[2]}: is here already"]


class CutShort(Carrier):
    """The stick is pulled out, or Docker killed, in the middle of the second image."""

    def pieces(self, reference):
        for number, piece in enumerate(super().pieces(reference)):
            yield piece[: len(piece) // 2] if "/two:" in reference and number == 0 else piece
            if "/two:" in reference:
                raise EngineUnavailable("Docker went away.")


def test_a_save_that_was_cut_short_passes_for_nothing_and_goes_on_where_it_stopped(client, wanted, tmp_path):
    with pytest.raises(EngineUnavailable):
        save(CutShort(DECK), wanted, tmp_path, quiet)
    assert len(list(tmp_path.glob("*.tar"))) == 1
    with pytest.raises(Damaged, match="cut short: 1 images"):
        load(Carrier(DECK), wanted, tmp_path, quiet)
    first = next(tmp_path.glob("*one*.tar"))
    before, said = first.stat().st_mtime_ns, []
    assert save(Carrier(DECK), wanted, tmp_path, said.append).complete
    assert first.stat().st_mtime_ns == before and "already, and whole" in said[0]
    assert not list(tmp_path.glob("*.part"))


def test_a_damaged_file_is_named_not_loaded_and_mended_by_saving_again(client, wanted, tmp_path):
    done = save(Carrier(DECK), wanted, tmp_path, quiet)
    flipped, shortened = (tmp_path / one.file for one in done.images[:2])
    content = bytearray(flipped.read_bytes())
    content[500_000] ^= 1
    flipped.write_bytes(content)
    os.truncate(shortened, 1000)
    remove(client, [one.image for one in wanted])
    with pytest.raises(Damaged) as damaged:
        load(Carrier(DECK), wanted, tmp_path, quiet)
    assert f"{flipped.name} ({wanted[0].image}) has another checksum" in damaged.value.message
    assert f"{shortened.name} ({wanted[1].image}) has 1000 bytes instead" in damaged.value.message
    assert id_of(client, wanted[2].image)
    for one in wanted[:2]:
        with pytest.raises(docker.errors.ImageNotFound):
            client.images.get(one.image)


def test_what_is_newer_now_replaces_what_was_saved(client, wanted, tmp_path):
    before = save(Carrier(DECK), wanted, tmp_path, quiet)
    foreign = tmp_path / "holiday-0123456789ab.tar"
    foreign.write_text("somebody else's")
    client.images.get(wanted[2].image).tag(*wanted[0].image.split(":"))
    after = save(Carrier(DECK), wanted, tmp_path, quiet)
    assert before.images[0].file not in names_in(tmp_path) and foreign.exists()
    assert {one.part: one.id for one in after.images}["one"] == id_of(client, wanted[2].image)


def test_images_that_cannot_be_had_are_named_and_nothing_is_written(wanted, tmp_path):
    nowhere = Wanted("four", "localhost:1/nobody/four:1", "a test misses it")
    folder = tmp_path / "stick"
    with pytest.raises(ImagesMissing) as missing:
        save(Carrier(DECK), [*wanted, nowhere], folder, quiet)
    assert f"{nowhere.image}, a test misses it: " in missing.value.message
    assert "WITHOUT=four" in missing.value.hint and not folder.exists()
    done = save(Carrier(DECK), [*wanted, nowhere], folder, quiet, without={"four"})
    assert done.left_out == (nowhere.image,)
    said = []
    load(Carrier(DECK), [*wanted, Wanted("five", "other:1", "to say so")], folder, said.append)
    assert f"{nowhere.image}: not in this folder, it was left out when the images were saved" in said
    assert any(line.startswith("other:1: not in this folder, though") for line in said)
    with pytest.raises(BadRequest, match="WITHOUT names fuor"):
        save(Carrier(DECK), wanted, folder, quiet, without={"fuor"})


def test_a_full_disk_is_said_before_anything_is_written(wanted, tmp_path):
    with pytest.raises(NoSpace, match=r"room for 2\.0 MB, and \d+\.\d MB are still to be saved"):
        save(Carrier(DECK), wanted, tmp_path, quiet, free=lambda folder: 2_000_000)
    assert names_in(tmp_path) == set()


def test_images_of_another_processor_and_a_manifest_of_somebody_else_are_refused(wanted, tmp_path):
    done = save(Carrier(DECK), wanted, tmp_path, quiet)
    path = tmp_path / manifest.NAME
    text = path.read_text()
    path.write_text(text.replace(done.platform, "linux/s390x"))
    with pytest.raises(LabError, match="are for linux/s390x, and this machine is"):
        load(Carrier(DECK), wanted, tmp_path, quiet)
    for broken in (
        text[:100],
        "[]",
        text.replace('"sha256"', '"sha"'),
        text.replace(done.images[0].file, "../x"),
    ):
        path.write_text(broken)
        with pytest.raises(Damaged):
            load(Carrier(DECK), wanted, tmp_path, quiet)
    with pytest.raises(LabError, match="There is no labdeck-images"):
        load(Carrier(DECK), wanted, tmp_path / "elsewhere", quiet)


def test_an_image_of_ours_that_was_carried_here_is_not_built_again(client, tmp_path):
    """Where there is no internet a build could not end; other sources want a build all the same."""
    name, source, stick = f"carried-{uuid.uuid4().hex[:8]}", tmp_path / "source", tmp_path / "stick"
    source.mkdir()
    base = read_settings(os.environ).image_runtime
    (source / "Dockerfile").write_text(f"FROM {base}\nLABEL labdeck.image={name}")
    tag = f"labdeck/{name}:latest"
    try:
        recipe = Recipe(name, source, "python", sources="abc")
        save(Carrier(DECK), [Wanted("carried", tag, "a test", recipe)], stick, quiet)
        (source / "Dockerfile").write_text(f"FROM {base}\nRUN false\nLABEL labdeck.image={name}")
        with pytest.raises(LabError):  # built here, so its Dockerfile counts
            Carrier(DECK).build(recipe, quiet)
        remove(client, tags(client, name))
        load(Carrier(DECK), [], stick, quiet)
        said = []
        Carrier(DECK).build(recipe, said.append)
        assert "nothing has to be built" in said[0]
        with pytest.raises(LabError):
            Carrier(DECK).build(Recipe(name, source, "python", sources="abd"), quiet)
    finally:
        remove(client, tags(client, name))


def tags(client, name):
    """All that an image of ours is called here: each version has a tag of its own."""
    return [tag for image in client.images.list(f"labdeck/{name}") for tag in image.tags]


def test_every_image_of_the_settings_is_wanted():
    settings = read_settings({"LAB_IMAGE_GOLANG": "school/go:1"})
    only_to_build_blazor = {settings.image_dotnet_sdk, settings.image_dotnet_runtime, ""}
    named = {getattr(settings, one.name) for one in fields(Settings) if one.name.startswith("image_")}
    assert {one.image for one in all_wanted(settings)} == named - only_to_build_blazor | {
        "labdeck/services:latest",
        "labdeck/blazor:latest",
    }


def test_without_docker_one_line_says_so(tmp_path):
    for verb in ("save", "load"):
        (tmp_path / manifest.NAME).write_text(
            '{"platform": "x", "complete": true, "left_out": [], "images": []}'
        )
        done = subprocess.run(
            [sys.executable, "-m", "services.stick", verb, str(tmp_path)],
            cwd=TOP,
            env=os.environ | {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 2 and done.stderr.count("\n") == 1 and done.stdout == ""
        assert "Docker does not answer" in done.stderr and "start it" in done.stderr
