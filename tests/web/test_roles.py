"""Followers read and nothing else, on HTTP and Socket.IO; links are signed, and over when revoked."""

import re

import pytest
import requests
import socketio

from services.web.invitations import ROLES
from tests.waiting import wait_for
from tests.web.conftest import Dashboard

DEMO = "/api/workspaces/demo"
NAMES = {
    "workspace": "demo",
    "replica": "replica-1",
    "visitor": "visitor-1",
    "exercise": "error-on-reload",
    "step": "launch",
    "check": "lab_runs",
    "invitation": "abc",
}
BODIES = {
    "scale": {"count": 2},
    "set_affinity": {"mode": "cookie"},
    "set_visitors": {"count": 5},
    "set_page_keys": {"shared": True},
    "agent_script": {},
}


def invite(dashboard, role="follower"):
    return dashboard.call("POST", f"{DEMO}/invitations", json={"role": role}).json()


def come_by(link):
    """A browser that opened a link."""
    browser = requests.Session()
    answer = browser.get(link, timeout=10)
    return browser, answer


def cookie_of(browser):
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies)


def ask(browser, dashboard, method, path, **rest):
    headers = {"Origin": dashboard.url, "Sec-Fetch-Site": "same-origin"}
    return browser.request(method, dashboard.url + path, headers=headers, timeout=10, **rest)


def filled(path, braces):
    return re.sub(braces, lambda found: NAMES.get(found[1], "1"), path)


