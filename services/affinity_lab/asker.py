"""Who asked for something: events of faults say it, in `data.by` and in words."""

from __future__ import annotations

from typing import Literal

By = Literal["page", "api", "run"]
"""`page`: a signed-in browser; `api`: a bearer token; `run`: a run that measures."""

ASKED: dict[By, str] = {
    "page": "asked for from the page",
    "api": "asked for through the API",
    "run": "as the run wants it",
}
