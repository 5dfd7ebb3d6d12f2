"""Right calls do what they say; wrong ones are refused in words, and nothing is half done."""

import contextlib
import http.client
import json
import logging

import pytest

from services.errors import ServiceFailed
from tests.waiting import wait_for
from tests.web.conftest import TOKEN

DEMO = "/api/workspaces/demo"
JSON = {"Content-Type": "application/json"}


def launch(dashboard):
    job = dashboard.call("POST", f"{DEMO}/affinity-lab/launch", json={"app": "circuit"}).json()["job"]
    assert dashboard.done(job)["kind"] == "job.finished"


def refusal(answer, status, kind):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    error = answer.json()["error"]
    assert error["kind"] == kind and error["message"] and error["hint"]
    return error["message"]


def test_long_work_answers_202_at_once_and_reports_through_events(dashboard):
    answer = dashboard.call("POST", f"{DEMO}/hello-go/launch")
    assert answer.status_code == 202
    assert dashboard.done(answer.json()["job"])["kind"] == "job.finished"
    assert dashboard.call("GET", DEMO).json()["hello_go"]["phase"] == "running"
    called = dashboard.call("POST", f"{DEMO}/hello-go/call").json()
    assert called["ms"] > 0 and called["command"].startswith("curl")
    assert dashboard.call("GET", f"{DEMO}/hello-go/images").json()["images"]


def test_the_affinity_lab_obeys_each_of_its_calls(dashboard):
    launch(dashboard)
    assert dashboard.call("PUT", f"{DEMO}/affinity", json={"mode": "cookie"}).json()["ms"] == 1.0
    for method, path, body in [
        ("PUT", "/replicas", {"count": 2}),
        ("PUT", "/visitors", {"count": 5, "transport": "LongPolling"}),
        ("POST", "/replicas/replica-1/drain", None),
        ("POST", "/replicas/replica-2/kill", None),
        ("POST", "/affinity-lab/stop", {}),
    ]:
        answer = dashboard.call(method, DEMO + path, json=body)
        assert answer.status_code == 202, answer.text
        assert dashboard.done(answer.json()["job"])["kind"] == "job.finished"
    asked = [(instance, path, body) for instance, _, path, body in dashboard.engine.scripts["services"].asked]
    crowd = next(body for _, path, body in asked if path == "/control/crowd")
    assert (crowd["count"], crowd["transport"]) == (5, "LongPolling") and crowd["protocol"] == "json"


def test_drop_says_how_many_connections_were_cut(dashboard):
    launch(dashboard)
    answer = dashboard.call("POST", f"{DEMO}/connections/drop", json={"replica": "replica-1"})
    assert answer.json() == {"dropped": 1}


def test_the_log_is_paged_by_seq(dashboard):
    for number in range(5):
        dashboard.record(f"line {number}")
    last = dashboard.call("GET", f"{DEMO}/events").json()["last"]
    page = dashboard.call(
        "GET", f"{DEMO}/events?after={last - 3}&limit=2&source=hello-go&kind=output.line"
    ).json()
    assert [line["seq"] for line in page["events"]] == [last - 2, last - 1] and page["last"] == last


def test_removing_everything_is_a_delete(dashboard):
    launch(dashboard)
    answer = dashboard.call("DELETE", DEMO)
    assert answer.status_code == 202
    wait_for(lambda: not dashboard.engine.instances("demo"))


# bad input

BAD_BODIES = [
    ("PUT", "/replicas", b"", "count"),
    ("PUT", "/replicas", b"{", "not JSON"),
    ("PUT", "/replicas", b"\xff\xfe", "not JSON"),
    ("PUT", "/replicas", b'"\\ud800"', "JSON"),
    ("PUT", "/replicas", b"[" * 200_000, "not JSON"),
    ("PUT", "/replicas", b'{"count":' * 100_000, "not JSON"),
    ("PUT", "/replicas", b"null", "body"),
    ("PUT", "/replicas", b"[3]", "body"),
    ("PUT", "/replicas", b'"{\\"count\\": 3}"', "body"),
    ("PUT", "/replicas", b'{"count": NaN}', "count"),
    ("PUT", "/replicas", b'{"count": "3"}', "count"),
    ("PUT", "/replicas", b'{"count": 3.5}', "count"),
    ("PUT", "/replicas", b'{"count": true}', "count"),
    ("PUT", "/replicas", b'{"count": null}', "count"),
    ("PUT", "/replicas", b'{"count": 0}', "greater than or equal to 1, not 0"),
    ("PUT", "/replicas", b'{"count": 11}', "less than or equal to 10, not 11"),
    ("PUT", "/replicas", b'{"count": 1' + b"0" * 400 + b"}", "count"),
    ("PUT", "/replicas", b'{"count": 3, "colour": "red"}', "colour: there is no such field"),
    ("PUT", "/visitors", b'{"count": 1001}', "less than or equal to 1000"),
    ("PUT", "/visitors", b'{"count": -1}', "count"),
    ("PUT", "/visitors", b"{}", "at least one"),
    ("PUT", "/visitors", b'{"transport": "Pigeons"}', "transport"),
    ("PUT", "/visitors", b'{"target": "http://evil.example"}', "target"),
    ("PUT", "/affinity", b'{"mode": "sticky"}', "mode"),
    ("PUT", "/affinity", b'{"mode": "cookie", "cookie": {"name": "a;b"}}', "cookie.name"),
    ("PUT", "/affinity", b'{"mode": "cookie", "cookie": {"path": "/a\\nb"}}', "cookie.path"),
    ("POST", "/affinity-lab/launch", b'{"app": "rails"}', "'circuit' or 'blazor'"),
    ("POST", "/hello-go/launch", b'{"count": 3}', "count"),
    ("POST", "/connections/drop", b'{"visitor": "<script>"}', "visitor"),
]


