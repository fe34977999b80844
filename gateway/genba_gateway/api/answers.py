"""Bodies in and out: messages as JSON, errors as the API's one error body."""

from __future__ import annotations

import logging
from typing import TypeVar

import msgspec
from quart import Quart, Response, has_websocket_context, request, websocket
from werkzeug.exceptions import HTTPException
from werkzeug.routing.exceptions import WebsocketMismatch

from genba_gateway.errors import BadRequest, FieldProblem, GenbaError, TooManyRequests
from genba_wire.api import message as messages

MessageT = TypeVar("MessageT")
JSON_TYPE = "application/json; charset=utf-8"
log = logging.getLogger(__name__)


def answer(body: object, status: int = 200) -> Response:
    """A JSON answer: a message, or a list or dict of them; None is `null`."""
    return Response(messages.encode_message(body) + b"\n", status=status, content_type=JSON_TYPE)


def no_content() -> Response:
    """204."""
    return Response(b"", status=204)


def say(text: str, status: int = 200) -> Response:
    """A JSON answer that only says something."""
    return answer(messages.Response(message=text), status)


async def read_body(message_type: type[MessageT]) -> MessageT:
    """Decode the request's JSON body.

    Raises:
        BadRequest: not JSON, or a field is absent or wrong; `validations` names it.
    """
    data = await request.get_data(cache=False)
    try:
        return messages.decode_message(data, message_type)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
        field = path.rstrip("`").lstrip(".") or _absent_field(what)
        raise BadRequest("Validation failed.", validations=[FieldProblem(field or "body", what)]) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest("The request's body must be valid JSON.", detail=str(error)) from error


def _absent_field(what: str) -> str:
    return what.split("`")[1] if "missing required field" in what else ""


def error_answer(error: GenbaError) -> Response:
    """The API's error body (contract 0.2)."""
    problems = [messages.ValidationProblem(field=problem.field, detail=problem.detail) for problem in error.validations]
    response = answer(messages.Response(message=error.message, detail=error.detail, validations=problems), error.status)
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def name_request() -> str:
    """What failed, for the log: a websocket has no method, and no `request`."""
    return f"websocket {websocket.path}" if has_websocket_context() else f"{request.method} {request.path}"


def install_error_handlers(app: Quart) -> None:
    """Turn every exception into the one error body; what we did not foresee is logged and told as 500."""

    @app.errorhandler(GenbaError)
    async def known(error: GenbaError) -> Response:
        if error.status >= 500:
            log.error("%s failed", name_request(), exc_info=error)
        return error_answer(error)

    @app.errorhandler(HTTPException)
    async def of_the_framework(error: HTTPException) -> Response:
        if error.code == 404:
            return say("Route not found.", 404)
        if isinstance(error, WebsocketMismatch) and not has_websocket_context():
            return say(
                "This address takes websockets, and this request asks for none: its Upgrade header was lost.", 426
            )
        if error.code == 405 and has_websocket_context():
            return say("This address takes no websockets.", 400)
        if error.code == 413:
            return say("The request's body is too large.", 413)
        if error.code is None or error.code < 400:
            return Response(b"", status=error.code or 500, headers=dict(error.get_headers()))
        return say(error.description or error.name, error.code)

    @app.errorhandler(Exception)
    async def unforeseen(error: Exception) -> Response:
        log.error("%s failed", name_request(), exc_info=error)
        return say("Something went wrong in the gateway; its log says what.", 500)
