"""Envoy's route file: the one thing a toggle of affinity rewrites."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.balancer.affinity import Affinity, Cookie
from services.balancer.naming import naming_routes
from services.balancer.pin import cookie_rules, pin_pattern

ROUTES = "app"
SESSION_FILTER = "envoy.filters.http.stateful_session"
COOKIE_FILTER = "envoy.filters.http.header_to_metadata"
CLUSTERS = {
    "round_robin": "ROUND_ROBIN",
    "least_request": "LEAST_REQUEST",
    "random": "RANDOM",
    "source_ip": "MAGLEV",
}
"""All four exist from the start, on the same endpoints; a route names the one to use."""
HELD = "held"
"""A fifth cluster on them, in which a pin counts also while its replica drains."""

_EXTENSIONS = "type.googleapis.com/envoy.extensions"
_ROUTE_CONFIG = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
_PER_ROUTE = f"{_EXTENSIONS}.filters.http.stateful_session.v3.StatefulSessionPerRoute"
_COOKIE_RULES = f"{_EXTENSIONS}.filters.http.header_to_metadata.v3.Config"
_COOKIE_STATE = f"{_EXTENSIONS}.http.stateful_session.cookie.v3.CookieBasedSessionState"
_PREVIOUS_HOSTS = f"{_EXTENSIONS}.retry.host.previous_hosts.v3.PreviousHostsPredicate"


def routes_file(
    affinity: Affinity,
    version: int,
    former: str | None = None,
    draining: Sequence[str] = (),
    *,
    naming: bool = False,
) -> dict[str, Any]:
    """The RDS file for this affinity; Envoy shows `version` once it has it.

    `former` is the cookie that pinned before: clients may still send it, and the log tells so. `draining` are
    the addresses of replicas that get nobody new. With `naming` the balancer gives names to browsers that
    have none.
    """
    route = _route(affinity, former)
    routes_of_host = [route]
    if affinity.cookie and draining:
        routes_of_host.insert(0, _held(route, affinity.cookie.name, draining))
    if naming:
        routes_of_host = [*naming_routes(routes_of_host), *routes_of_host]
    host = {"name": ROUTES, "domains": ["*"], "routes": routes_of_host}
    routes = {"@type": _ROUTE_CONFIG, "name": ROUTES, "virtual_hosts": [host]}
    return {"version_info": str(version), "resources": [routes]}


def _route(affinity: Affinity, former: str | None) -> dict[str, Any]:
    by_source = affinity.mode == "source_ip"
    action: dict[str, Any] = {
        "cluster": "source_ip" if by_source else affinity.algorithm,
        "timeout": "0s",
        "idle_timeout": "0s",
    }
    if by_source:
        action["hash_policy"] = [{"connection_properties": {"source_ip": True}}]
    if not (affinity.cookie and affinity.cookie.strict):
        action["retry_policy"] = _retry_elsewhere()
    session = {"@type": _PER_ROUTE, **_session(affinity.cookie)}
    name = affinity.cookie.name if affinity.cookie else None
    cookies = {"@type": _COOKIE_RULES, **cookie_rules(name, former)}
    filters = {SESSION_FILTER: session, COOKIE_FILTER: cookies}
    return {"match": {"prefix": "/"}, "route": action, "typed_per_filter_config": filters}


def _held(route: dict[str, Any], cookie: str, draining: Sequence[str]) -> dict[str, Any]:
    """For requests of an open connection to a replica that drains: they name it, and are pinned.

    Only there is the connection known; anywhere else the next poll or message would get a 404.
    """
    pinned = {"name": "cookie", "string_match": {"safe_regex": {"regex": pin_pattern(cookie, draining)}}}
    named = {"name": "id", "present_match": True}
    return route | {
        "match": route["match"] | {"query_parameters": [named], "headers": [pinned]},
        "route": route["route"] | {"cluster": HELD},
    }


def _retry_elsewhere() -> dict[str, Any]:
    """A replica that was just killed costs its visitors nothing: nothing was sent, so another one is asked.

    Strict sessions go without, for a retry would move them.
    """
    elsewhere = {
        "name": "envoy.retry_host_predicates.previous_hosts",
        "typed_config": {"@type": _PREVIOUS_HOSTS},
    }
    return {
        "retry_on": "connect-failure,refused-stream",
        "num_retries": 2,
        "retry_host_predicate": [elsewhere],
        "host_selection_retry_max_attempts": 3,
    }


def _session(cookie: Cookie | None) -> dict[str, Any]:
    if cookie is None:
        return {"disabled": True}
    attributes = [{"name": "SameSite", "value": cookie.same_site}]
    if cookie.secure:
        attributes.append({"name": "Secure", "value": ""})
    envoy_cookie = {
        "name": cookie.name,
        "path": cookie.path,
        "ttl": f"{cookie.ttl_seconds}s",
        "attributes": attributes,
    }
    state = {
        "name": "envoy.http.stateful_session.cookie",
        "typed_config": {"@type": _COOKIE_STATE, "cookie": envoy_cookie},
    }
    return {"stateful_session": {"strict": cookie.strict, "session_state": state}}