@pytest.mark.parametrize(("method", "path", "body", "words"), BAD_BODIES)
def test_a_wrong_body_is_400_and_names_what_is_wrong(dashboard, method, path, body, words):
    before = dashboard.demo.tail(1)[-1]["seq"]
    answer = dashboard.call(method, DEMO + path, data=body, headers=JSON)
    assert words in refusal(answer, 400, "bad_request")
    assert dashboard.demo.tail(1)[-1]["seq"] == before


@pytest.mark.parametrize(
    "query",
    ["after=-1", "after=x", f"after={2**70}", "limit=0", "limit=2001", "page=2", "after=1&after=2", "after="],
)
def test_a_wrong_query_is_400(dashboard, query):
    refusal(dashboard.call("GET", f"{DEMO}/events?{query}"), 400, "bad_request")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_that_is_not_called_json_is_415(dashboard, kind):
    headers = {"Content-Type": kind} if kind else {}
    refusal(dashboard.call("PUT", f"{DEMO}/replicas", data=b'{"count": 3}', headers=headers), 415, "not_json")


def test_a_content_type_with_a_charset_is_json_too(dashboard):
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = dashboard.call("PUT", f"{DEMO}/replicas", data=b'{"count": 3}', headers=headers)
    refusal(answer, 409, "wrong_phase")


@pytest.mark.parametrize("path", ["/api/workspaces/nobody", "/api/nothing", "/api/workspaces/demo/runs/7"])
def test_what_does_not_exist_is_404(dashboard, path):
    refusal(dashboard.call("GET", path), 404, "not_found")


def test_an_unknown_replica_or_visitor_is_404(dashboard):
    launch(dashboard)
    for name in ("replica-9", "..", "%00", "a b", "<b>"):
        refusal(dashboard.call("POST", f"{DEMO}/replicas/{name}/kill"), 404, "not_found")
    for body in ({"visitor": "visitor-77"}, {"replica": "replica-9"}):
        refusal(dashboard.call("POST", f"{DEMO}/connections/drop", json=body), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/replicas", {"count": 2}),
        ("PUT", "/affinity", {"mode": "cookie"}),
        ("PUT", "/visitors", {"count": 2}),
        ("POST", "/replicas/replica-1/kill", {}),
        ("POST", "/connections/drop", {}),
        ("POST", "/hello-go/call", {}),
    ],
)
def test_a_call_in_the_wrong_phase_is_409(dashboard, method, path, body):
    refusal(dashboard.call(method, DEMO + path, json=body), 409, "wrong_phase")


def test_a_wrong_method_is_405_and_says_which_are_right(dashboard):
    answer = dashboard.call("PATCH", DEMO)
    assert "PATCH" in refusal(answer, 405, "wrong_method")
    assert {"GET", "DELETE"} <= set(answer.headers["Allow"].split(", "))
    assert dashboard.call("POST", "/healthz").status_code == 405


def test_a_body_over_one_mebibyte_is_413(dashboard):
    body = b'{"count": 3, "x": "' + b"y" * 1024 * 1024 + b'"}'
    refusal(dashboard.call("PUT", f"{DEMO}/replicas", data=body, headers=JSON), 413, "too_large")


def test_a_mistake_of_ours_is_whole_in_the_log_and_generic_outside(dashboard, monkeypatch, caplog):
    def broken():
        raise RuntimeError("the secret inside")

    monkeypatch.setattr(dashboard.demo, "snapshot", broken)
    with caplog.at_level(logging.ERROR):
        answer = dashboard.call("GET", DEMO)
    refusal(answer, 500, "internal")
    assert "secret" not in answer.text and "the secret inside" in caplog.text


def test_an_error_of_a_lab_is_the_answer(dashboard):
    dashboard.engine.fail_next("image", ServiceFailed("It broke.", hint="Mend it."))
    answer = dashboard.call("GET", f"{DEMO}/hello-go/images")
    assert answer.status_code == 502
    assert answer.json() == {"error": {"kind": "service_failed", "message": "It broke.", "hint": "Mend it."}}


def test_names_from_outside_stay_text(dashboard):
    dashboard.record("<script>alert(1)</script>")
    page = dashboard.call("GET", f"{DEMO}/events")
    assert page.headers["Content-Type"] == "application/json"
    assert page.json()["events"][-1]["text"] == "<script>alert(1)</script>"
    missing = dashboard.call("GET", "/%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert" not in missing.text and missing.status_code == 404


def test_a_chunked_body_is_limited_too(served):
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    headers = JSON | {"Authorization": f"Bearer {TOKEN}", "Transfer-Encoding": "chunked"}

    def pieces():
        for _ in range(40):
            yield b" " * 65536

    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.request("PUT", f"{DEMO}/replicas", body=pieces(), headers=headers, encode_chunked=True)
    answer = connection.getresponse()
    error = json.loads(answer.read())["error"]
    assert (answer.status, error["kind"]) == (413, "too_large"), error
    connection.close()