def every_call(dashboard):
    """Method, path and a body that it would take: all of the OpenAPI document, and routes it lacks."""
    document = dashboard.call("GET", "/api/openapi.json").json()
    calls = {
        (method.upper(), filled(path, r"{(\w+)}")): BODIES.get(operation["operationId"], {})
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    for rule in dashboard.app.url_map.iter_rules():
        for method in rule.methods - {"GET", "HEAD", "OPTIONS"}:
            calls.setdefault((method, filled(rule.rule, r"<(?:\w+:)?(\w+)>")), {})
    return [(method, path, body) for (method, path), body in calls.items()]


def nothing_was_done(dashboard, before):
    asked = {call[0] for call in dashboard.engine.calls}
    return dashboard.demo.tail(1)[-1]["seq"] == before and not asked & {
        *("start", "stop", "kill", "build"),
        "destroy",
    }


def test_a_follower_is_refused_at_every_call_that_changes_anything(dashboard):
    browser, answer = come_by(invite(dashboard)["link"])
    assert answer.status_code == 200 and answer.url.endswith("/follow")
    before = dashboard.demo.tail(1)[-1]["seq"]
    changes = [call for call in every_call(dashboard) if call[0] != "GET"]
    assert len(changes) > 40
    for method, path, body in changes:
        refused = ask(browser, dashboard, method, path, json=body)
        assert refused.status_code == 403, (method, path, refused.text)
        assert refused.json()["error"]["message"].startswith("You follow")
    assert nothing_was_done(dashboard, before)


@pytest.mark.parametrize("role", ROLES)
def test_after_its_link_was_revoked_nobody_can_do_anything_whatever_they_could(dashboard, role):
    link = invite(dashboard, role)
    browser, _ = come_by(link["link"])
    watcher = dashboard.watcher().connect(Cookie=cookie_of(browser))
    dashboard.call("DELETE", f"{DEMO}/invitations/{link['id']}", json={})
    wait_for(lambda: not watcher.client.connected)
    before = dashboard.demo.tail(1)[-1]["seq"]
    for method, path, body in every_call(dashboard):
        if path == "/healthz":  # for anybody
            continue
        refused = ask(browser, dashboard, method, path, **({} if method == "GET" else {"json": body}))
        assert refused.status_code == 401, (method, path, refused.text)
    for path in ("/", "/affinity", "/exercises", "/follow", "/present/error-on-reload", "/api/openapi.json"):
        assert ask(browser, dashboard, "GET", path).status_code == 401, path
    for attempt in ({}, {"token": ""}, {"token": link["id"]}):
        with pytest.raises(socketio.exceptions.ConnectionError):
            dashboard.watcher().connect(auth=attempt or None, Cookie=cookie_of(browser))
    assert nothing_was_done(dashboard, before)


def test_a_follower_reads_the_lab_but_neither_links_nor_answers(dashboard):
    browser, _ = come_by(invite(dashboard)["link"])
    for path in (DEMO, f"{DEMO}/events", f"{DEMO}/exercises", f"{DEMO}/presentation", "/affinity", "/follow"):
        assert ask(browser, dashboard, "GET", path).status_code == 200, path
    for path in (f"{DEMO}/invitations", "/exercises/error-on-reload/teacher", "/present/error-on-reload"):
        assert ask(browser, dashboard, "GET", path).status_code == 403, path
    followed = ask(browser, dashboard, "GET", "/follow").text
    assert "data-solution" not in followed and "<h3>Hint</h3>" not in followed


def test_a_follower_watches_and_can_send_nothing_else(dashboard):
    browser, _ = come_by(invite(dashboard)["link"])
    watcher = dashboard.watcher().connect(Cookie=cookie_of(browser))
    handled = set(dashboard.running.watchers._socketio.server.handlers["/"])
    assert handled == {"connect", "disconnect", "watch", "unwatch", "*"}, (
        "* refuses; the others change nothing"
    )
    assert watcher.watch()["state"]["workspace"] == "demo"
    before = dashboard.demo.tail(1)[-1]["seq"]
    for frame in ("kill", "launch", "PUT", "affinity", "record", "events", "join", "present"):
        answer = watcher.client.call(frame, {"workspace": "demo", "mode": "cookie"}, timeout=10)
        assert answer["error"]["kind"] == "bad_request", frame
    line = dashboard.record("for everyone")
    wait_for(lambda: line.seq in watcher.seqs())
    assert line.seq == before + 1
    assert dashboard.call("GET", f"{DEMO}/presentation").json()["followers"] == 1
    watcher.close()
    wait_for(lambda: dashboard.call("GET", f"{DEMO}/presentation").json()["followers"] == 0)


def test_revoking_a_link_puts_out_who_came_by_it_at_once_and_nobody_else(dashboard):
    first, second = invite(dashboard), invite(dashboard)
    out, in_ = come_by(first["link"])[0], come_by(second["link"])[0]
    watchers = [dashboard.watcher().connect(Cookie=cookie_of(browser)) for browser in (out, in_)]
    left = dashboard.call("DELETE", f"{DEMO}/invitations/{first['id']}", json={})
    assert [one["id"] for one in left.json()["invitations"]] == [second["id"]]
    wait_for(lambda: not watchers[0].client.connected)
    assert watchers[1].client.connected
    assert ask(out, dashboard, "GET", DEMO).status_code == 401
    assert ask(in_, dashboard, "GET", DEMO).status_code == 200
    late = dashboard.watcher()
    with pytest.raises(socketio.exceptions.ConnectionError):
        late.connect(Cookie=cookie_of(out))
    assert late.refusals[0]["data"]["kind"] == "not_signed_in"
    again, answer = come_by(first["link"])
    assert answer.status_code == 401 and "lets nobody in" in answer.text and not again.cookies
    watchers[1].close()


def test_a_link_of_an_instructor_may_do_what_the_token_may_and_ends_with_it(dashboard):
    link = invite(dashboard, "instructor")
    browser, _ = come_by(link["link"])
    assert ask(browser, dashboard, "GET", f"{DEMO}/invitations").status_code == 200
    asked = ask(browser, dashboard, "POST", f"{DEMO}/hello-go/stop", json={})
    assert asked.status_code == 202
    dashboard.restart()
    assert ask(browser, dashboard, "GET", f"{DEMO}/invitations").status_code == 200
    dashboard.restart(LAB_TOKEN="another-token-of-the-tests")
    assert ask(browser, dashboard, "GET", DEMO).status_code == 401


def test_a_link_for_followers_cannot_be_made_one_for_instructors(dashboard):
    follower, instructor = invite(dashboard), invite(dashboard, "instructor")
    signature = follower["link"].rpartition(".")[2]
    forged = [
        follower["link"][:-1] + ("0" if follower["link"][-1] != "0" else "1"),
        f"{dashboard.url}/join/{instructor['id']}.{signature}",
        f"{dashboard.url}/join/{instructor['id']}",
        f"{dashboard.url}/join/{instructor['id']}.",
        f"{dashboard.url}/join/..é",
    ]
    for link in forged:
        browser, answer = come_by(link)
        assert answer.status_code == 401 and not browser.cookies, link
        assert ask(browser, dashboard, "GET", DEMO).status_code == 401


def test_links_name_an_address_that_others_can_open_and_have_a_code_only_then(dashboard, tmp_path):
    assert invite(dashboard)["qr"] is None
    assert invite(dashboard)["link"].startswith(dashboard.url)
    network = Dashboard(tmp_path / "network", LAB_HOST="0.0.0.0")
    made = invite(network)
    assert made["qr"].startswith("data:image/svg+xml")
    assert "//127.0.0.1" not in made["link"] and "//0.0.0.0" not in made["link"]
    answer = network.call("POST", f"{DEMO}/invitations", json={}, headers={"Host": "lab.school:8000"}).json()
    assert answer["link"].startswith("http://lab.school:8000/join/")
    network.close()
