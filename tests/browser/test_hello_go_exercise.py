"""The exercise about stages to its end, as a student does it, on each engine."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


def test_hello_go_in_stages(student, classroom):
    student.begin("hello-go-in-stages")
    student.answer("base", "final")
    expect(student.step.locator("[data-check='0'] [data-seen]")).to_contain_text("another one")
    assert not student.step.locator("[data-onwards]").is_visible()
    student.answer("build", "final")
    student.onwards()
    student.click("Build Hello-Go")
    student.answer(f"{classroom.get()['hello_go']['image']['size'] / 1e6:.1f} MB")
    student.onwards()
    student.click("Launch")
    student.onwards()
    student.click("Call it", "Call it")
    student.onwards()
    student.click("Build once more")
    student.onwards()
    student.click("Stop")
    student.is_done()
    overview = classroom.get("/exercises")["exercises"]
    assert all(step["passed"] for step in overview[0]["steps"])
