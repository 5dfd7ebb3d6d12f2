"""Each request is answered in its reader's language; who says nothing gets English, as ever."""

import re

import pytest

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.8"}


@pytest.mark.parametrize(
    ("headers", "cookies", "language"),
    [
        ({}, {}, "en"),
        (GERMAN, {}, "de"),
        ({"Accept-Language": "en-GB,en;q=0.9,de;q=0.8"}, {}, "en"),
        ({"Accept-Language": "fr"}, {}, "en"),
        ({"Accept-Language": "fr"}, {"labdeck_language": "de"}, "de"),
        (GERMAN, {"labdeck_language": "en"}, "en"),
        ({}, {"labdeck_language": "../../etc"}, "en"),
    ],
)
def test_a_page_is_in_the_language_that_was_chosen_or_else_asked_for(dashboard, headers, cookies, language):
    answer = dashboard.call("GET", "/", headers=headers, cookies=cookies)
    assert f'<html lang="{language}"' in answer.text
    assert answer.headers["Content-Language"] == language
    assert {"Accept-Language", "Cookie"} <= set(re.split(r",\s*", answer.headers["Vary"]))
    assert ("Drei Labs." in answer.text) == (language == "de")
    assert ("data-words=" in answer.text) == (language != "en")


def test_the_switch_offers_the_other_languages_by_their_own_names(dashboard):
    english, german = (dashboard.call("GET", "/", headers=one).text for one in ({}, GERMAN))
    assert 'data-language="de" lang="de"' in english and "Deutsch" in english
    assert 'data-language="en" lang="en"' in german and "English" in german
    assert 'data-language="en"' not in english


def test_an_error_is_told_in_the_language_of_its_request_and_keeps_its_kind(dashboard):
    path = "/api/workspaces/demo/replicas/replica-9/kill"
    english = dashboard.call("POST", path, json={})
    german = dashboard.call("POST", path, json={}, headers=GERMAN)
    assert english.json()["error"]["message"] == "The affinity lab is stopped."
    assert english.json()["error"]["hint"] == "Launch it first."
    assert german.status_code == english.status_code
    assert german.json()["error"]["kind"] == english.json()["error"]["kind"] == "wrong_phase"
    assert german.json()["error"]["hint"] == "Starte es zuerst."
    assert german.headers["Content-Language"] == "de"
    page = dashboard.call("GET", "/nowhere", headers=GERMAN)
    assert page.status_code == 404 and "Unter /nowhere gibt es nichts." in page.text


def test_checks_exercises_and_scripts_are_told_in_german_too(dashboard):
    asked = {"arguments": {"replicas": 3}}
    check = dashboard.call("POST", "/api/workspaces/demo/checks/lab_runs", json=asked, headers=GERMAN).json()
    assert check["expected"] == "Das Affinitäts-Lab läuft mit: 3 Repliken."
    found = dashboard.call("GET", "/api/workspaces/demo/exercises", headers=GERMAN).json()["exercises"]
    plain = dashboard.call("GET", "/api/workspaces/demo/exercises").json()["exercises"]
    assert [one["slug"] for one in found] == [one["slug"] for one in plain]
    assert found[0]["title"] == "Hello-Go in Stufen" and plain[0]["title"] == "Hello-Go in stages"
    body = {
        "version": "2.173.0",
        "rid": "linux-arm",
        "url": "https://dev.azure.com/torben/",
        "target": {"kind": "deployment_pool", "name": "SandboxDeploy"},
    }
    german = dashboard.call("POST", "/api/agent-script", json=body, headers=GERMAN).json()
    english = dashboard.call("POST", "/api/agent-script", json=body).json()
    assert german["why"].startswith("Die Registrierungsseite fragt nur nach dem System")
    assert german["script"] == english["script"]
    for page in ("", "/print", "/teacher"):
        text = dashboard.call("GET", f"/exercises/error-on-reload{page}", headers=GERMAN).text
        assert "Der Fehler beim Neuladen" in text


def test_what_a_passed_step_saw_is_told_in_the_language_of_who_looks(dashboard):
    step = "/api/workspaces/demo/exercises/hello-go-in-stages/steps/read"
    dashboard.call("POST", f"{step}/open", json={})
    passed = dashboard.call("POST", f"{step}/check", json={"answers": ["build", "final"]}).json()
    assert passed["passed"] and passed["checks"][0]["seen"] == "'build' is right."
    path = "/api/workspaces/demo/exercises/hello-go-in-stages"
    english, german = (dashboard.call("GET", path, headers=one).json() for one in ({}, GERMAN))
    assert english["steps"][0]["results"][0]["seen"] == "'build' is right."
    assert german["steps"][0]["results"][0]["seen"] == "'build' ist richtig."


def test_the_catalogue_of_the_scripts_is_public_and_kept_by_its_digest(dashboard):
    page = dashboard.call("GET", "/signed-out", token=None, headers=GERMAN).text
    address = re.search(r'data-words="(/words/de\.json\?v=[0-9a-f]{16})"', page)[1]
    answer = dashboard.call("GET", address, token=None)
    assert answer.json()["messages"]["Live"] == "Live" and answer.json()["messages"]["Kill"] == "Abschießen"
    assert "immutable" in answer.headers["Cache-Control"] and "Vary" not in answer.headers
    etag = answer.headers["ETag"]
    again = dashboard.call("GET", "/words/de.json?v=other", token=None, headers={"If-None-Match": etag})
    assert again.status_code == 304 and again.headers["Cache-Control"] == "no-cache"
    assert dashboard.call("GET", "/words/en.json", token=None).status_code == 404
    assert dashboard.call("GET", "/words/xx.json", token=None).status_code == 404


def test_a_folder_of_other_languages_takes_the_place_of_ours(dashboard, tmp_path):
    file = tmp_path / "eo" / "LC_MESSAGES" / "messages.po"
    file.parent.mkdir(parents=True)
    file.write_text(
        'msgid ""\nmsgstr "Language: eo\\n"\n\n#: templates/a.html\nmsgid "Labs"\nmsgstr "Laboroj"\n'
    )
    dashboard.restart(LAB_TRANSLATIONS=str(tmp_path))
    text = dashboard.call("GET", "/", cookies={"labdeck_language": "eo"}).text
    assert '<html lang="eo"' in text and "Laboroj" in text and 'data-language="de"' not in text
