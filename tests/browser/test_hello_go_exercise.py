"""The exercise about stages to its end, as a student does it, on each engine."""

import pytest
from playwright.sync_api import expect

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


def test_hello_go_in_stages(student, dashboard):
    student.begin("hello-go-in-stages")
    student.answer("base", "final")
    expect(student.step.locator("[data-check='0'] [data-seen]")).to_contain_text("another one")
    assert not student.step.locator("[data-onwards]").is_visible()
    student.answer("build", "final")
    student.onwards()
    student.click("Build Hello-Go")
    student.answer(f"{dashboard.get()['hello_go']['image']['size'] / 1e6:.1f} MB")
    student.onwards()
    student.click("Launch")
    student.onwards()
    student.click("Call it", "Call it")
    student.onwards()
    student.click("Build once more")
    student.onwards()
    student.click("Stop")
    student.is_done()
    overview = dashboard.get("/exercises")["exercises"]
    assert all(step["passed"] for step in overview[0]["steps"])
