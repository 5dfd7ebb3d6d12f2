"""The log as a file: written page by page while it is sent, so that its length costs no memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from flask import Response

from services.events.event import Event
from services.events.log import EventLog
from services.events.search import Search
from services.web.schemas import DownloadQuery

MEDIA = ("application/x-ndjson", "text/plain; charset=utf-8")
_PAGE = 500


def response(workspace: str, log: EventLog, query: DownloadQuery) -> Response:
    """Everything that is meant up to the newest event of now; what happens meanwhile is left out."""
    name, media, line = _FORMATS[query.format]
    sent = Response(_pages(log, query.search(), log.look()[0], line), content_type=media)
    sent.headers["Content-Disposition"] = f'attachment; filename="labdeck-{workspace}-log.{name}"'
    return sent


def _pages(log: EventLog, search: Search, last: int, line: Callable[[Event], str]) -> Iterator[str]:
    after = 0
    while page := log.find(search, after=after, limit=_PAGE):
        after = page[-1].seq
        yield "".join(f"{line(event)}\n" for event in page if event.seq <= last)
        if after >= last:
            return


def _as_json(event: Event) -> str:
    return json.dumps(event.as_dict(), ensure_ascii=False, separators=(",", ":"))


def _as_text(event: Event) -> str:
    """One event is one line, also where its text has several."""
    text = " ⏎ ".join(event.text.splitlines())
    return "\t".join((event.at, event.level, event.source, event.kind, text))


_FORMATS: dict[str, tuple[str, str, Callable[[Event], str]]] = {
    "jsonl": ("jsonl", MEDIA[0], _as_json),
    "text": ("txt", MEDIA[1], _as_text),
}
