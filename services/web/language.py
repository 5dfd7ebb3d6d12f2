"""In which language a request is answered: the reader's choice, else the browser's wish, else English."""

from __future__ import annotations

from typing import Any

from babel.support import Translations
from flask import Blueprint, Flask, Response, current_app, g, has_request_context, request, url_for
from flask.json.provider import DefaultJSONProvider
from flask_babel import Babel, Domain, get_locale

from services.errors import NotFound
from services.words import say
from services.words.catalogue import ENGLISH, Catalogue, Catalogues

COOKIE = "labdeck_language"
"""Set by static/js/language.js, for a year."""
_KEPT = "public, max-age=31536000, immutable"
NAMES = {ENGLISH: "English", "de": "Deutsch"}
"""Each in itself; a language of another folder goes by its code."""


def install(app: Flask, catalogues: Catalogues) -> None:
    """Templates, JSON answers and errors of `app` in the language of the request."""
    app.extensions["labdeck_words"] = catalogues
    babel = Babel(app, default_locale=ENGLISH, locale_selector=language)
    babel.domain_instance = _Words()
    app.json = _Telling(app)
    app.context_processor(_for_templates)
    app.add_template_filter(told, "told")
    app.after_request(_say_language)
    words = Blueprint("words", __name__)
    words.add_url_rule("/words/<code>.json", endpoint="catalogue", view_func=catalogue)
    app.register_blueprint(words)


def language() -> str:
    """The code of this request's language; English outside of one."""
    if not has_request_context():
        return ENGLISH
    if "language" not in g:
        g.language = _chosen(_catalogues().languages)
    return str(g.language)


def told(answer: Any) -> Any:
    """The answer as this request's reader understands it."""
    found = _catalogues().of(language())
    return found.tell(answer) if found else answer


def catalogue(code: str) -> Response:
    """A language's sentences for the page's scripts; the address has their digest, so it is kept for good."""
    found = _catalogues().of(code)
    if found is None:
        raise NotFound(say("There is no catalogue for %(language)s.", language=code))
    response = current_app.response_class(found.for_scripts, mimetype="application/json")
    response.set_etag(found.digest)
    response.headers["Cache-Control"] = _KEPT if request.args.get("v") == found.digest else "no-cache"
    response.make_conditional(request)
    return response


def _chosen(languages: tuple[str, ...]) -> str:
    wanted = request.cookies.get(COOKIE, "")
    return wanted if wanted in languages else request.accept_languages.best_match(languages) or ENGLISH


def _catalogues() -> Catalogues:
    found: Catalogues = current_app.extensions["labdeck_words"]
    return found


def _for_templates() -> dict[str, object]:
    code = language()
    found = _catalogues().of(code)
    address = url_for("words.catalogue", code=code, v=found.digest) if found else None
    known = [(one, NAMES.get(one, one)) for one in _catalogues().languages]
    return {"language": code, "languages": known, "words": address}


def _say_language(response: Response) -> Response:
    if request.endpoint not in ("static", "words.catalogue"):
        response.headers.setdefault("Content-Language", language())
        response.vary.update(("Accept-Language", "Cookie"))
    return response


class _Telling(DefaultJSONProvider):
    """JSON of what was said, in the language of the request."""

    sort_keys = False

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return super().dumps(told(obj), **kwargs)


class _Words(Domain):
    """Flask-Babel's messages out of our catalogues."""

    def get_translations(self) -> Translations:
        code = str(get_locale() or ENGLISH)
        if code not in self.cache:
            self.cache[code] = _Texts(_catalogues().of(code))
        return self.cache[code]


class _Texts(Translations):
    """One catalogue as gettext's functions."""

    def __init__(self, found: Catalogue | None) -> None:
        super().__init__()
        self._found = found

    def gettext(self, message: str) -> str:
        return self._found.text(message) if self._found else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        if self._found is None:
            return msgid1 if n == 1 else msgid2
        return self._found.text_n(msgid1, msgid2, n)

    ugettext = gettext
    ungettext = ngettext
