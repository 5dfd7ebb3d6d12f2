"""For an app that does not know who visits: the balancer gives browsers a name and notes it in requests.

A browser without a name gets one with the page, as a cookie. The requests that open a transport carry the
name on to the replica, with the balancer's own name for the request, in a header that a GET has no use for
and that .NET logs. And the token of a connection is read out of the answer to its negotiate, since no header
has it.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from services.balancer.pin import NAMESPACE, VISITOR_COOKIE

TOKEN_FILTER = "envoy.filters.http.json_to_metadata"
TOKEN = "connection_token"
VISITOR_HEADER = "X-Labdeck-Visitor"
REQUEST = "%REQ(X-REQUEST-ID)%"
BROWSER = f"browser-{REQUEST.replace(')%', '):8%')}"
"""The first eight digits of a random UUID."""
_VISITOR = f"%DYNAMIC_METADATA({NAMESPACE}:visitor)%"
IDENTITY = f"application/x-labdeck; visitor={_VISITOR}; request={REQUEST}"
_COOKIE = f"{VISITOR_COOKIE}={BROWSER}; Path=/; SameSite=Lax; HttpOnly"


def token_filter() -> dict[str, Any]:
    """Reads `connectionToken` out of JSON answers; they are few and small."""
    token = {"metadata_namespace": NAMESPACE, "key": TOKEN, "type": "STRING"}
    rules = [{"selectors": [{"key": "connectionToken"}], "on_present": token}]
    return {"response_rules": {"rules": rules, "allow_content_types": ["application/json"]}}


def naming_routes(routes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What goes before these routes, of which the last takes everything; each leads where one does."""
    nameless = {"name": "cookie", "string_match": {"contains": f"{VISITOR_COOKIE}="}, "invert_match": True}
    page = deepcopy(routes[-1]) | {
        "match": {
            "path": "/",
            "headers": [_method("GET"), nameless | {"treat_missing_header_as_empty": True}],
        },
        "response_headers_to_add": [_header("Set-Cookie", _COOKIE), _header(VISITOR_HEADER, BROWSER)],
    }
    return [page, *map(_hub, routes)]


def _hub(route: dict[str, Any]) -> dict[str, Any]:
    match = {name: value for name, value in route["match"].items() if name != "prefix"}
    return deepcopy(route) | {
        "match": match | {"path": "/_blazor", "headers": [_method("GET"), *match.get("headers", [])]},
        "request_headers_to_add": [_header("Content-Type", IDENTITY, "OVERWRITE_IF_EXISTS_OR_ADD")],
    }


def _method(name: str) -> dict[str, Any]:
    return {"name": ":method", "string_match": {"exact": name}}


def _header(name: str, value: str, action: str = "APPEND_IF_EXISTS_OR_ADD") -> dict[str, Any]:
    return {"header": {"key": name, "value": value}, "append_action": action}
