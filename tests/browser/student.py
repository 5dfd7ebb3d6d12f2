"""Somebody who does an exercise: reads a step, clicks what stands in it and answers what is asked."""

import contextlib

from playwright.sync_api import expect

from tests.dashboard import TOKEN

DONE = 90_000


class Student:
    """What a student does with a page of an exercise; `seen` is what a failed test is told with."""

    def __init__(self, page, dashboard):
        self.page, self.dashboard = page, dashboard

    def begin(self, slug):
        self.page.goto(f"{self.dashboard.url}/exercises/{slug}")
        self.page.click("#begin")
        self._has_begun("")

    @property
    def step(self):
        return self.page.locator(".step:visible")

    def click(self, *labels):
        """Each button of the text, one after the other, each to the end of what it does."""
        for label in labels:
            self.step.get_by_role("button", name=label, exact=True).click()
            expect(self.step.locator("[data-calls] .spin")).to_have_count(0, timeout=DONE)
            expect(self.step.locator("[data-said] .is-refused")).to_have_count(0)

    def click_until_done(self, label, seconds=15, times=6):
        """Again when it was too early, as the hints say: who is still on the way is not cut off."""
        for _ in range(times):
            self.click(label)
            with contextlib.suppress(AssertionError):
                return expect(self.onwards_link).to_be_visible(timeout=seconds * 1000)
        raise AssertionError(self.seen())

    def answer(self, *texts):
        for place, text in enumerate(texts):
            field = self.step.locator("[data-answer]").nth(place)
            field.fill(text)
            field.press("Enter")

    @property
    def onwards_link(self):
        return self.step.locator("[data-onwards]")

    def is_done(self):
        """The checks pass by themselves, as soon as the events are there."""
        try:
            expect(self.onwards_link).to_be_visible(timeout=DONE)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.seen()}") from None

    def onwards(self):
        """To the next step, and wait until it has begun: what happens before counts for nothing."""
        self.is_done()
        before = self.step.get_attribute("data-step")
        self.onwards_link.locator("a").click()
        self._has_begun(before)

    def _has_begun(self, before):
        expect(self.step).not_to_have_attribute("data-step", before or "-")
        expect(self.step.locator("[data-seen]").first).not_to_be_empty(timeout=30_000)

    def seen(self):
        return f"{self.step.locator('[data-checks]').inner_text()}\n{self.dashboard.told()}"


@contextlib.contextmanager
def student_at(chromium, dashboard):
    """Their page fails the test when it logs an error; a refused TRY of a button (409) is none."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    errors = []
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{dashboard.url}/?token={TOKEN}")
    yield Student(page, dashboard)
    context.close()
    assert [text for text in errors if "net::ERR_" not in text and "409 (CONFLICT)" not in text] == []
