"""/api/openapi.json: true about every call, and what schemathesis makes of it finds no 5xx."""

import hypothesis
import pydantic
import pytest
import requests
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from services.settings import read_settings
from services.web import answers
from services.web.api import calls
from services.web.openapi import describe
from services.web.site import VERSION
from tests.web.conftest import TOKEN, Dashboard

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
)


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    dashboard = Dashboard(tmp_path_factory.mktemp("openapi"))
    yield dashboard
    dashboard.engine.destroy("demo")
    dashboard.close()


schema = schemathesis.openapi.from_dict(describe(calls.all, read_settings({}), VERSION))


@schema.parametrize()
@hypothesis.settings(max_examples=25, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
def test_no_input_makes_a_server_error(described, case):
    with requests.Session() as session:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = case.call(base_url=described.url, session=session, headers=headers)
        # 413 rejects too, though schemathesis does not count it among the ways to reject
        checks = [
            check for check in CHECKS if answer.status_code != 413 or check is not negative_data_rejection
        ]
        case.validate_response(answer, checks=checks, headers=headers)


def test_every_route_of_the_api_is_described(described):
    document = described.call("GET", "/api/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert document == schema.raw_schema
    described_calls = {(m.upper(), path) for path, item in document["paths"].items() for m in item}
    for rule in described.app.url_map.iter_rules():
        if rule.rule.startswith("/api/workspaces"):
            path = rule.rule.replace("<", "{").replace(">", "}")
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                assert (method, path) in described_calls


def test_ranges_are_those_of_the_settings(tmp_path):
    dashboard = Dashboard(tmp_path, LAB_MAX_REPLICAS="4", LAB_MAX_VISITORS="50")
    schemas = dashboard.call("GET", "/api/openapi.json").json()["components"]["schemas"]
    assert schemas["Scale"]["properties"]["count"]["maximum"] == 4
    assert schemas["SetVisitors"]["properties"]["count"]["anyOf"][0]["maximum"] == 50
    assert dashboard.call("PUT", "/api/workspaces/demo/replicas", json={"count": 5}).status_code == 400
    dashboard.close()


@pytest.mark.parametrize("launched", [False, True])
def test_real_answers_fit_what_is_described(dashboard, launched):
    if launched:
        for lab in ("affinity-lab", "hello-go"):
            dashboard.done(dashboard.call("POST", f"/api/workspaces/demo/{lab}/launch").json()["job"])
    found = dashboard.call("GET", "/api/workspaces/demo")
    pydantic.TypeAdapter(answers.Snapshot).validate_json(found.content, strict=True)
    found = dashboard.call("GET", "/api/workspaces/demo/events")
    pydantic.TypeAdapter(answers.Events).validate_json(found.content, strict=True)
