"""The exercise about processors to its end, as a student does it, on each engine."""

import pytest

from tests.browser.student import student_at
from tests.dashboard import Dashboard
from tests.go_caches import share_go_caches

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
ENGINES = [pytest.param("docker", marks=pytest.mark.docker), pytest.param("local", marks=pytest.mark.local)]


@pytest.fixture(scope="module", params=ENGINES)
def dashboard(request, tmp_path_factory):
    """With Go's caches of earlier tests."""
    state = tmp_path_factory.mktemp("class") / "state"
    share_go_caches(state, request.config)
    dashboard = Dashboard(request.param, state).start()
    yield dashboard
    dashboard.stop()


@pytest.fixture
def student(chromium, dashboard):
    with student_at(chromium, dashboard) as student:
        yield student


def test_the_agent_for_your_processor(student, dashboard):
    machine = dashboard.get()["agent_script"]["machine"]
    foreign = "linux-arm" if machine["rid"] == "linux-x64" else "linux-x64"
    student.begin("agent-for-your-processor")
    student.answer(machine["uname"])
    student.onwards()
    student.click(f"Rehearse with {foreign}")
    student.answer("126")
    student.onwards()
    student.answer(foreign)
    student.onwards()
    student.click("Rehearse, package chosen on the machine")
    student.onwards()
    student.click(f"The plain script with {machine['rid']}")
    student.is_done()
