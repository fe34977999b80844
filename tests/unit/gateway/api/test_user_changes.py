"""The routes that change users (contract 5.2, 5.3), with every refusal."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from genba_gateway.domain.actors import OWNER
from genba_gateway.domain.users import LoginType
from genba_gateway.services.user_changes import MAX_THEME_CHARS
from genba_gateway.services.users import MAX_REAL_NAME_CHARS
from genba_gateway.store import tables
from tests.support.gateway_app import SignedIn, cheap_passwords, make_user
from tests.support.identity_app import PASSWORD, Identity

NEW = "another horse, another staple"


async def call(
    identity: Identity, who: SignedIn | None, method: str, path: str, json: object = None
) -> tuple[int, Any, list[str]]:
    """Status, body and the fields that it names."""
    client: Any = identity.app.test_client()
    headers = who.headers if who else {}
    response = await client.open(f"/api/v2/users{path}", method=method, headers=headers, json=json)
    body: Any = await response.get_json() if "json" in response.headers.get("Content-Type", "") else None
    refused = response.status_code >= 400
    named: list[str] = [problem["field"] for problem in body.get("validations", [])] if refused else []
    return response.status_code, body, named


@pytest.fixture
async def olga(identity: Identity) -> SignedIn:
    return await make_user(identity.database, "olga", roles=(OWNER,))


@pytest.fixture
async def mia(identity: Identity) -> SignedIn:
    return await make_user(identity.database, "mia", password_hash=await cheap_passwords().hash(PASSWORD))


async def test_users_change_their_profile_and_owners_everybodys(
    identity: Identity, olga: SignedIn, mia: SignedIn
) -> None:
    status, body, _ = await call(identity, mia, "PUT", "/me/profile", {"username": "maria", "name": " Maria M. "})
    assert (status, body["username"], body["name"]) == (200, "maria", "Maria M.")
    status, body, _ = await call(identity, olga, "PUT", "/maria/profile", {"username": "mia"})
    assert (status, body["username"], body["name"]) == (200, "mia", "")
    log = tables.audit_logs
    async with identity.database.read() as connection:
        query = sa.select(log.c.user_id, log.c.resource_target, log.c.additional_fields).order_by(log.c.time)
        rows = [tuple(row) for row in (await connection.execute(query)).all()]
    assert rows == [
        (mia.user.id, "mia", {"username": "maria", "name": "Maria M."}),
        (olga.user.id, "maria", {"username": "mia", "name": ""}),
    ]


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ({"username": "olga"}, 409, ["username"]),
        ({"username": "OLGA"}, 409, ["username"]),
        ({"username": "me"}, 400, ["username"]),
        ({"username": "two words"}, 400, ["username"]),
        ({"username": "x" * 33, "name": "n" * (MAX_REAL_NAME_CHARS + 1)}, 400, ["username", "name"]),
        ({"username": "mia", "name": "n" * MAX_REAL_NAME_CHARS}, 200, []),
        ({}, 400, ["username"]),
    ],
)
async def test_a_profile_is_checked(
    identity: Identity, olga: SignedIn, mia: SignedIn, body: dict[str, str], status: int, fields: list[str]
) -> None:
    assert olga.user.username == "olga"
    answered, _, named = await call(identity, mia, "PUT", "/me/profile", body)
    assert (answered, named) == (status, fields)


async def test_a_theme_is_kept(identity: Identity, mia: SignedIn) -> None:
    longest = "t" * MAX_THEME_CHARS
    status, body, _ = await call(identity, mia, "PUT", "/me/appearance", {"theme_preference": longest})
    assert (status, body["theme_preference"]) == (200, longest)
    for bad in ("", longest + "t"):
        status, _, named = await call(identity, mia, "PUT", "/me/appearance", {"theme_preference": bad})
        assert (status, named) == (400, ["theme_preference"])


async def test_a_new_password_ends_the_other_sessions(identity: Identity, mia: SignedIn) -> None:
    login = {"email": "mia@example.com", "password": PASSWORD}
    _, other, _ = await call(identity, None, "POST", "/login", login)
    client = identity.app.test_client()
    other_headers = {"Coder-Session-Token": other["session_token"]}
    assert (await client.get("/api/v2/users/me", headers=other_headers)).status_code == 200
    change = {"old_password": PASSWORD, "password": NEW}
    assert (await call(identity, mia, "PUT", "/me/password", change))[0] == 204
    assert (await client.get("/api/v2/users/me", headers=other_headers)).status_code == 401
    assert (await call(identity, mia, "GET", "/me"))[0] == 200
    assert (await call(identity, None, "POST", "/login", login))[0] == 401
    assert (await call(identity, None, "POST", "/login", {**login, "password": NEW}))[0] == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"password": NEW}, "old_password"),
        ({"password": NEW, "old_password": "wrong"}, "old_password"),
        ({"password": "weak", "old_password": PASSWORD}, "password"),
        ({"password": PASSWORD, "old_password": PASSWORD}, "password"),
        ({"old_password": PASSWORD}, "password"),
    ],
)
async def test_a_password_is_checked(identity: Identity, mia: SignedIn, body: dict[str, str], field: str) -> None:
    status, answered, named = await call(identity, mia, "PUT", "/me/password", body)
    assert (status, named) == (400, [field])
    assert not any(secret in str(answered) for secret in body.values())


async def test_an_owner_sets_a_password_without_the_old_one_but_not_their_own(
    identity: Identity, olga: SignedIn, mia: SignedIn
) -> None:
    assert (await call(identity, olga, "PUT", "/mia/password", {"password": NEW}))[0] == 204
    assert (await call(identity, mia, "GET", "/me"))[0] == 401
    status, _, named = await call(identity, olga, "PUT", "/me/password", {"password": NEW})
    assert (status, named) == (400, ["old_password"])
    await make_user(identity.database, "robot", login_type=LoginType.NONE)
    assert (await call(identity, olga, "PUT", "/robot/password", {"password": NEW}))[0] == 400


async def test_a_password_is_judged_before_there_is_a_user(identity: Identity) -> None:
    status, body, _ = await call(identity, None, "POST", "/validate-password", {"password": NEW})
    assert (status, body) == (200, {"valid": True, "details": ""})
    status, body, _ = await call(identity, None, "POST", "/validate-password", {"password": "weak"})
    assert (status, body["valid"], "too easy" in body["details"], "weak" in body["details"]) == (
        200,
        False,
        True,
        False,
    )


async def test_a_suspended_user_is_out_until_activated(identity: Identity, olga: SignedIn, mia: SignedIn) -> None:
    status, body, _ = await call(identity, olga, "PUT", "/mia/status/suspend")
    assert (status, body["status"]) == (200, "suspended")
    assert (await call(identity, mia, "GET", "/me"))[0] == 401
    status, body, _ = await call(identity, olga, "PUT", "/mia/status/activate")
    assert (status, body["status"]) == (200, "active")
    assert (await call(identity, mia, "GET", "/me"))[0] == 200


async def test_owners_and_oneself_can_not_be_suspended(identity: Identity, olga: SignedIn) -> None:
    await make_user(identity.database, "otto", roles=(OWNER,))
    for name in ("me", "otto"):
        assert (await call(identity, olga, "PUT", f"/{name}/status/suspend"))[0] == 400


async def test_roles_are_given_and_taken(identity: Identity, olga: SignedIn, mia: SignedIn) -> None:
    status, body, _ = await call(identity, olga, "PUT", "/mia/roles", {"roles": ["owner", "owner"]})
    assert (status, [role["name"] for role in body["roles"]]) == (200, ["owner"])
    status, roles, _ = await call(identity, mia, "GET", "/roles")
    assert (status, [(role["name"], role["assignable"]) for role in roles]) == (200, [("owner", True)])
    status, body, _ = await call(identity, mia, "PUT", "/olga/roles", {"roles": []})
    assert (status, body["roles"]) == (200, [])
    assert (await call(identity, mia, "PUT", "/me/roles", {"roles": []}))[0] == 400
    status, _, named = await call(identity, mia, "PUT", "/olga/roles", {"roles": ["emperor"]})
    assert (status, named) == (400, ["roles"])


async def test_a_deleted_user_is_gone_with_all_keys_and_the_name_is_free(
    identity: Identity, olga: SignedIn, mia: SignedIn
) -> None:
    assert (await call(identity, mia, "GET", "/me/gitsshkey"))[0] == 200
    assert (await call(identity, olga, "DELETE", "/mia"))[0] == 200
    assert (await call(identity, mia, "GET", "/me"))[0] == 401
    assert (await call(identity, olga, "GET", "/mia"))[0] == 404
    async with identity.database.read() as connection:
        for table in (tables.api_keys, tables.git_ssh_keys):
            query = sa.select(table).where(table.c.user_id == mia.user.id)
            assert (await connection.execute(query)).first() is None
    await make_user(identity.database, "mia")


async def test_nobody_deletes_themselves(identity: Identity, olga: SignedIn) -> None:
    assert (await call(identity, olga, "DELETE", "/me"))[0] == 403
    assert (await call(identity, olga, "GET", "/me"))[0] == 200


CHANGES = (
    ("PUT", "profile", {"username": "other"}, 404),
    ("PUT", "appearance", {"theme_preference": "dark"}, 404),
    ("PUT", "password", {"password": NEW}, 404),
    ("PUT", "status/suspend", None, 403),
    ("PUT", "status/activate", None, 403),
    ("PUT", "roles", {"roles": ["owner"]}, 403),
)


@pytest.mark.parametrize(("method", "what", "body", "status"), CHANGES)
async def test_members_change_nobody_else(
    identity: Identity, olga: SignedIn, mia: SignedIn, method: str, what: str, body: object, status: int
) -> None:
    assert (await call(identity, mia, method, f"/{olga.user.username}/{what}", body))[0] == status
    assert (await call(identity, None, method, f"/olga/{what}", body))[0] == 401
    assert (await call(identity, olga, method, f"/nobody/{what}", body))[0] == 404
    if status == 403:
        assert (await call(identity, mia, method, f"/me/{what}", body))[0] == 403, "nor makes themselves more"


async def test_members_see_no_roles_and_delete_nobody(identity: Identity, olga: SignedIn, mia: SignedIn) -> None:
    assert olga.user.roles == (OWNER,)
    assert (await call(identity, mia, "GET", "/roles"))[0] == 403
    for name in ("me", "olga"):
        assert (await call(identity, mia, "DELETE", f"/{name}"))[0] == 403
