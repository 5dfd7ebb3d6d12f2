"""Who asked for something: events of faults say it, in `data.by` and in words."""

from __future__ import annotations

from typing import Literal

By = Literal["page", "api", "run", "restart"]
"""`page`: a signed-in browser; `api`: a bearer token; `run`: a run that measures; `restart`: a dashboard that
finishes what the one before it had begun."""

ASKED: dict[By, str] = {
    "page": "asked for from the page",
    "api": "asked for through the API",
    "run": "as the run wants it",
    "restart": "to finish what was interrupted",
}
