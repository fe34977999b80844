"""Bodies that are too large are refused before they are kept."""

from __future__ import annotations

from typing import Any, cast

import pytest
from quart import Quart, Response, request

from genba_gateway.api.bodies import (
    MAX_BODY_BYTES,
    MAX_FORM_FIELDS,
    MAX_SIGN_IN_BYTES,
    MAX_UPLOAD_BYTES,
    LimitedRequest,
    limit_of_path,
)


def make_app() -> Quart:
    app = Quart(__name__, static_folder=None)
    app.request_class = LimitedRequest

    async def count() -> Response:
        return Response(str(len(await request.get_data())).encode())

    async def count_fields() -> Response:
        form = cast("dict[str, str]", await request.form)  # pyright: ignore[reportUnknownMemberType]  # Quart leaves it bare
        return Response(str(len(form)).encode())

    app.add_url_rule("/form", "form", count_fields, methods=["POST"])
    for number, path in enumerate(("/api/v2/users/login", "/api/v2/files")):
        app.add_url_rule(path, f"count{number}", count, methods=["POST"])
    return app


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/api/v2/users/login", MAX_SIGN_IN_BYTES),
        ("/api/v2/users/first", MAX_SIGN_IN_BYTES),
        ("/login", MAX_SIGN_IN_BYTES),
        ("/preferences", MAX_SIGN_IN_BYTES),
        ("/api/v2/files", MAX_UPLOAD_BYTES),
        ("/api/v2/workspaceagents/me/logs", MAX_BODY_BYTES),
    ],
)
def test_each_path_has_its_limit(path: str, limit: int) -> None:
    assert limit_of_path(path) == limit


@pytest.mark.parametrize(("size", "status"), [(MAX_SIGN_IN_BYTES, 200), (MAX_SIGN_IN_BYTES + 1, 413)])
async def test_a_stranger_can_not_send_much(size: int, status: int) -> None:
    response = await make_app().test_client().post("/api/v2/users/login", data=b"x" * size)
    assert response.status_code == status


async def test_a_body_without_a_declared_length_is_cut_off_too() -> None:
    client: Any = make_app().test_client()
    async with client.request("/api/v2/users/login", method="POST") as connection:
        for _ in range(3):
            await connection.send(b"x" * MAX_SIGN_IN_BYTES)
        await connection.send_complete()
    assert (await connection.as_response()).status_code == 413


async def test_an_upload_may_be_larger() -> None:
    response = await make_app().test_client().post("/api/v2/files", data=b"x" * (MAX_BODY_BYTES + 1))
    assert response.status_code == 200


@pytest.mark.parametrize(("fields", "status"), [(MAX_FORM_FIELDS, 200), (MAX_FORM_FIELDS + 1, 413)])
async def test_a_form_has_no_more_fields_than_ours_have(fields: int, status: int) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = "&".join(f"a{number}=" for number in range(fields)).encode()
    response = await make_app().test_client().post("/form", data=body, headers=form)
    assert response.status_code == status
    if status == 200:
        assert await response.get_data() == str(fields).encode()


async def test_a_form_that_is_no_text_is_empty() -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    response = await make_app().test_client().post("/form", data=b"a=\xff\xfe&b=\xc3", headers=form)
    assert (response.status_code, await response.get_data()) == (200, b"0")
