"""Who may do what, from outside."""

import http.client
import stat
import threading
import time

import pytest
import requests

from services.settings import BadSetting, read_settings
from tests.web.conftest import TOKEN, Dashboard

PATHS = ["/api/workspaces/demo", "/api/openapi.json", "/api/nothing", "/static/js/socket.js"]


def test_the_link_signs_in_and_leaves_the_token_out_of_the_address(dashboard):
    answer = dashboard.call("GET", f"/affinity?token={TOKEN}&filter=a%26b", token=None)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/affinity?filter=a%26b"
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"labdeck-{dashboard.settings.port}=")
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and TOKEN not in cookie


def test_a_signed_in_browser_sees_pages_and_the_api(dashboard):
    browser = dashboard.browser()
    for path in ("/", "/hello-go", "/affinity"):
        page = browser.get(dashboard.url + path, timeout=10)
        assert page.status_code == 200 and page.headers["Content-Type"].startswith("text/html")
    assert browser.get(f"{dashboard.url}/api/workspaces/demo", timeout=10).json()["workspace"] == "demo"


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_the_api_answers_401_as_json(dashboard, path):
    answer = dashboard.call("GET", path, token=None)
    assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["error"]["kind"] == "not_signed_in"


@pytest.mark.parametrize("path", ["/", "/hello-go", "/affinity", "/signed-out", "/no-such-page"])
def test_without_the_token_a_page_says_where_the_link_is(dashboard, path):
    answer = dashboard.call("GET", path, token=None)
    assert answer.status_code == 401
    assert "make run" in answer.text and 'id="live"' not in answer.text


def test_health_and_the_looks_of_the_signed_out_page_need_no_token(dashboard):
    health = dashboard.call("GET", "/healthz", token=None)
    assert health.json() == {"status": "ok", "engine": "scripted", "version": "0.1.0"}
    assert dashboard.call("GET", "/static/css/tokens.css", token=None).status_code == 200
    around = http.client.HTTPConnection(
        "127.0.0.1", dashboard.port, timeout=10
    )  # requests would tidy the path
    around.request("GET", "/static/css/../js/socket.js")
    assert around.getresponse().status == 401


def test_another_page_is_404_only_for_who_is_signed_in(dashboard):
    page = dashboard.browser().get(f"{dashboard.url}/no-such-page", timeout=10)
    assert page.status_code == 404 and "There is nothing at /no-such-page" in page.text


def test_a_cookie_of_somebody_else_opens_nothing(dashboard):
    name = f"labdeck-{dashboard.settings.port}"
    forged = "eyJzaWduZWRfaW4iOnRydWV9.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb"
    answer = dashboard.call("GET", "/api/workspaces/demo", token=None, cookies={name: forged})
    assert answer.status_code == 401


def test_a_restart_keeps_people_signed_in(dashboard):
    browser = dashboard.browser()
    dashboard.restart()
    assert browser.get(f"{dashboard.url}/api/workspaces/demo", timeout=10).status_code == 200


def test_another_token_signs_everybody_out(dashboard):
    browser = dashboard.browser()
    dashboard.restart(LAB_TOKEN="another-token-of-the-tests")
    assert browser.get(f"{dashboard.url}/api/workspaces/demo", timeout=10).status_code == 401
    assert dashboard.call("GET", "/api/workspaces/demo").status_code == 401


