"""Which engine a machine gets, and the reason that people are told."""

import sys

import pytest

from services.engines.choice import choose
from services.errors import EngineUnavailable
from services.settings import read_settings


def settings(tmp_path, engine="auto"):
    return read_settings({"LAB_STATE_DIR": str(tmp_path), "LAB_ENGINE": engine})


@pytest.fixture
def no_docker(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")


@pytest.mark.docker
def test_docker_is_taken_when_it_answers(tmp_path):
    engine, reason = choose(settings(tmp_path))
    assert engine.name == "docker" and engine.limits == ()
    assert reason == f"Docker {engine.version()} answers."


@pytest.mark.local
def test_without_docker_it_is_the_local_engine_and_the_reason_says_why(no_docker, tmp_path):
    engine, reason = choose(settings(tmp_path))
    assert engine.name == "local" and engine.version().startswith("Linux ")
    assert reason == f"Docker does not answer: there is no {tmp_path}/no.sock."


@pytest.mark.local
def test_the_local_engine_can_be_asked_for(tmp_path):
    engine, reason = choose(settings(tmp_path, "local"))
    assert engine.name == "local" and reason == "LAB_ENGINE=local asks for it."


def test_docker_that_was_asked_for_is_taken_though_it_is_away(no_docker, tmp_path):
    engine, reason = choose(settings(tmp_path, "docker"))
    assert engine.name == "docker" and "does not answer" in reason
    with pytest.raises(EngineUnavailable):
        engine.instances()


def test_neither_docker_nor_linux_is_one_clear_line(no_docker, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    for engine in ("auto", "local"):
        with pytest.raises(EngineUnavailable) as none:
            choose(settings(tmp_path, engine))
        assert "needs Linux" in none.value.message and "\n" not in none.value.message
