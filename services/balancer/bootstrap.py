"""Envoy's first file: what never changes while it runs (listener, clusters, access log, admin)."""

from __future__ import annotations

from typing import Any

from services.balancer.endpoints import SERVICE
from services.balancer.naming import REQUEST, TOKEN, TOKEN_FILTER, VISITOR_HEADER, token_filter
from services.balancer.pin import NAMESPACE, PIN_FIELDS, cookie_rules
from services.balancer.routes import CLUSTERS, COOKIE_FILTER, HELD, ROUTES, SESSION_FILTER
from services.wire.environment import Listen

ROUTES_FILE = "routes.json"
ENDPOINTS_FILE = "endpoints.json"
ADMIN_SOCKET = "admin.sock"
CONNECTION_HEADER = "X-Labdeck-Connection"
"""Replicas answer a negotiate, and a WebSocket without one, with the connection's token in this header."""

_EXTENSIONS = "type.googleapis.com/envoy.extensions"
_FILTERS = f"{_EXTENSIONS}.filters.http"
_FILE_LOG = f"{_EXTENSIONS}.access_loggers.file.v3.FileAccessLog"
_HEALTH_SINK = f"{_EXTENSIONS}.health_check.event_sinks.file.v3.HealthCheckEventFileSink"
TELLS_HEALTH = "round_robin"
_MANAGER = f"{_EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager"

ACCESS_FIELDS = {
    "type": "%ACCESS_LOG_TYPE%",
    "method": "%REQ(:METHOD):16%",
    "path": "%REQ(:PATH):2048%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "ms": "%DURATION%",
    "upstream": "%UPSTREAM_HOST%",
    "upgrade": "%REQ(UPGRADE):32%",
    "accept": "%REQ(ACCEPT):64%",
    "visitor": f"%DYNAMIC_METADATA({NAMESPACE}:visitor):64%",
    **PIN_FIELDS,
    "connection": f"%RESP({CONNECTION_HEADER}):128%",
    "token": f"%DYNAMIC_METADATA({NAMESPACE}:{TOKEN}):128%",
    "named": f"%RESP({VISITOR_HEADER}):64%",
    "request": REQUEST,
}
"""Of the cookies only the visitor's name and the pin leave Envoy: the dashboard's own shares this host."""


def bootstrap(public: Listen, *, naming: bool = False) -> dict[str, Any]:
    """The whole file; the paths in it are relative to the folder that Envoy runs in."""
    return {
        "node": {"id": "balancer", "cluster": "labdeck"},
        "admin": {"address": {"pipe": {"path": ADMIN_SOCKET, "mode": 0o600}}},
        "static_resources": {
            "listeners": [_listener(public, naming)],
            "clusters": [*(_cluster(name, policy) for name, policy in CLUSTERS.items()), _held_cluster()],
        },
    }


def _listener(public: Listen, naming: bool) -> dict[str, Any]:
    manager = {"name": "envoy.filters.network.http_connection_manager", "typed_config": _manager(naming)}
    return {
        "name": "public",
        "address": {"socket_address": {"address": public.host, "port_value": public.port}},
        # Otherwise a second Envoy binds the same port, and neither says so.
        "enable_reuse_port": False,
        "filter_chains": [{"filters": [manager]}],
    }


def _manager(naming: bool) -> dict[str, Any]:
    reads_token = [_filter(TOKEN_FILTER, "json_to_metadata.v3.JsonToMetadata", **token_filter())]
    return {
        "@type": _MANAGER,
        "stat_prefix": "public",
        "codec_type": "HTTP1",
        "use_remote_address": True,
        "stream_idle_timeout": "0s",
        # The default of a second is a second in which a visitor does not notice that it was cut off.
        "delayed_close_timeout": "0.05s",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "rds": {"route_config_name": ROUTES, "config_source": _file(ROUTES_FILE)},
        "http_filters": [
            _filter(COOKIE_FILTER, "header_to_metadata.v3.Config", **cookie_rules()),
            _filter(SESSION_FILTER, "stateful_session.v3.StatefulSession"),
            *(reads_token if naming else []),
            _filter("envoy.filters.http.router", "router.v3.Router", **_early_log()),
        ],
        "access_log": [_access_log()],
        "access_log_options": {"flush_log_on_tunnel_successfully_established": True},
    }


def _filter(name: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "typed_config": {"@type": f"{_FILTERS}.{kind}", **fields}}


def _early_log() -> dict[str, Any]:
    """Server-sent events end only with the visit, so they are logged when a replica is chosen as well."""
    accept = {"name": "accept", "string_match": {"prefix": "text/event-stream"}}
    chosen: dict[str, Any] = {
        "and_filter": {
            "filters": [
                {"log_type_filter": {"types": ["UpstreamPoolReady"]}},
                {"header_filter": {"header": accept}},
            ]
        }
    }
    return {
        "upstream_log": [{**_access_log(), "filter": chosen}],
        "upstream_log_options": {"flush_upstream_log_on_upstream_stream": True},
    }


def _access_log() -> dict[str, Any]:
    log = {"@type": _FILE_LOG, "path": "/dev/stdout", "log_format": {"json_format": ACCESS_FIELDS}}
    return {"name": "envoy.access_loggers.file", "typed_config": log}


_THRESHOLDS = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
_NEVER = 1_000_000
"""Envoy would take 1024 connections and requests, and 3 retries at a time. A thousand visitors are more, and
so are the hundreds that a killed replica sends elsewhere: they would get 503s that nobody could explain."""


def _cluster(name: str, policy: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "EDS",
        "eds_cluster_config": {"service_name": SERVICE, "eds_config": _file(ENDPOINTS_FILE)},
        "lb_policy": policy,
        "connect_timeout": "1s",
        # Without it an added replica waits a second; at a threshold of 0 nobody is sent to a dead one.
        "common_lb_config": {"update_merge_window": "0s", "healthy_panic_threshold": {"value": 0}},
        "ignore_health_on_host_removal": True,
        "circuit_breakers": {"thresholds": [dict.fromkeys(_THRESHOLDS, _NEVER)]},
        "health_checks": [_health_check(name)],
    }


def _held_cluster() -> dict[str, Any]:
    """For connections that are open: a pin counts while its replica answers at all, draining or not."""
    cluster = _cluster(HELD, "ROUND_ROBIN")
    statuses = {"statuses": ["UNKNOWN", "HEALTHY", "DEGRADED", "DRAINING"]}
    cluster["common_lb_config"]["override_host_status"] = statuses
    for check in cluster["health_checks"]:
        check["http_health_check"]["expected_statuses"] = [{"start": 200, "end": 600}]
    return cluster


def _health_check(cluster: str) -> dict[str, Any]:
    """Every cluster checks the same replicas; one of them tells."""
    sink = {"@type": _HEALTH_SINK, "event_log_path": "/dev/stdout"}
    events = [{"name": "envoy.health_check.event_sink.file", "typed_config": sink}]
    return {
        "event_logger": events if cluster == TELLS_HEALTH else [],
        "http_health_check": {"path": "/healthz"},
        "timeout": "1s",
        "interval": "1s",
        "no_traffic_interval": "1s",
        "no_traffic_healthy_interval": "1s",
        "unhealthy_interval": "0.2s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
    }


def _file(path: str) -> dict[str, Any]:
    return {"path_config_source": {"path": f"./{path}"}, "resource_api_version": "V3"}
