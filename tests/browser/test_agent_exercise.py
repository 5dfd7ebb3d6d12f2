"""The exercise about processors to its end, as a student does it, on each engine."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


def test_the_agent_for_your_processor(student, classroom):
    machine = classroom.get()["agent_script"]["machine"]
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
