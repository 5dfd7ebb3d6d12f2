"""Pages of the exercises: the list, an exercise, its sheet and its teacher's page, presenter and follower."""

from __future__ import annotations

from flask import Blueprint, current_app, g, redirect, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from services.exercises.course import Course
from services.exercises.exercise import Exercise
from services.web.access import Access
from services.web.language import language

_WORKSPACE = "demo"


def make_classroom(access: Access) -> Blueprint:
    """One route a page."""
    pages = Blueprint("classroom", __name__)
    for path, view in (
        ("/exercises", exercises),
        ("/exercises/<slug>", exercise),
        ("/exercises/<slug>/print", sheet),
        ("/exercises/<slug>/teacher", teacher),
        ("/present/<slug>", present),
        ("/follow", follow),
    ):
        pages.add_url_rule(path, endpoint=view.__name__, view_func=view)
    pages.add_url_rule("/join/<signed>", endpoint="join", view_func=lambda signed: join(access, signed))
    pages.add_app_template_filter(rendered_by_us, "rendered")
    pages.app_context_processor(lambda: {"role": g.get("role")})
    return pages


def rendered_by_us(html: str) -> Markup:
    """HTML that our own Markdown made of a content file, where raw HTML is text: it needs no escaping."""
    return Markup(html)


def exercises() -> ResponseReturnValue:
    """All exercises, with the progress in each."""
    course = _course()
    known = {one["slug"]: one for one in course.overview(_WORKSPACE)}
    return _page("exercises", found=[one.told_in(language()) for one in course.exercises], known=known)


def exercise(slug: str) -> ResponseReturnValue:
    """Work through one."""
    return _page("exercise", exercise=_told(slug))


def sheet(slug: str) -> ResponseReturnValue:
    """The exercise on paper."""
    return _page("sheet", exercise=_told(slug))


def teacher(slug: str) -> ResponseReturnValue:
    """Aim, timing, questions with answers, and the solution of each step."""
    return _page("teacher", exercise=_told(slug))


def present(slug: str) -> ResponseReturnValue:
    """On the projector."""
    found = _told(slug)
    now = _course().presented(_WORKSPACE)
    step = now["step"] if now and now["exercise"] == slug else found.steps[0].id
    return _page("presenter", exercise=found, exercises=(found,), step=step)


def follow() -> ResponseReturnValue:
    """What the presenter shows, on one's own machine."""
    now = _course().presented(_WORKSPACE)
    return _page("follower", exercises=[one.told_in(language()) for one in _course().exercises], now=now)


def join(access: Access, signed: str) -> ResponseReturnValue:
    """The link of an invitation: a cookie, then the page for that role. A dead link says so."""
    invitation = access.join(signed)
    if invitation is None:
        return _page("revoked"), 401
    return redirect("/follow" if invitation.role == "follower" else "/", 303)


def _told(slug: str) -> Exercise:
    """In the language of this request; raises NotFound."""
    return _course().get(slug).told_in(language())


def _course() -> Course:
    course: Course = current_app.extensions["labdeck"].course
    return course


def _page(template: str, **context: object) -> str:
    return render_template(f"{template}.html", workspace=_WORKSPACE, page="exercises", **context)
