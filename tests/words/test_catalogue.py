"""Every sentence of the sources is in the catalogue; each language has all of them, with the same places."""

import re
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from services.words.catalogue import TRANSLATIONS
from services.words.messages import ROOT, TEMPLATE, collect, is_whole, written

LANGUAGES = sorted(TRANSLATIONS.glob("*/LC_MESSAGES/messages.po"))
PLACES = re.compile(r"%\((\w+)\)s")
MARKUP = re.compile(r"</?\w+[^>]*>|`[^`]*`")


def catalogue(file):
    with file.open("rb") as opened:
        return read_po(opened, locale=file.parts[-3])


def forms(text):
    return [text] if isinstance(text, str) else list(text)


def test_the_template_is_what_the_sources_say_now():
    assert TEMPLATE.read_bytes() == written(collect()), "run `make messages`"


@pytest.mark.parametrize("file", LANGUAGES, ids=lambda file: file.parts[-3])
def test_a_language_has_every_sentence_and_no_other(file):
    wanted = {message.id for message in collect() if message.id}
    known = {message.id: message for message in catalogue(file) if message.id}
    assert set(known) == wanted, "run `make messages`, then translate what is new"
    assert [one for one, message in known.items() if not is_whole(message.string)] == []
    assert [one for one, message in known.items() if message.fuzzy] == []
    assert not catalogue(file).obsolete and b"\n#~" not in file.read_bytes()


@pytest.mark.parametrize("file", LANGUAGES, ids=lambda file: file.parts[-3])
def test_a_translation_has_the_places_and_the_markup_of_its_sentence(file):
    for message in catalogue(file):
        if not message.id:
            continue
        original = forms(message.id)[-1]
        for text in forms(message.string):
            assert set(PLACES.findall(text)) <= set(PLACES.findall(original)), text
            assert Counter(MARKUP.findall(text)).keys() == Counter(MARKUP.findall(original)).keys() or (
                "Agent script" in original
            ), text
        assert set(PLACES.findall(forms(message.string)[-1])) == set(PLACES.findall(original)), original


@pytest.mark.parametrize("file", sorted((ROOT / "static" / "js").glob("*.js")), ids=lambda file: file.name)
def test_a_script_asks_for_sentences_that_can_be_found(file):
    """`t(name)` would never be collected; so would words in a template string."""
    text = file.read_text()
    calls = re.findall(r"(?<![\w.$])tn?\((?!\))\s*([^\s])", text)
    if file.name != "text.js":
        assert set(calls) <= {'"'}, calls


def test_german_is_there():
    assert [file.parts[-3] for file in LANGUAGES] == ["de"]
    assert Path(TRANSLATIONS / "de").is_dir()
