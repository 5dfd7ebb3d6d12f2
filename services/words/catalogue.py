"""The catalogues: one file a language, read as it stands and only when somebody asks for that language."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from gettext import c2py
from pathlib import Path
from typing import Any

from services.words.said import Said, begun

TRANSLATIONS = Path(__file__).parent / "translations"
ENGLISH = "en"
_FILE = "LC_MESSAGES/messages.po"
_PAGES, _SERVER = "templates/", "services/"


@dataclass(frozen=True)
class Catalogue:
    """Every sentence in one language, by its English: one form, or those for one and for several."""

    language: str
    messages: Mapping[str, str | Sequence[str]]
    plural: Any
    """Number → place of its form."""
    for_scripts: bytes
    """As JSON, the sentences that scripts say, and which of them the server may have recorded in English."""

    @property
    def digest(self) -> str:
        """Changes when `for_scripts` does, so that it may be cached for good."""
        return hashlib.sha256(self.for_scripts).hexdigest()[:16]

    def text(self, message: str) -> str:
        """The sentence in this language; what is not in the catalogue stays as it is."""
        found = self.messages.get(message, message)
        return found if isinstance(found, str) else found[0]

    def text_n(self, one: str, many: str, number: int) -> str:
        """The form for this number."""
        found = self.messages.get(one)
        if found is None or isinstance(found, str):
            return one if number == 1 else many
        return found[min(self.plural(number), len(found) - 1)]

    def tell(self, answer: Any) -> Any:
        """The same answer with all that was said in it told in this language; nothing else is touched."""
        if isinstance(answer, Said):
            return self._told(answer)
        if isinstance(answer, Mapping):
            return {key: self.tell(value) for key, value in answer.items()}
        if isinstance(answer, list | tuple):
            return [self.tell(value) for value in answer]
        return answer

    def _told(self, text: Said) -> str:
        form = self.text_n(text.message, text.many, text.number) if text.many else self.text(text.message)
        if not text.params:
            return form
        return begun(form % {name: self.tell(value) for name, value in text.params.items()}, text.large)


class Catalogues:
    """The languages of a folder, laid out as gettext's tools want it. English needs no file."""

    def __init__(self, folder: Path = TRANSLATIONS) -> None:
        self._folder = folder
        self._read: dict[str, Catalogue] = {}
        self._reading = threading.Lock()
        self.languages = (ENGLISH, *sorted(file.parts[-3] for file in folder.glob(f"*/{_FILE}")))

    def of(self, language: str) -> Catalogue | None:
        """None for English and for a language that there is not."""
        if language == ENGLISH or language not in self.languages:
            return None
        with self._reading:
            if language not in self._read:
                self._read[language] = read_catalogue(self._folder / language / _FILE, language)
            return self._read[language]


def read_catalogue(file: Path, language: str) -> Catalogue:
    """A .po file as it stands: nothing is compiled, so nothing can be forgotten or differ."""
    from babel.messages.pofile import read_po  # who reads English needs none of it

    with file.open("rb") as opened:
        found = read_po(opened, locale=language)
    messages: dict[str, str | Sequence[str]] = {}
    for_scripts: dict[str, str | Sequence[str]] = {}
    recorded: list[str] = []
    for message in found:
        if not message.id or message.fuzzy or not message.string:
            continue
        one = message.id if isinstance(message.id, str) else message.id[0]
        messages[one] = message.string
        places = [place for place, _ in message.locations]
        if any(not place.startswith(_PAGES) for place in places):
            for_scripts[one] = message.string
        if any(place.startswith(_SERVER) for place in places):
            recorded.append(one)
    known = {"messages": for_scripts, "recorded": recorded}
    packed = json.dumps(known, ensure_ascii=False, separators=(",", ":")).encode()
    return Catalogue(language, messages, c2py(found.plural_expr), packed)