def test_a_made_token_is_the_same_after_a_restart_and_only_its_owner_can_read_it(tmp_path):
    dashboard = Dashboard(tmp_path, LAB_TOKEN="")
    first = dashboard.settings.token
    browser = dashboard.browser()
    dashboard.restart()
    assert dashboard.settings.token == first
    assert browser.get(f"{dashboard.url}/", timeout=10).status_code == 200
    for name in ("token", "secret"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    dashboard.close()


# cross-site


def change(dashboard, browser, **headers):
    headers = {"Content-Type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return browser.post(
        f"{dashboard.url}/api/workspaces/demo/hello-go/stop", data="", headers=headers, timeout=10
    )


def test_the_page_itself_may_change_things_with_its_cookie(dashboard):
    answer = change(dashboard, dashboard.browser(), Origin=dashboard.url, Sec_Fetch_Site="same-origin")
    assert answer.status_code == 202


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://127.0.0.1:8090", "Sec_Fetch_Site": "same-site"},
        {"Origin": "http://127.0.0.1:8090"},
        {"Origin": "https://evil.example", "Sec_Fetch_Site": "cross-site"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site"},
    ],
)
def test_a_page_of_another_origin_changes_nothing_though_the_browser_sends_the_cookie(dashboard, headers):
    answer = change(dashboard, dashboard.browser(), **headers)
    assert answer.status_code == 403
    assert answer.json()["error"]["kind"] == "refused"
    assert not dashboard.demo.events(kind="job.accepted")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_what_a_foreign_form_could_send_is_refused(dashboard, kind):
    answer = change(dashboard, dashboard.browser(), Content_Type=kind)
    assert answer.status_code == 415
    assert not dashboard.demo.events(kind="job.accepted")


def test_a_bearer_token_needs_none_of_that(dashboard):
    answer = dashboard.call(
        "POST", "/api/workspaces/demo/hello-go/stop", headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 202


def test_a_wrong_bearer_token_is_not_saved_by_a_cookie(dashboard):
    browser = dashboard.browser()
    answer = browser.get(
        f"{dashboard.url}/api/workspaces/demo", headers={"Authorization": "Bearer wrong"}, timeout=10
    )
    assert answer.status_code == 401


def test_a_call_under_a_foreign_host_name_is_refused(dashboard):
    for host in ("evil.example", f"evil.example:{dashboard.port}", "127.0.0.1.evil.example", ""):
        for path in ("/healthz", "/", "/socket.io/?EIO=4&transport=polling"):
            answer = dashboard.call("GET", path, headers={"Host": host})
            assert answer.status_code == 403, (host, path)
    for host in (f"localhost:{dashboard.port}", "[::1]:9", "127.0.0.1"):
        assert dashboard.call("GET", "/healthz", headers={"Host": host}).status_code == 200


def test_bound_to_a_network_any_host_name_is_answered(tmp_path):
    dashboard = Dashboard(tmp_path, LAB_HOST="0.0.0.0")
    assert dashboard.call("GET", "/healthz", headers={"Host": "lab.school:8000"}).status_code == 200
    dashboard.close()


# methods


def test_get_never_changes_state(dashboard):
    before = dashboard.demo.tail(1)[-1]["seq"]
    calls = [call for call in dashboard.app.url_map.iter_rules() if call.rule.startswith("/api/workspaces")]
    browser = dashboard.browser()
    for rule in calls:
        path = rule.rule.replace("<workspace>", "demo").replace("<replica>", "replica-1")
        path = path.replace("<exercise>", "error-on-reload").replace("<step>", "launch")
        found = 404 if "<" in path else 200  # nobody has visited, nothing was measured
        for method in ("GET", "HEAD"):
            answer = browser.request(method, dashboard.url + path, timeout=10)
            assert answer.status_code in ((found,) if method in rule.methods else (found, 405)), path
    assert dashboard.demo.tail(1)[-1]["seq"] == before
    assert not {call[0] for call in dashboard.engine.calls} & {"start", "stop", "kill", "build", "destroy"}


# headers


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/api/workspaces/demo", "/api/nothing", "/static/css/tokens.css", "/signed-out",
             "/socket.io/?EIO=4&transport=polling"]
)  # fmt: skip
@pytest.mark.parametrize("token", [TOKEN, None])
def test_every_answer_carries_the_headers(dashboard, path, token):
    headers = dashboard.call("GET", path, token=token).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    for rule in ("script-src 'self'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"):
        assert rule in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == ("no-cache" if path.startswith("/static") else "no-store")
    assert "Access-Control-Allow-Origin" not in headers


