"""The routes of API keys, with every refusal."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from genba_gateway.store import tables
from tests.support.gateway_app import TOKEN_HEADER, SignedIn, make_user, send
from tests.support.identity_app import Identity

KEYS = "/api/v2/users/me/keys"
HOUR_NS = 3600 * 10**9


async def _ask(identity: Identity, who: SignedIn, method: str, path: str, body: object = None) -> tuple[int, Any]:
    response = await send(identity.app, method, path, headers=who.headers, body=body)
    return response.status_code, await response.get_json() if await response.get_data() else None


async def test_a_key_is_an_id_and_a_secret_of_which_the_hash_is_kept(identity: Identity) -> None:
    alice = await make_user(identity.database)
    status, body = await _ask(identity, alice, "POST", KEYS)
    assert status == 201
    assert re.fullmatch(r"[A-Za-z0-9]{10}-[A-Za-z0-9]{22}", body["key"])
    key_id, _, secret = body["key"].partition("-")
    async with identity.database.read() as connection:
        rows = (await connection.execute(sa.select(tables.api_keys))).all()
    assert secret not in repr(rows)
    status, key = await _ask(identity, alice, "GET", f"{KEYS}/{key_id}")
    assert status == 200
    assert key["lifetime_seconds"] == 7 * 24 * 3600
    assert key["scope"] == "all"
    assert key["login_type"] == "password"
    assert "secret" not in "".join(key)


async def test_a_named_token_is_made_listed_and_ended(identity: Identity) -> None:
    alice = await make_user(identity.database)
    wanted = {"lifetime": 30 * 24 * HOUR_NS, "scope": "all", "token_name": "laptop"}
    status, body = await _ask(identity, alice, "POST", f"{KEYS}/tokens", wanted)
    assert status == 201
    token = body["key"]
    (listed,) = (await _ask(identity, alice, "GET", f"{KEYS}/tokens"))[1]
    assert listed["username"] == "alice"
    assert listed["token_name"] == "laptop"
    assert listed["login_type"] == "token"
    lifetime = datetime.fromisoformat(listed["expires_at"]) - datetime.fromisoformat(listed["created_at"])
    assert lifetime == timedelta(days=30)
    assert (await _ask(identity, alice, "GET", f"{KEYS}/tokens/laptop"))[1]["id"] == listed["id"]
    client = identity.app.test_client()
    assert (await client.get("/api/v2/users/me", headers={TOKEN_HEADER: token})).status_code == 200
    assert (await _ask(identity, alice, "DELETE", f"{KEYS}/{listed['id']}")) == (204, None)
    assert (await client.get("/api/v2/users/me", headers={TOKEN_HEADER: token})).status_code == 401
    assert (await _ask(identity, alice, "DELETE", f"{KEYS}/{listed['id']}"))[0] == 404


async def test_a_bearer_token_and_a_query_are_carriers_too(identity: Identity) -> None:
    alice = await make_user(identity.database)
    client = identity.app.test_client()
    bearer = {"Authorization": f"Bearer {alice.token}"}
    assert (await client.get("/api/v2/users/me", headers=bearer)).status_code == 200
    assert (await client.get("/api/v2/users/me", query_string={"coder_session_token": alice.token})).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"lifetime": -1}, 400, "lifetime"),
        ({"lifetime": 10**26}, 400, "lifetime"),
        ({"lifetime": 999}, 400, "lifetime"),
        ({"lifetime": 9 * 10**18}, 400, "lifetime"),
        ({"lifetime": "soon"}, 400, "lifetime"),
        ({"scope": "everything"}, 400, "scope"),
        ({"token_name": "a/b"}, 400, "token_name"),
        ({"token_name": "x" * 65}, 400, "token_name"),
        ({"token_name": "laptop"}, 409, "token_name"),
    ],
)
async def test_a_token_that_can_not_be_is_refused(
    identity: Identity, body: dict[str, object], status: int, field: str
) -> None:
    alice = await make_user(identity.database)
    await _ask(identity, alice, "POST", f"{KEYS}/tokens", {"token_name": "laptop"})
    refused, answer = await _ask(identity, alice, "POST", f"{KEYS}/tokens", body)
    assert refused == status
    assert [each["field"] for each in answer["validations"]] == [field]


async def test_the_longest_lifetime_is_told_and_accepted(identity: Identity) -> None:
    alice = await make_user(identity.database)
    longest = (await _ask(identity, alice, "GET", f"{KEYS}/tokens/tokenconfig"))[1]["max_token_lifetime"]
    assert (await _ask(identity, alice, "POST", f"{KEYS}/tokens", {"lifetime": longest}))[0] == 201
    assert (await _ask(identity, alice, "POST", f"{KEYS}/tokens", {"lifetime": longest + 1000}))[0] == 400


async def test_two_users_may_use_one_name_and_unnamed_tokens_get_one(identity: Identity) -> None:
    alice, bob = await make_user(identity.database), await make_user(identity.database, "bob")
    for who in (alice, bob):
        assert (await _ask(identity, who, "POST", f"{KEYS}/tokens", {"token_name": "laptop"}))[0] == 201
    for _ in range(2):
        assert (await _ask(identity, alice, "POST", f"{KEYS}/tokens", {}))[0] == 201
    names = [each["token_name"] for each in (await _ask(identity, alice, "GET", f"{KEYS}/tokens"))[1]]
    assert len(set(names)) == 3
    assert all(names)


async def test_another_users_keys_look_like_none(identity: Identity) -> None:
    alice, bob = await make_user(identity.database), await make_user(identity.database, "bob")
    await _ask(identity, bob, "POST", f"{KEYS}/tokens", {"token_name": "laptop"})
    key_id = bob.token.partition("-")[0]
    for method, path in (
        ("POST", "bob/keys"),
        ("POST", "bob/keys/tokens"),
        ("GET", "bob/keys/tokens"),
        ("GET", "bob/keys/tokens/tokenconfig"),
        ("GET", "bob/keys/tokens/laptop"),
        ("GET", f"bob/keys/{key_id}"),
        ("DELETE", f"bob/keys/{key_id}"),
        ("GET", f"me/keys/{key_id}"),
        ("DELETE", f"me/keys/{key_id}"),
        ("GET", "me/keys/tokens/laptop"),
    ):
        status, _ = await _ask(identity, alice, method, f"/api/v2/users/{path}", {} if method == "POST" else None)
        assert status == 404, path
    assert (await _ask(identity, bob, "GET", "/api/v2/users/me"))[0] == 200


async def test_an_owner_sees_everybodys_tokens_when_asked_and_a_member_only_their_own(identity: Identity) -> None:
    owner = await make_user(identity.database, "olga", roles=["owner"])
    alice = await make_user(identity.database)
    for who in (owner, alice):
        await _ask(identity, who, "POST", f"{KEYS}/tokens", {"token_name": "laptop"})

    async def owners(who: SignedIn, path: str) -> list[str]:
        return [each["username"] for each in (await _ask(identity, who, "GET", path))[1]]

    assert await owners(owner, f"{KEYS}/tokens") == ["olga"]
    assert sorted(await owners(owner, f"{KEYS}/tokens?include_all=true")) == ["alice", "olga"]
    assert await owners(owner, "/api/v2/users/alice/keys/tokens") == ["alice"]
    assert await owners(alice, f"{KEYS}/tokens?include_all=true") == ["alice"]


async def test_keys_that_ended_long_ago_are_forgotten(identity: Identity) -> None:
    alice = await make_user(identity.database)
    await _ask(identity, alice, "POST", f"{KEYS}/tokens", {"token_name": "old", "lifetime": HOUR_NS})
    identity.clock.time += timedelta(days=6)
    await _ask(identity, alice, "POST", KEYS)
    assert (await _ask(identity, alice, "GET", f"{KEYS}/tokens/old"))[0] == 200
    identity.clock.time += timedelta(days=2)
    await _ask(identity, alice, "POST", KEYS)
    assert (await _ask(identity, alice, "GET", f"{KEYS}/tokens/old"))[0] == 404
