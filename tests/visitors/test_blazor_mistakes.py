"""Servers that break Blazor's protocol: each makes failed visitors that say why, none meets silence."""

import pytest

FAILED = {
    "no-component": "The page has no server component of Blazor.",
    "no-initializers": "GET /_blazor/initializers failed: Error: none: Status code '404'",
    "no-circuit": "Failed to start the circuit.",
    "refused-call": "Error: Not today.",
    "broken-frame": "Error: The message is not valid MessagePack.",
    "error": "There was an unhandled exception.",
    "unknown-call": "The app called JS.Sing, which the page does not know.",
    "unknown-function": "Error: Could not find 'labdeck.sing'.",
    "strange-arguments": "JS.BeginInvokeJS of the app could not be understood: list index out of range",
    "cut-batch": "JS.RenderBatch of the app could not be understood: A render batch is too short.",
    "endless-batch": "JS.RenderBatch of the app could not be understood: A render batch points outside",
    "batch-of-nowhere": "JS.RenderBatch of the app could not be understood: A render batch changes what",
    "failed-click": "Error: The handler threw.",
    "close": "Error: Server returned an error on close: Go away.",
}


@pytest.mark.parametrize("way", FAILED)
def test_what_is_no_blazor_makes_a_failed_visitor(crowd, strange_blazor, way):
    crowd.set(1, target=strange_blazor(way), app="blazor", reload_seconds=0.2)
    for line in crowd.wait_for("visitor.failed", count=2):
        assert line["data"]["errors"][0].startswith(FAILED[way]), line
    assert crowd.counts() == {"count": 1, "connected": 0, "failed": 1}
    assert "".join(crowd.complaints) == ""
