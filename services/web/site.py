"""The web room as one Flask app: pages, API, live view, behind the gate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from services.events.store import Store
from services.exercises.course import Course
from services.exercises.loader import CONTENT, load_all
from services.exercises.progress import Progress
from services.settings import Settings
from services.web import language, pages, problems
from services.web.access import Access
from services.web.api import calls
from services.web.calls import LARGEST_BODY
from services.web.classroom import make_classroom
from services.web.contract import Contract
from services.web.gate import Gate
from services.web.invitations import Invitations
from services.web.openapi import describe
from services.web.sockets import Watchers
from services.words.catalogue import TRANSLATIONS, Catalogues
from services.workspaces.house import Workspaces

VERSION = "0.1.0"
_ROOT = Path(__file__).parents[2]
_PUBLIC = ("healthz", "pages.signed_out", "classroom.join", "words.catalogue")
_PUBLIC_FILES = ("css/", "icon.svg", "js/theme", "js/text.js", "js/language.js")
"""What the signed-out page shows itself with."""


@dataclass(frozen=True)
class Running:
    """What the server holds of a running dashboard."""

    settings: Settings
    house: Workspaces
    watchers: Watchers
    access: Access
    course: Course
    contract: Contract

    def close(self) -> None:
        """Put the log on disk and let go; services keep running."""
        self.watchers.close()
        self.house.close()


def make_site(settings: Settings, house: Workspaces, store: Store, content: Path = CONTENT) -> Flask:
    """Everything that a browser or a script can reach; `app.extensions["labdeck"]` is a Running.

    Raises BadExercise for a content file that cannot be used.
    """
    contract = Contract(calls.all)
    course = Course(load_all(contract.problem, content), Progress(store.database))
    app = Flask("labdeck", root_path=str(_ROOT))
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY + 1  # a chunked body is cut here without a word
    language.install(app, Catalogues(settings.translations or TRANSLATIONS))
    access = Access(settings.token, Invitations(settings, store.database))
    access.install(app, settings)
    problems.install(app, _show)
    app.register_blueprint(pages.make_pages(access))
    app.register_blueprint(make_classroom(access))
    app.before_request(lambda: None if _is_public() else access.demand())
    app.register_blueprint(calls.blueprint(house.get, settings))
    document = describe(calls.all, settings, VERSION)
    app.add_url_rule("/api/openapi.json", "openapi", lambda: jsonify(document))
    app.add_url_rule("/healthz", "healthz", lambda: jsonify(_health(house)))
    watchers = Watchers(app, house, access)
    app.extensions["labdeck"] = Running(settings, house, watchers, access, course, contract)
    app.wsgi_app = Gate(  # type: ignore[method-assign]
        app.wsgi_app, host=settings.host, public_url=settings.public_url
    )
    return app


def _show(error: Any) -> ResponseReturnValue:
    return pages.error_page(error) if pages.is_page() else problems.answer(error)


def _is_public() -> bool:
    if request.endpoint != "static":
        return request.endpoint in _PUBLIC
    file = (request.view_args or {}).get("filename", "")
    return ".." not in file and file.startswith(_PUBLIC_FILES)


def _health(house: Workspaces) -> dict[str, str]:
    return {"status": "ok", "engine": house.engine_facts()["name"], "version": VERSION}
