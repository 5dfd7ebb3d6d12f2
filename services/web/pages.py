"""The pages, and the link with the token that signs a browser in."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue

from services.agent_script.packages import ARTICLE, NEWEST, OFFERED
from services.agent_script.registration import ARTICLES_POOL, ARTICLES_URL
from services.errors import LabError
from services.hello_go.choice import BASES, LONGEST_GREETING
from services.hello_go.platforms import PLATFORMS
from services.web.access import Access
from services.web.invitations import reachable
from services.web.language import told

PAGES = {"/": "home", "/hello-go": "hello_go", "/affinity": "affinity", "/agent-script": "agent_script"}
_WORKSPACE = "demo"


def make_pages(access: Access) -> Blueprint:
    """One route a page, and `/signed-out`."""
    pages = Blueprint("pages", __name__)
    for path, name in PAGES.items():
        pages.add_url_rule(path, endpoint=name, view_func=_page(name))
    pages.add_url_rule("/signed-out", endpoint="signed_out", view_func=signed_out)
    pages.before_app_request(lambda: _sign_in_by_link(access))
    return pages


def signed_out() -> ResponseReturnValue:
    """The page that says where the link is."""
    address = reachable(request.host_url, current_app.extensions["labdeck"].settings)
    return _rendered("signed_out", "signed-out", address=address), 401, {"WWW-Authenticate": "Bearer"}


def error_page(error: LabError) -> ResponseReturnValue:
    """The error for people; somebody who is not signed in is told where the link is."""
    if error.status == 401:
        return signed_out()
    return _rendered("error", "error", error=told(error.as_dict())), error.status


def is_page() -> bool:
    """Whether this request is a person's, who wants to read its answer as a page."""
    return not request.path.startswith(("/api", "/static", "/healthz", "/socket.io"))


def _page(name: str):  # type: ignore[no-untyped-def]  # Flask's own type for views fits all of them
    more = {"hello_go": _hello_go, "agent_script": _agent_script}.get(name, dict)
    return lambda: _rendered(name, name.replace("_", "-"), **more())


def _hello_go() -> dict[str, object]:
    """What may be chosen, and what it may be called with."""
    return {"bases": BASES, "platforms": list(PLATFORMS.values()), "longest_greeting": LONGEST_GREETING}


def _agent_script() -> dict[str, object]:
    """What the form begins with: the article's own inputs."""
    defaults = {"version": ARTICLE, "versions": OFFERED, "newest": NEWEST}
    return {"defaults": defaults | {"url": ARTICLES_URL, "name": ARTICLES_POOL}}


def _rendered(template: str, page: str, **context: object) -> str:
    return render_template(f"{template}.html", workspace=_WORKSPACE, page=page, **context)


def _sign_in_by_link(access: Access) -> ResponseReturnValue | None:
    """`/?token=…`, as Jupyter has it: a cookie, then the same address without the token.

    A wrong token falls through to what the cookie allows. Raises TooManyTries.
    """
    if request.method != "GET" or request.path not in PAGES or "token" not in request.args:
        return None
    if not access.knows(request.args["token"]):
        return None
    access.sign_in()
    rest = [(name, value) for name, value in request.args.items(multi=True) if name != "token"]
    return redirect(request.path + (f"?{urlencode(rest)}" if rest else ""), 303)
