"""Who asked for something: events of faults say it, in `data.by` and in words."""

from __future__ import annotations

from typing import Literal

By = Literal["page", "api"]
"""`page`: a signed-in browser; `api`: a bearer token."""

ASKED: dict[By, str] = {"page": "asked for from the page", "api": "asked for through the API"}
