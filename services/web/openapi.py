"""/api/openapi.json, made from the same table of calls that checks requests."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.errors import BadRequest, LabError, NotFound, NotSignedIn, Refused, TooLarge, WrongPhase
from services.settings import Settings
from services.web.answers import ErrorAnswer, Health, JobAccepted
from services.web.calls import Call
from services.web.problems import NotJson, TooManyTries
from services.web.schemas import Body, Nothing, within

_SCHEMAS = "#/components/schemas/{model}"
_ALWAYS = (BadRequest, NotSignedIn, NotFound, TooManyTries)
_CHANGES = (Refused, TooLarge, NotJson)


def describe(calls: list[Call], settings: Settings, version: str) -> dict[str, Any]:
    """The whole document, OpenAPI 3.1; ranges are those of these settings."""
    paths: dict[str, Any] = {"/healthz": {"get": _health()}}
    for call in calls:
        path = re.sub(r"<(\w+)>", r"{\1}", call.address)
        paths.setdefault(path, {})[call.method.lower()] = _operation(call, path)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Labdeck",
            "version": version,
            "description": "Long work answers 202 and reports through events.",
        },
        "security": [{"bearer": []}, {"cookie": []}],
        "paths": paths,
        "components": {"schemas": _schemas(calls, settings), "securitySchemes": _security(settings)},
    }


def _operation(call: Call, path: str) -> dict[str, Any]:
    summary = (call.act.__doc__ or "").strip()
    queued = (WrongPhase,) if issubclass(call.answer, JobAccepted) else ()
    errors = _ALWAYS + (_CHANGES if call.body else ()) + queued + call.raises
    operation: dict[str, Any] = {
        "operationId": call.act.__name__,
        "summary": summary,
        "parameters": _names(path) + (_query(call.query) if call.query else []),
        "responses": {str(call.status): _answer(call)} | _errors(errors),
    }
    if call.body and call.body is not Nothing:
        needed = any(field.is_required() for field in call.body.model_fields.values())
        operation["requestBody"] = {"required": needed, "content": _content(call.body)}
    return operation


def _names(path: str) -> list[dict[str, Any]]:
    example = {
        "workspace": "demo",
        "replica": "replica-1",
        "visitor": "visitor-7",
        "run": "14",
        "exercise": "hello-go",
        "step": "build",
        "check": "lab_runs",
        "invitation": "k7Qd2mXa",
    }
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "example": example[name]}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query(query: type[BaseModel]) -> list[dict[str, Any]]:
    properties = query.model_json_schema()["properties"]
    return [{"name": name, "in": "query", "schema": schema} for name, schema in properties.items()]


def _errors(errors: tuple[type[LabError], ...]) -> dict[str, Any]:
    """By status; kinds that share one are described together."""
    found: dict[str, Any] = {}
    for error in errors:
        entry = found.setdefault(str(error.status), _response(ErrorAnswer, ""))
        line = f"{error.kind}: {(error.__doc__ or '').strip()}"
        entry["description"] = f"{entry['description']} {line}".strip()
    return found


def _answer(call: Call) -> dict[str, Any]:
    if not call.media:
        return _response(call.answer)
    content = {media: {"schema": {"type": "string"}} for media in call.media}
    return {"description": (call.answer.__doc__ or "").strip(), "content": content}


def _response(model: type[BaseModel], description: str | None = None) -> dict[str, Any]:
    text = (model.__doc__ or "").strip() if description is None else description
    return {"description": text, "content": _content(model)}


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _SCHEMAS.format(model=model.__name__)}}}


def _health() -> dict[str, Any]:
    return {
        "operationId": "healthz",
        "summary": "Whether the dashboard answers; needs no token.",
        "security": [],
        "responses": {"200": _response(Health)},
    }


def _schemas(calls: list[Call], settings: Settings) -> dict[str, Any]:
    bodies: set[type[Body]] = {call.body for call in calls if call.body and call.body is not Nothing}
    models: list[Any] = [
        (within(body, settings), "validation") for body in sorted(bodies, key=lambda b: b.__name__)
    ]
    answers = {call.answer for call in calls if not call.media} | {ErrorAnswer, Health}
    models += [(answer, "serialization") for answer in sorted(answers, key=lambda a: a.__name__)]
    return models_json_schema(models, ref_template=_SCHEMAS)[1]["$defs"]


def _security(settings: Settings) -> dict[str, Any]:
    return {
        "bearer": {"type": "http", "scheme": "bearer", "description": "The token of the link."},
        "cookie": {"type": "apiKey", "in": "cookie", "name": f"labdeck-{settings.port}"},
    }
