"""`python -m services.words.messages`: what the sources say now, into the template and each catalogue."""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

from services.words.catalogue import TRANSLATIONS

ROOT = Path(__file__).parents[2]
TEMPLATE = TRANSLATIONS / "messages.pot"
_PLACES = Path(__file__).parent / "babel.cfg"
_KEYWORDS = DEFAULT_KEYWORDS | {"say": None, "say_n": (1, 2), "t": None, "tn": (1, 2)}

_HEADERS = (
    "POT-Creation-Date",
    "PO-Revision-Date",
    "Last-Translator",
    "Language-Team",
    "Report-Msgid",
    "Generated-By",
)
_LEFT_OUT = tuple(f'"{name}'.encode() for name in (*_HEADERS, "Project-Id-Version"))


def collect(root: Path = ROOT) -> Catalog:
    """All sentences of the sources, each with the files that say it."""
    with _PLACES.open() as opened:
        methods, options = parse_mapping_cfg(opened)
    found = Catalog(project="Labdeck", charset="utf-8")
    for file, _, message, comments, context in extract_from_dir(root, methods, options, _KEYWORDS):
        found.add(message, locations=[(file, 0)], auto_comments=comments, context=context)
    return found


def main() -> int:
    """Write the template and every catalogue; say how much of each is still to be translated."""
    found = collect()
    TEMPLATE.write_bytes(written(found))
    for file in sorted(TRANSLATIONS.glob("*/LC_MESSAGES/messages.po")):
        language = file.parts[-3]
        with file.open("rb") as opened:
            known = read_po(opened, locale=language)
        known.update(found, no_fuzzy_matching=True)
        known.obsolete.clear()
        file.write_bytes(written(known))
        missing = sum(1 for message in known if message.id and not is_whole(message.string))
        sys.stdout.write(f"{language}: {len(known)} sentences, {missing} still to be translated\n")
    return 0


def is_whole(text: Any) -> bool:
    """Whether there is a translation, and of each of its forms."""
    return bool(text) and (isinstance(text, str) or all(text))


def written(catalogue: Catalog) -> bytes:
    """Without line numbers, dates and versions, so that only what was changed differs."""
    text = BytesIO()
    catalogue.header_comment = "# What Labdeck says. `make messages` brings it up to date with the sources."
    write_po(text, catalogue, width=0, sort_output=True, include_lineno=False)
    lines = text.getvalue().splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(_LEFT_OUT))


if __name__ == "__main__":
    sys.exit(main())
