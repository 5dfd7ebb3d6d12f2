"""What is in the images that run inside the lab, and what is not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from contract.machines import SETTINGS, THIS_RUN, run

from services.affinity_lab.programs import recipe as services_recipe
from services.engines.base import Recipe
from services.engines.docker import DockerEngine

pytestmark = pytest.mark.docker
HELLO_GO = Path(__file__).parents[2] / "services" / "hello_go" / "image"


@pytest.fixture
def build(tmp_path):
    engine = DockerEngine("images", tmp_path / "engine")

    def build(recipe):
        return engine.build(replace(recipe, name=f"{recipe.name}-{THIS_RUN}"), lambda line: None)

    yield build
    engine.close()


def inside(image, script):
    """The output of a shell script run in the image."""
    return run(
        "docker", "run", "--rm", "--network", "none", "--entrypoint", "/bin/sh", image.tag, "-c", script
    )


def config(image):
    return json.loads(run("docker", "image", "inspect", image.tag))[0]["Config"]


def test_the_image_of_the_services_holds_the_lab_programs_and_nothing_of_the_dashboard(build):
    image = build(services_recipe(SETTINGS))
    rooms = set(inside(image, "ls services").split()) - {"__pycache__"}
    assert rooms == {"__init__.py", "wire", "circuit", "balancer", "visitors"}
    assert "flask" not in inside(image, "ls /packages") and config(image)["User"] == "65532:65532"
    assert config(image)["Entrypoint"] == ["python3"]


def test_every_lab_program_and_envoy_start_in_it(build):
    image = build(services_recipe(SETTINGS))
    for program in ("circuit", "balancer", "visitors"):
        inside(image, f"python3 -c 'import services.{program}.__main__'")
    assert "version:" in inside(image, "envoy --version")


def test_of_hello_go_only_the_binary_crosses_over(build):
    image = build(Recipe("hello-go", HELLO_GO, "go"))
    assert inside(image, "ls /app").split() == ["hello-go"] and image.size < 12_000_000
    assert image.user == "65532:65532"
    assert config(image)["User"] == "65532:65532" and "8080/tcp" in config(image)["ExposedPorts"]