def test_static_files_are_asked_for_again_and_answered_with_304(dashboard):
    first = dashboard.call("GET", "/static/css/tokens.css")
    again = dashboard.call("GET", "/static/css/tokens.css", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and not again.content


# guessing


def test_wrong_tokens_are_slow_and_a_flood_of_them_holds_nobody_up(dashboard):
    answers, browser = [], dashboard.browser()

    def guess(number):
        answers.append(dashboard.call("GET", "/api/workspaces/demo", token=f"guess-{number}").status_code)

    flood = [threading.Thread(target=guess, args=(number,)) for number in range(60)]
    for thread in flood:
        thread.start()
    began = time.monotonic()
    assert dashboard.call("GET", "/api/workspaces/demo").status_code == 200
    assert browser.get(f"{dashboard.url}/api/workspaces/demo", timeout=10).status_code == 200
    assert requests.get(f"{dashboard.url}/?token={TOKEN}", timeout=10).status_code == 200
    assert time.monotonic() - began < 2
    for thread in flood:
        thread.join()
    assert set(answers) == {401, 429}
    began = time.monotonic()
    assert dashboard.call("GET", "/?token=wrong", token=None).status_code == 401
    assert time.monotonic() - began >= 0.5


# behind a proxy

PUBLIC = "https://lab.school.example"


@pytest.fixture
def behind_proxy(tmp_path):
    dashboard = Dashboard(tmp_path, LAB_PUBLIC_URL="https://Lab.School.example:443/")
    yield dashboard
    dashboard.close()


def test_behind_a_proxy_its_name_is_answered_and_no_other(behind_proxy):
    for host, status in (("lab.school.example", 200), ("127.0.0.1:8000", 200), ("evil.example", 403)):
        assert behind_proxy.call("GET", "/healthz", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("lab.school.example", PUBLIC, 202),
        ("lab.school.example", "http://lab.school.example", 403),
        ("lab.school.example", f"{PUBLIC}:8443", 403),
        ("lab.school.example", "https://evil.example", 403),
        ("127.0.0.1:1", "http://127.0.0.1:1", 202),
        ("127.0.0.1:1", PUBLIC, 403),
    ],
)
def test_behind_a_proxy_only_the_page_of_the_asked_address_changes_anything(
    behind_proxy, host, origin, status
):
    cookies = behind_proxy.browser().cookies
    stranger = requests.Session()
    signed_in = "; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies)
    answer = change(behind_proxy, stranger, Host=host, Origin=origin, Cookie=signed_in)
    assert answer.status_code == status


def test_a_cookie_got_by_tls_is_secure_and_one_got_on_the_machine_still_works_there(behind_proxy):
    link = f"/?token={TOKEN}"
    by_tls = behind_proxy.call("GET", link, token=None, headers={"Host": "lab.school.example"})
    assert "; Secure" in by_tls.headers["Set-Cookie"]
    here = behind_proxy.call("GET", link, token=None)
    assert here.status_code == 303 and "Secure" not in here.headers["Set-Cookie"]


@pytest.mark.parametrize("host", ["lab.school.example", "127.0.0.1"])
def test_links_have_the_proxys_address_whatever_forwarded_headers_say(behind_proxy, host):
    lies = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "gopher",
        "Forwarded": "host=evil.example",
    }
    answer = behind_proxy.call(
        "POST", "/api/workspaces/demo/invitations", json={}, headers={"Host": host, **lies}
    ).json()
    assert answer["link"].startswith(f"{PUBLIC}/join/") and answer["qr"]
    page = behind_proxy.call("GET", "/signed-out", token=None, headers={"Host": host, **lies})
    assert f"{PUBLIC}/?token=" in page.text and "evil" not in page.text


@pytest.mark.parametrize(
    "address", ["lab.school.example", "https://", "https://a/path", "ftp://a", "https://me@a", "https://a:x"]
)
def test_a_public_address_that_cannot_be_is_refused_at_the_start(address):
    with pytest.raises(BadSetting, match="LAB_PUBLIC_URL must be like https://lab"):
        read_settings({"LAB_PUBLIC_URL": address})
