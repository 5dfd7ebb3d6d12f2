"""A call of the HTTP API: what it takes and answers, said once, for checking and for OpenAPI alike.

flask-openapi3 and spectree were looked at: both take the body through `get_json(silent=True)`, which makes
malformed JSON "not an object", reads a JSON string as JSON once more, and fails with 500 on deep nesting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ValidationError

from services.errors import BadRequest, LabError, TooLarge
from services.settings import Settings
from services.web.answers import JobAccepted
from services.web.problems import NotJson
from services.web.schemas import Body, Nothing, within
from services.words import say, together
from services.workspaces.workspace import Workspace

LARGEST_BODY = 1024 * 1024
PREFIX = "/api/workspaces/<workspace>"
Find = Callable[[str], Workspace]
"""Workspace by name; raises NotFound."""


@dataclass(frozen=True)
class Call:
    """One method of one address, under a workspace unless the path is a whole one (`/api/…`)."""

    method: str
    path: str
    act: Callable[..., Any]
    answer: type[BaseModel]
    body: type[Body] | None
    query: type[BaseModel] | None
    raises: tuple[type[LabError], ...]
    media: tuple[str, ...] = ()
    """What the answer is where it is no JSON."""

    @property
    def address(self) -> str:
        return self.path if self.path.startswith("/api/") else PREFIX + self.path

    @property
    def status(self) -> int:
        return 202 if issubclass(self.answer, JobAccepted) else 200


class Calls:
    """Collects calls as functions of (workspace, names in the path, body or query)."""

    def __init__(self) -> None:
        self.all: list[Call] = []

    def __call__(
        self,
        method: str,
        path: str,
        answer: type[BaseModel],
        *,
        body: type[Body] = Nothing,
        query: type[BaseModel] | None = None,
        raises: tuple[type[LabError], ...] = (),
        media: tuple[str, ...] = (),
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """`answer` JobAccepted: the function gives a job id, and the status is 202.

        With `media` it gives the whole response, of one of these types.
        """

        def keep(act: Callable[..., Any]) -> Callable[..., Any]:
            taken = None if method == "GET" else body
            self.all.append(Call(method, path, act, answer, taken, query, raises, media))
            return act

        return keep

    def blueprint(self, find: Find, settings: Settings) -> Blueprint:
        """All calls as Flask routes, with the limits of these settings."""
        blueprint = Blueprint("api", __name__)
        for call in self.all:
            blueprint.add_url_rule(
                call.address,
                endpoint=call.act.__name__,
                view_func=_view(call, find, settings),
                methods=[call.method],
            )
        return blueprint


def _view(call: Call, find: Find, settings: Settings) -> Callable[..., Response]:
    body = within(call.body, settings) if call.body else None

    def view(workspace: str | None = None, **names: str) -> Response:
        arguments: list[Any] = [*([find(workspace)] if workspace else []), *names.values()]
        if body:
            asked = read_body(body)
            arguments += [] if body is Nothing else [asked]
        if call.query:
            arguments.append(read_query(call.query))
        answer = call.act(*arguments)
        if call.media:
            return cast(Response, answer)
        response = jsonify({"job": answer} if call.answer is JobAccepted else answer)
        response.status_code = call.status
        return response

    return view


def read_body(body: type[Body]) -> Body:
    """The body of this request; none at all counts as `{}`. Raises BadRequest, NotJson, TooLarge."""
    raw = request.get_data(cache=False)
    if len(raw) > LARGEST_BODY:
        raise TooLarge(say("The body is larger than 1 MiB."))
    if raw and request.mimetype != "application/json":
        raise NotJson(say("The body must be JSON."))
    return checked(body, raw or b"{}")


def read_query(query: type[BaseModel]) -> BaseModel:
    """The query of this address. Raises BadRequest, also when something is named twice."""
    given = request.args.to_dict(flat=False)
    for name, values in given.items():
        if len(values) > 1:
            raise BadRequest(
                say("%(name)s is given %(number)s times; give it once.", name=name, number=len(values))
            )
    try:
        return query.model_validate({name: values[0] for name, values in given.items()})
    except ValidationError as error:
        raise BadRequest(complaint(error)) from None


def checked(body: type[Body], raw: bytes) -> Body:
    """JSON text as that body; raises BadRequest that names the field and what it takes."""
    try:
        return body.model_validate_json(raw)
    except ValidationError as error:
        raise BadRequest(complaint(error)) from None


def complaint(error: ValidationError) -> str:
    """All that is wrong in one line: `count: Input should be less than or equal to 10, not 11.`"""
    return together(*(_one(detail) for detail in error.errors(include_url=False)[:5]))


def _one(detail: Any) -> str:
    what = detail["msg"].removeprefix("Value error, ")
    field = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "json_invalid":
        return say("The body is not JSON: %(why)s.", why=what.removeprefix("Invalid JSON: "))
    if detail["type"] == "extra_forbidden":
        return say("%(field)s: there is no such field.", field=field)
    given = detail.get("input")
    named = {"field": field or say("The body"), "what": _said(what, detail)}
    if isinstance(given, int | float | str) and len(repr(given)) < 60:
        return say("%(field)s: %(what)s, not %(given)s.", given=repr(given), **named)
    return say("%(field)s: %(what)s.", **named)


def _said(what: str, detail: Any) -> str:
    """Pydantic's words as ours, where they are ones that we know."""
    limits = detail.get("ctx", {})
    known = {
        "missing": say("Field required"),
        "less_than_equal": say("Input should be less than or equal to %(le)s", le=limits.get("le")),
        "greater_than_equal": say("Input should be greater than or equal to %(ge)s", ge=limits.get("ge")),
        "int_type": say("Input should be a valid integer"),
        "string_type": say("Input should be a valid string"),
        "bool_type": say("Input should be a valid boolean"),
        "literal_error": say("Input should be %(expected)s", expected=limits.get("expected")),
        "string_too_long": say(
            "String should have at most %(max_length)s characters", max_length=limits.get("max_length")
        ),
    }.get(detail["type"])
    return known if known == what else what
