"""What docs say of the code is true of the code."""

import re
from pathlib import Path

from services.events.kinds import KINDS

TOP = Path(__file__).parents[2]


def test_the_page_of_events_lists_every_kind_as_the_code_does():
    page = (TOP / "docs/events.md").read_text()
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.+) \|$", page, re.MULTILINE)
    assert dict(rows) == KINDS


def test_every_link_and_picture_of_the_docs_exists():
    for page in (TOP / "README.md", *(TOP / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name} points to {target}"


def test_every_room_is_on_the_map():
    map_of_house = (TOP / "docs/how-it-works.md").read_text()
    rooms = [path.name for path in (TOP / "services").iterdir() if (path / "__init__.py").exists()]
    assert [room for room in rooms if f"`{room}/`" not in map_of_house] == []
