"""Errors that only HTTP knows, and how every error becomes an answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from services import errors
from services.errors import LabError
from services.words import say, together

_logger = logging.getLogger(__name__)


class NoSuchPath(errors.NotFound):
    """Nothing has this address."""

    hint = say("See /api/openapi.json for the calls, or open / for the page.")


class WrongMethod(LabError):
    """The address exists, but not for this method."""

    status = 405
    kind = "wrong_method"
    hint = say("The header Allow lists what this address takes.")


class NotJson(LabError):
    """A body, or a cookie's call, without the content type of JSON."""

    status = 415
    kind = "not_json"
    hint = say("Send the header `Content-Type: application/json`.")


class TooManyTries(LabError):
    """Too many wrong tokens are being answered already."""

    status = 429
    kind = "too_many_tries"
    hint = say("Wait a second. The right token is in the link that `make run` printed.")


def install(app: Flask, show: Callable[[LabError], ResponseReturnValue]) -> None:
    """Answer every error of `app` through `show`, which knows pages from calls."""

    def of_http(error: HTTPException) -> ResponseReturnValue:
        if error.response is not None or error.code is None or error.code < 400:
            return error.get_response()  # a redirect
        response = app.make_response(show(in_our_words(error)))
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return response

    def unexpected(error: Exception) -> ResponseReturnValue:
        """Whole in the server's log, generic to the browser."""
        _logger.error("%s %s failed", request.method, request.path, exc_info=error)
        return show(LabError(say("The dashboard failed at this call.")))

    app.register_error_handler(LabError, show)
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(Exception, unexpected)


def answer(error: LabError) -> Response:
    """The error as JSON with its status."""
    response = jsonify({"error": error.as_dict()})
    response.status_code = error.status
    if error.status == errors.NotSignedIn.status:
        response.headers["WWW-Authenticate"] = "Bearer"
    if error.status == TooManyTries.status:
        response.headers["Retry-After"] = "1"
    if error.status == errors.TooLarge.status:
        response.headers["Connection"] = "close"  # the rest of the body is not worth reading
    return response


def in_our_words(error: HTTPException) -> LabError:
    """Flask's own errors in the words of ours."""
    if isinstance(error, NotFound):
        return NoSuchPath(say("There is nothing at %(path)s.", path=request.path))
    if isinstance(error, MethodNotAllowed):
        return WrongMethod(
            together(
                say("%(path)s does not take %(method)s.", path=request.path, method=request.method),
                _allowed(error.valid_methods),
            )
        )
    if error.code == errors.TooLarge.status:
        return errors.TooLarge(say("The body is larger than 1 MiB."))
    if error.code is not None and error.code < 500:
        return errors.BadRequest(error.description or say("The request cannot be understood."))
    return LabError(say("The dashboard failed at this call."))


def _allowed(methods: Iterable[str] | None) -> str:
    return say("It takes %(methods)s.", methods=", ".join(sorted(methods))) if methods else ""
