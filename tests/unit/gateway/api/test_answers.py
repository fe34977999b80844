from __future__ import annotations

import asyncio
import logging

import pytest
from quart import Quart, Response, abort, redirect
from quart.testing.connections import WebsocketResponseError
from werkzeug.wrappers import Response as WerkzeugResponse

from genba_gateway.api.answers import answer, install_error_handlers, no_content, read_body
from genba_gateway.errors import BadRequest, Conflict, FieldProblem, GenbaError, TooManyRequests
from genba_wire.api.workspaces import CreateWorkspaceRequest

JSON = "application/json; charset=utf-8"


def make_app() -> Quart:
    app = Quart(__name__)
    install_error_handlers(app)
    app.config["MAX_CONTENT_LENGTH"] = 1000

    @app.post("/read")
    async def read() -> Response:
        return answer(await read_body(CreateWorkspaceRequest), 201)

    @app.get("/nil")
    async def nil() -> Response:
        return answer(None)

    @app.get("/nothing")
    async def nothing() -> Response:
        return no_content()

    @app.get("/fail/<name>")
    async def fail(name: str) -> Response:
        raise {
            "conflict": Conflict("Taken.", detail="By you.", validations=[FieldProblem("name", "is taken")]),
            "limit": TooManyRequests("Slower.", retry_after_s=7),
            "genba": GenbaError("Known."),
            "bug": RuntimeError("internal secret"),
        }[name]

    @app.get("/moved")
    async def moved() -> WerkzeugResponse:
        return redirect("/nil")

    @app.get("/aborted")
    async def aborted() -> Response:
        abort(418)

    return app


@pytest.fixture
async def app() -> Quart:
    return await asyncio.to_thread(make_app)


async def test_a_body_is_decoded_and_answered(app: Quart) -> None:
    response = await app.test_client().post("/read", data=b'{"name":"dev","template_id":"t","unknown":1}')
    assert (response.status_code, response.headers["Content-Type"]) == (201, JSON)
    assert await response.get_data() == b'{"name":"dev","template_id":"t"}\n'


async def test_nil_is_null_and_no_content_is_empty(app: Quart) -> None:
    client = app.test_client()
    assert await (await client.get("/nil")).get_data() == b"null\n"
    nothing = await client.get("/nothing")
    assert (nothing.status_code, await nothing.get_data()) == (204, b"")


@pytest.mark.parametrize("data", [b"", b"{", b"name=dev", b'{"name": "\xff"}', b"\x00"])
async def test_what_is_not_json_is_refused_in_words(app: Quart, data: bytes) -> None:
    response = await app.test_client().post("/read", data=data)
    assert response.status_code == 400
    assert "valid JSON" in (await response.get_json())["message"]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"{}", "name"),
        (b'{"name": 1}', "name"),
        (b'{"name": "a", "ttl_ms": "x"}', "ttl_ms"),
        (b'{"name": "a", "rich_parameter_values": [{"name": "b"}]}', "rich_parameter_values[0]"),
        (b"[]", "body"),
        (b"null", "body"),
    ],
)
async def test_a_wrong_field_is_named(app: Quart, data: bytes, field: str) -> None:
    response = await app.test_client().post("/read", data=data)
    body = await response.get_json()
    assert response.status_code == 400
    (problem,) = body["validations"]
    assert problem["field"] == field
    assert problem["detail"]


async def test_an_error_carries_message_detail_and_fields(app: Quart) -> None:
    response = await app.test_client().get("/fail/conflict")
    assert (response.status_code, response.headers["Content-Type"]) == (409, JSON)
    assert await response.get_json() == {
        "message": "Taken.",
        "detail": "By you.",
        "validations": [{"field": "name", "detail": "is taken"}],
    }


async def test_a_limit_says_when_to_come_back(app: Quart) -> None:
    response = await app.test_client().get("/fail/limit")
    assert (response.status_code, response.headers["Retry-After"]) == (429, "7")


async def test_a_bug_is_logged_and_told_without_its_inside(app: Quart, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        response = await app.test_client().get("/fail/bug")
    assert response.status_code == 500
    assert "secret" not in await response.get_data(as_text=True)
    assert "internal secret" in caplog.text


async def test_a_known_failure_of_the_gateway_is_logged_too(app: Quart, caplog: pytest.LogCaptureFixture) -> None:
    response = await app.test_client().get("/fail/genba")
    assert (response.status_code, (await response.get_json())["message"]) == (500, "Known.")
    assert "/fail/genba failed" in caplog.text


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/read", 405), ("/aborted", 418)])
async def test_refusals_of_the_framework_have_the_same_body(app: Quart, path: str, status: int) -> None:
    response = await app.test_client().get(path)
    assert response.status_code == status
    assert (await response.get_json())["message"]


async def test_a_wrong_path_is_told_as_clients_expect(app: Quart) -> None:
    assert await (await app.test_client().get("/nowhere")).get_json() == {"message": "Route not found."}


async def test_a_body_over_the_limit_of_the_app_is_refused(app: Quart) -> None:
    response = await app.test_client().post("/read", data=b" " * 1001)
    assert response.status_code == 413
    assert "too large" in (await response.get_json())["message"]


async def test_a_redirect_stays_one(app: Quart) -> None:
    response = await app.test_client().get("/moved")
    assert (response.status_code, response.headers["Location"]) == (302, "/nil")


def test_a_bad_request_is_a_genba_error() -> None:
    assert (BadRequest("x").status, BadRequest("x").validations) == (400, ())


class _Bug(Exception):
    pass


@pytest.mark.parametrize("failure", [GenbaError("Known."), _Bug("internal secret")])
async def test_a_websocket_that_fails_before_its_handshake_is_answered_and_named_in_the_log(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    app = await asyncio.to_thread(make_app)

    @app.websocket("/stream")
    async def stream() -> None:
        raise failure

    with pytest.raises(WebsocketResponseError) as refused:
        async with asyncio.timeout(30), app.test_client().websocket("/stream") as socket:  # pyright: ignore[reportUnknownMemberType]
            await socket.receive()
    assert refused.value.response.status_code == 500
    assert "websocket /stream failed" in caplog.text


async def test_a_plain_request_for_a_websocket_is_told_what_it_lacks() -> None:
    app = await asyncio.to_thread(make_app)

    @app.websocket("/stream")
    async def stream() -> None:
        """Never called."""

    response = await app.test_client().get("/stream")
    assert response.status_code == 426
    assert "Upgrade header was lost" in (await response.get_json())["message"]
