"""Pages of a real Chromium that fail their test when they log an error or break their own policy."""

from contextlib import contextmanager

from playwright.sync_api import expect

from tests.dashboard import TOKEN


@contextmanager
def watched_page(chromium, url, **context):
    """A signed-in page at `url`, with cookies of its own.

    `net::ERR_` is no complaint: a dashboard that a test kills refuses connections, and Chromium drops what
    it loads (`ERR_NETWORK_CHANGED`) when a container gets its network.
    """
    place = chromium.new_context(**{"viewport": {"width": 1440, "height": 900}} | context)
    page = place.new_page()
    complaints = []
    page.on("console", lambda line: complaints.append(line.text) if is_complaint(line) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{url}?token={TOKEN}")
    yield page
    place.close()
    assert complaints == [], complaints


def tick(page, selector, on=True):
    """Set a radio button or switch, whose own box is out of sight, as soon as the page lets one."""
    box = page.locator(selector)
    expect(box).to_be_enabled(timeout=30_000)
    box.set_checked(on, force=True)


def is_complaint(line):
    return line.type == "error" and "net::ERR_" not in line.text
