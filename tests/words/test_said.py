"""A sentence is English to everybody, and can be told in another language as a whole."""

import copy
import json

from services.words import joined, say, say_n, sentence, together
from services.words.catalogue import Catalogues
from services.words.said import packed, unpacked

PO = """\
msgid ""
msgstr ""
"Language: de\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

#: services/a.py
msgid "%(who)s is away."
msgstr "Weg ist %(who)s."

#: services/a.py
msgid "the replica"
msgstr "die Replik"

#: services/a.py
msgid "%(n)s visitor"
msgid_plural "%(n)s visitors"
msgstr[0] "%(n)s Besucher (einer)"
msgstr[1] "%(n)s Besucher"

#: templates/a.html
msgid "Only on a page"
msgstr "Nur auf einer Seite"

#: services/a.py
msgid "not yet translated"
msgstr ""
"""


def german(folder, po=PO):
    file = folder / "de" / "LC_MESSAGES" / "messages.po"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(po)
    return Catalogues(folder).of("de")


def test_what_is_said_is_plain_english_text_to_everybody():
    text = say("%(who)s is away.", who="replica-1")
    assert text == "replica-1 is away." and isinstance(text, str)
    assert json.dumps({"text": text}) == '{"text": "replica-1 is away."}'
    assert f"{text} Really." == "replica-1 is away. Really."
    assert [say_n("%(n)s visitor", "%(n)s visitors", n) for n in (1, 2)] == ["1 visitor", "2 visitors"]
    assert say("100 % of it") == "100 % of it"


def test_it_is_told_in_another_language_with_its_parts_and_its_number(tmp_path):
    told = german(tmp_path).tell
    assert told(say("%(who)s is away.", who=say("the replica"))) == "Weg ist die Replik."
    assert told(say_n("%(n)s visitor", "%(n)s visitors", 1)) == "1 Besucher (einer)"
    assert told([{"a": say("the replica"), "b": "the replica"}]) == [{"a": "die Replik", "b": "the replica"}]
    assert told(say("not yet translated")) == "not yet translated"
    assert told(say("unknown %(x)s", x=1)) == "unknown 1"
    both = together(say("%(who)s is away.", who="visitor-1"), "", say("the replica"))
    assert (both, told(both)) == ("visitor-1 is away. the replica", "Weg ist visitor-1. die Replik")
    assert told(sentence(say("the replica"))) == "Die Replik."
    assert told(joined([say("the replica"), "", "x"], "\n")) == "die Replik\n\nx"


def test_it_can_be_copied_and_stored_and_told_afterwards(tmp_path):
    told = german(tmp_path).tell
    results = [{"seen": say("%(who)s is away.", who=say("the replica")), "passed": True}]
    assert told(copy.deepcopy(results)) == told(results)
    stored = json.loads(json.dumps(packed(results)))
    assert unpacked(stored) == results and told(unpacked(stored)) == told(results)
    assert unpacked([{"seen": "an old row"}]) == [{"seen": "an old row"}]


def test_scripts_get_what_no_template_alone_says_and_know_what_may_be_recorded(tmp_path):
    known = json.loads(german(tmp_path).for_scripts)
    assert "Only on a page" not in known["messages"] and "not yet translated" not in known["messages"]
    assert known["messages"]["%(n)s visitor"] == ["%(n)s Besucher (einer)", "%(n)s Besucher"]
    assert "the replica" in known["recorded"]


def test_english_and_unknown_languages_have_no_catalogue(tmp_path):
    german(tmp_path)
    catalogues = Catalogues(tmp_path)
    assert catalogues.languages == ("en", "de")
    assert catalogues.of("en") is None and catalogues.of("fr") is None and catalogues.of("../de") is None
