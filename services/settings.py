"""Everything that can be set from outside, read once at the start."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


class BadSetting(ValueError):
    """A `LAB_*` variable has a value that cannot be; the message names it."""


@dataclass(frozen=True)
class Settings:
    """All settings, checked. Names are the `LAB_*` variables in lower case."""

    host: str
    port: int
    token: str
    token_was_made: bool
    """True when no LAB_TOKEN was given, so the start line must show the token."""
    engine: str
    """`auto`, `docker` or `local`."""
    state_dir: Path
    database_url: str
    max_replicas: int
    max_visitors: int
    hello_go_port: int
    balancer_port: int
    public_url: str
    """Where a proxy in front of us is reached, such as `https://lab.school.example`; empty without one."""
    image_golang: str
    image_runtime: str
    image_python: str
    image_debian: str
    image_distroless: str
    blazor_dir: Path | None
    """A published copy of the Blazor app, for a machine without containers; None when there is none."""
    image_blazor: str
    """An image of the Blazor app that is there already; empty: built from the Dockerfile."""
    image_dotnet_sdk: str
    image_dotnet_runtime: str
    image_redis: str
    translations: Path | None
    """A folder of catalogues in place of Labdeck's own."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read `LAB_*`; raises BadSetting with the variable's name."""
    state_dir = Path(environment.get("LAB_STATE_DIR") or _default_state_dir(environment)).absolute()
    token = environment.get("LAB_TOKEN", "")
    if token and len(token) < 8:
        raise BadSetting("LAB_TOKEN must have at least 8 characters, or be left out to have one made")
    blazor_dir = environment.get("LAB_BLAZOR_DIR")
    translations = environment.get("LAB_TRANSLATIONS")
    return Settings(
        host=environment.get("LAB_HOST") or "127.0.0.1",
        port=_number(environment, "LAB_PORT", 8000, 1, 65535),
        token=token or secrets.token_urlsafe(24),
        token_was_made=not token,
        engine=_choice(environment, "LAB_ENGINE", ("auto", "docker", "local")),
        state_dir=state_dir,
        database_url=environment.get("LAB_DATABASE_URL") or f"sqlite:///{state_dir / 'labdeck.db'}",
        max_replicas=_number(environment, "LAB_MAX_REPLICAS", 10, 1, 10),
        max_visitors=_number(environment, "LAB_MAX_VISITORS", 1000, 1, 10_000),
        hello_go_port=_number(environment, "LAB_HELLO_GO_PORT", 8080, 1, 65535),
        balancer_port=_number(environment, "LAB_BALANCER_PORT", 8090, 1, 65535),
        public_url=_address(environment, "LAB_PUBLIC_URL"),
        image_golang=environment.get("LAB_IMAGE_GOLANG") or "golang:1.26-alpine",
        image_runtime=environment.get("LAB_IMAGE_RUNTIME") or "alpine:3.23",
        image_python=environment.get("LAB_IMAGE_PYTHON") or "python:3.13-slim-bookworm",
        image_debian=environment.get("LAB_IMAGE_DEBIAN") or "debian:bookworm-slim",
        image_distroless=environment.get("LAB_IMAGE_DISTROLESS")
        or "gcr.io/distroless/static-debian12:nonroot",
        blazor_dir=Path(blazor_dir).absolute() if blazor_dir else None,
        image_blazor=environment.get("LAB_IMAGE_BLAZOR") or "",
        image_dotnet_sdk=environment.get("LAB_IMAGE_DOTNET_SDK") or "mcr.microsoft.com/dotnet/sdk:10.0",
        image_dotnet_runtime=environment.get("LAB_IMAGE_DOTNET_RUNTIME")
        or "mcr.microsoft.com/dotnet/aspnet:10.0",
        image_redis=environment.get("LAB_IMAGE_REDIS") or "redis:8-alpine",
        translations=Path(translations).absolute() if translations else None,
    )


def _default_state_dir(environment: Mapping[str, str]) -> str:
    base = environment.get("XDG_STATE_HOME") or str(Path(environment.get("HOME") or "/tmp", ".local/state"))
    return str(Path(base, "labdeck"))


def _number(environment: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environment.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise BadSetting(f"{name} must be a whole number from {low} to {high}, not {text!r}")
    return int(text)


def _address(environment: Mapping[str, str], name: str) -> str:
    """As browsers write it in `Origin`: no path, no port that goes without saying."""
    text = environment.get(name, "")
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    bare = text.rstrip("/").lower() == f"{parts.scheme}://{parts.netloc}".lower() if host else False
    if not host or not bare or "@" in text or parts.scheme not in _DEFAULT_PORTS:
        raise BadSetting(f"{name} must be like https://lab.school.example, without a path, not {text!r}")
    named = f"[{host}]" if ":" in host else host
    shown = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{named}{shown}"


def _choice(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    text = environment.get(name) or choices[0]
    if text not in choices:
        raise BadSetting(f"{name} must be one of {', '.join(choices)}, not {text!r}")
    return text
