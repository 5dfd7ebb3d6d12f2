"""Secrets that outlive a restart, so that a browser stays signed in and the printed link stays true."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import replace
from pathlib import Path

from services.settings import Settings

_SHORTEST = 32


def with_kept_token(settings: Settings) -> Settings:
    """The same settings, with the token of the last start where LAB_TOKEN does not set one."""
    if not settings.token_was_made:
        return settings
    return replace(settings, token=kept(settings.state_dir / "token", settings.token))


def secret(settings: Settings) -> bytes:
    """What cookies and control keys are made from; services outlive the dashboard, so it does too."""
    return kept(settings.state_dir / "secret", secrets.token_urlsafe(48)).encode()


def cookie_key(settings: Settings) -> bytes:
    """Signs cookies. The token is part of it: with another token no old cookie is valid."""
    return hmac.digest(secret(settings), b"cookies " + settings.token.encode(), hashlib.sha256)


def kept(path: Path, fresh: str) -> str:
    """What the file holds; `fresh` is written to it first when there is none. Readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        text = path.read_text().strip()
    except FileNotFoundError:
        text = ""
    if len(text) < _SHORTEST:
        _write(path, fresh)
        return fresh
    path.chmod(0o600)
    return text


def _write(path: Path, text: str) -> None:
    """By rename, so that a start that is cut short leaves no half a secret behind."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
    part.replace(path)
