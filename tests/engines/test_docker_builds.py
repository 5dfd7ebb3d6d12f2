"""What a build leaves on the machine: tags that can be looked at, and no rubbish."""

import json
import shutil
import uuid
from contextlib import closing
from dataclasses import replace

import pytest
from contract.machines import HERE, SETTINGS, TALKER, THIS_RUN, run, talker_recipe

from services.engines import docker_versions
from services.engines.base import Port, Recipe, Spec
from services.engines.docker import DockerEngine
from services.errors import BuildFailed, PortTaken

pytestmark = pytest.mark.docker


def test_the_stages_of_an_image_can_be_looked_at(docker_machine):
    image = docker_machine.engine.image(TALKER)
    assert image.tag == f"labdeck/{TALKER}:latest" and image.size > 10_000_000
    assert {"WORKDIR /talker", 'ENTRYPOINT ["python3"]'} <= {layer.made_by for layer in image.layers}
    assert sum(layer.size for layer in image.layers) == image.size
    stage = docker_machine.engine.image(f"{TALKER}:first")
    assert stage.tag == f"labdeck/{TALKER}:first"
    assert stage.layers[-1].made_by == 'RUN echo "a stage on the way"'


def test_every_file_of_an_image_is_read_and_nothing_that_docker_lays_under_it(docker_machine):
    found = {file.path: file for file in docker_machine.engine.files(TALKER)}
    assert "talker/talker.py" in found and ".dockerenv" not in found and "etc/hosts" not in found
    command = "find / -xdev ! -type d ! -path '/proc/*' ! -path '/sys/*' ! -path '/dev/*' ! -name .dockerenv"
    tag = docker_machine.engine.image(TALKER).tag
    listed = run("docker", "run", "--rm", "--network", "none", "--entrypoint", "sh", tag, "-c", command)
    laid_under = {"etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf"}
    inside = {line.strip("/") for line in listed.splitlines()} - laid_under
    assert inside == {path for path in found if not path.startswith("dev/")} - laid_under
    links = [file for file in found.values() if file.link]
    assert links and all(file.size == 0 for file in links)


def test_a_stand_in_shows_in_what_is_made_on_it(docker_machine):
    base = json.loads(run("docker", "image", "inspect", SETTINGS.image_python))[0]
    is_stand_in = (base["Config"]["Labels"] or {}).get("labdeck.stand-in") == "true"
    assert docker_machine.engine.image(TALKER).stand_in == is_stand_in


def test_a_failed_build_leaves_no_container_and_no_image(docker_machine, tmp_path):
    word = uuid.uuid4().hex
    write_dockerfile(tmp_path, f"RUN echo {word} > /tmp/first", f"RUN echo {word} && false")
    with pytest.raises(BuildFailed) as failed:
        docker_machine.engine.build(recipe(tmp_path, "failing"), lambda line: None)
    assert word in failed.value.message and "returned a non-zero code: 1" in failed.value.message
    assert leftovers(word) == []
    assert word not in run("docker", "ps", "--all", "--no-trunc", "--format", "{{.Command}}")


def test_what_a_rebuild_replaces_is_gone(docker_machine, tmp_path):
    words = [uuid.uuid4().hex, uuid.uuid4().hex]
    for word in words:
        write_dockerfile(
            tmp_path, f"RUN echo {word} > /tmp/first", second_stage=f"RUN echo {word} > /tmp/last"
        )
        docker_machine.engine.build(recipe(tmp_path, "twice"), lambda line: None)
    assert leftovers(words[0]) == []
    assert (
        docker_machine.engine.image(f"twice-{THIS_RUN}:first")
        .layers[-1]
        .made_by.startswith(f"RUN echo {words[1]}")
    )


def test_two_dashboards_that_build_under_one_name_start_their_own(docker_machine, tmp_path):
    context = shutil.copytree(HERE / "talker", tmp_path / "talker")
    docker_machine.engine.build(replace(talker_recipe(context), sources="of ours"), lambda line: None)
    program = context / "talker.py"
    program.write_text(program.read_text().replace("is ready", "is of the other one"))
    with closing(DockerEngine("other", tmp_path / "other")) as other:
        other.build(replace(talker_recipe(context), sources="of ours"), lambda line: None)
    docker_machine.restart()
    docker_machine.start()
    assert docker_machine.read(1)[0].text == "talker is ready"


def test_a_version_that_nobody_builds_any_more_goes(docker_machine, tmp_path, monkeypatch):
    words = [uuid.uuid4().hex, uuid.uuid4().hex]
    monkeypatch.setattr(docker_versions, "UNUSED", -60.0)
    for word in words:
        write_dockerfile(tmp_path, f"RUN echo {word}", second_stage=f"RUN echo {word} > /tmp/last")
        docker_machine.engine.build(replace(recipe(tmp_path, "kept"), sources="of ours"), lambda line: None)
    tags = run("docker", "images", "--format", "{{.Tag}}", f"labdeck/kept-{THIS_RUN}").split()
    assert len(tags) == 3 and {"latest", "first"} < set(tags), "one version beside the names of its stages"
    assert leftovers(words[0]) == []


def test_a_failed_start_leaves_no_container(docker_machine):
    docker_machine.start(ports={"public": Port(8000)})
    taken = docker_machine.engine.address("contract", "talker-1", "public").port
    spec = Spec("contract", "talker", "talker-2", TALKER, ports={"public": Port(8000, publish=taken)})
    with pytest.raises(PortTaken):
        docker_machine.engine.start(spec)
    assert f"{docker_machine.deck}-contract-talker-2" not in run(
        "docker", "ps", "-a", "--format", "{{.Names}}"
    )


def recipe(folder, name):
    name = f"{name}-{THIS_RUN}"
    return Recipe(name, folder, "python", arguments={"BASE": SETTINGS.image_runtime, "NAME": name})


def write_dockerfile(folder, *steps, second_stage="RUN true"):
    lines = ("ARG BASE", "FROM ${BASE} AS first", *steps, "FROM ${BASE}", second_stage)
    (folder / "Dockerfile").write_text("\n".join((*lines, "ARG NAME", "LABEL labdeck.image=${NAME}")))


def leftovers(word):
    """Images without a name or child whose making has the word in it."""
    dangling = set(run("docker", "images", "--quiet", "--no-trunc", "--filter", "dangling=true").split())
    histories = {one: history_of(one) for one in dangling}
    return [one for one, history in histories.items() if word in history]


def history_of(image):
    try:
        return run("docker", "history", "--no-trunc", "--format", "{{.CreatedBy}}", image)
    except Exception:  # removed by somebody meanwhile
        return ""
