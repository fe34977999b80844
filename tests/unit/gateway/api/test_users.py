"""The routes of users and of signing in, with every refusal."""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from genba_gateway.domain.users import KeyScope, LoginType, UserStatus
from genba_gateway.store import tables
from tests.support.gateway_app import TOKEN_HEADER, cheap_passwords, make_user, send
from tests.support.identity_app import FIRST_USER, PASSWORD, Identity, make_identity

API = "/api/v2"


async def _audit_rows(identity: Identity) -> list[tuple[str, str, str | None, int]]:
    log = tables.audit_logs
    async with identity.database.read() as connection:
        query = sa.select(log.c.action, log.c.resource_type, log.c.user_id, log.c.status_code).order_by(log.c.time)
        return [tuple(row) for row in (await connection.execute(query)).all()]


async def _log_in(identity: Identity, email: str = "olga@example.com", password: str = PASSWORD) -> Any:
    return await identity.app.test_client().post(f"{API}/users/login", json={"email": email, "password": password})


async def test_the_first_user_owns_the_site_and_its_organization(identity: Identity) -> None:
    client = identity.app.test_client()
    assert (await client.get(f"{API}/users/first")).status_code == 404
    made = await client.post(f"{API}/users/first", json={**FIRST_USER, "trial": False, "trial_info": {}})
    assert made.status_code == 201
    assert (await client.get(f"{API}/users/first")).status_code == 200
    login = await _log_in(identity)
    assert login.status_code == 201
    headers = {TOKEN_HEADER: (await login.get_json())["session_token"]}
    me = await (await client.get(f"{API}/users/me", headers=headers)).get_json()
    assert me["id"] == (await made.get_json())["user_id"]
    assert me["roles"] == [{"name": "owner", "display_name": "Owner"}]
    assert me["status"] == "active"
    assert me["login_type"] == "password"
    (organization,) = await (await client.get(f"{API}/organizations", headers=headers)).get_json()
    assert organization["name"] == "coder"
    assert organization["is_default"] is True
    assert me["organization_ids"] == [organization["id"]] == [(await made.get_json())["organization_id"]]


async def test_there_is_one_first_user(identity: Identity) -> None:
    client = identity.app.test_client()
    await client.post(f"{API}/users/first", json=FIRST_USER)
    again = await client.post(f"{API}/users/first", json={**FIRST_USER, "username": "eve", "email": "eve@example.com"})
    assert again.status_code == 409


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"password": "hunter22"}, "password"),
        ({"password": "aB3$" * 17}, "password"),
        ({"username": "new"}, "username"),
        ({"username": "a--b"}, "username"),
        ({"email": "nobody"}, "email"),
        ({"name": "x" * 129}, "name"),
    ],
)
async def test_a_wrong_field_of_the_first_user_is_named(identity: Identity, change: dict[str, str], field: str) -> None:
    response = await identity.app.test_client().post(f"{API}/users/first", json={**FIRST_USER, **change})
    assert response.status_code == 400
    assert [each["field"] for each in (await response.get_json())["validations"]] == [field]
    assert change.get("password", PASSWORD) not in await response.get_data(as_text=True)


async def test_a_wrong_password_and_an_unknown_user_answer_alike(identity: Identity) -> None:
    await identity.app.test_client().post(f"{API}/users/first", json=FIRST_USER)
    wrong = await _log_in(identity, password="correct horse battery stable")
    unknown = await _log_in(identity, email="nobody@example.com")
    too_long = await _log_in(identity, password="x" * 65)
    assert [each.status_code for each in (wrong, unknown, too_long)] == [401, 401, 401]
    assert await wrong.get_data() == await unknown.get_data() == await too_long.get_data()


async def test_sign_ins_and_their_refusals_are_recorded(identity: Identity) -> None:
    client = identity.app.test_client()
    user_id = (await (await client.post(f"{API}/users/first", json=FIRST_USER)).get_json())["user_id"]
    await _log_in(identity, password="wrong")
    await _log_in(identity, email="nobody@example.com")
    token = (await (await _log_in(identity)).get_json())["session_token"]
    await client.post(f"{API}/users/logout", headers={TOKEN_HEADER: token})
    assert sorted(await _audit_rows(identity), key=str) == sorted(
        [
            ("create", "user", user_id, 0),
            ("login", "user", user_id, 401),
            ("login", "user", None, 401),
            ("login", "api_key", user_id, 201),
            ("logout", "api_key", user_id, 200),
        ],
        key=str,
    )


async def test_who_is_suspended_neither_signs_in_nor_stays_in(identity: Identity) -> None:
    password_hash = await cheap_passwords().hash(PASSWORD)
    alice = await make_user(identity.database, password_hash=password_hash, status=UserStatus.SUSPENDED)
    login = await _log_in(identity, "alice@example.com")
    assert login.status_code == 401
    assert "suspended" in (await login.get_json())["message"]
    me = await identity.app.test_client().get(f"{API}/users/me", headers=alice.headers)
    assert me.status_code == 401


async def test_suspension_is_told_only_to_who_knows_the_password(identity: Identity) -> None:
    password_hash = await cheap_passwords().hash(PASSWORD)
    await make_user(identity.database, password_hash=password_hash, status=UserStatus.SUSPENDED)
    login = await _log_in(identity, "alice@example.com", "another password")
    assert "suspended" not in (await login.get_json())["message"]


async def test_a_sign_in_revives_who_was_dormant(identity: Identity) -> None:
    password_hash = await cheap_passwords().hash(PASSWORD)
    alice = await make_user(identity.database, password_hash=password_hash, status=UserStatus.DORMANT)
    assert (await _log_in(identity, "alice@example.com")).status_code == 201
    me = await identity.app.test_client().get(f"{API}/users/me", headers=alice.headers)
    assert (await me.get_json())["status"] == "active"


async def test_who_signs_in_another_way_is_refused_a_password(identity: Identity) -> None:
    await make_user(identity.database, "robot", login_type=LoginType.NONE)
    assert (await _log_in(identity, "robot@example.com", "")).status_code == 403


async def test_the_cookies_of_a_sign_in(tmp_path: Path) -> None:
    identity = await make_identity(tmp_path, access_url="https://genba.test")
    await identity.app.test_client().post(f"{API}/users/first", json=FIRST_USER)
    cookies = (await _log_in(identity)).headers.getlist("Set-Cookie")
    names = [cookie.partition("=")[0] for cookie in cookies]
    assert names == ["__Host-coder_session_token", "coder_session_token", "__Host-csrf_token"]
    for cookie in cookies:
        assert {"HttpOnly", "SameSite=Lax", "Path=/", "Secure"} <= {each.strip() for each in cookie.split(";")}
    await identity.database.close()


async def test_over_http_the_cookies_are_not_secure(identity: Identity) -> None:
    await identity.app.test_client().post(f"{API}/users/first", json=FIRST_USER)
    assert "Secure" not in (await _log_in(identity)).headers["Set-Cookie"]


async def test_signing_out_ends_the_key_and_clears_the_cookie(identity: Identity) -> None:
    client = identity.app.test_client()
    await client.post(f"{API}/users/first", json=FIRST_USER)
    token = (await (await _log_in(identity)).get_json())["session_token"]
    response = await client.post(f"{API}/users/logout", headers={TOKEN_HEADER: token})
    assert response.status_code == 200
    assert "coder_session_token=;" in response.headers["Set-Cookie"]
    assert (await client.get(f"{API}/users/me", headers={TOKEN_HEADER: token})).status_code == 401


async def test_a_cookie_alone_does_not_change_anything_without_the_csrf_token(identity: Identity) -> None:
    client = identity.app.test_client()
    await client.post(f"{API}/users/first", json=FIRST_USER)
    login = await client.post(f"{API}/users/login", json={"email": FIRST_USER["email"], "password": PASSWORD})
    csrf = next(each for each in login.headers.getlist("Set-Cookie") if each.startswith("csrf_token="))
    value = csrf.partition("=")[2].partition(";")[0]
    assert (await client.get(f"{API}/users/me")).status_code == 200
    refused = await client.post(f"{API}/users/logout")
    assert refused.status_code == 400
    assert refused.content_type == "text/plain; charset=utf-8"
    assert (await client.post(f"{API}/users/logout", headers={"X-CSRF-TOKEN": "x" * len(value)})).status_code == 400
    assert (await client.post(f"{API}/users/logout", headers={"X-CSRF-TOKEN": value})).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "users"),
        ("POST", "users"),
        ("GET", "users/me"),
        ("GET", "users/me/roles"),
        ("GET", "users/me/login-type"),
        ("POST", "users/logout"),
        ("POST", "genba/sign-in-links"),
        ("GET", "users/me/keys/tokens"),
        ("POST", "users/me/keys"),
        ("POST", "users/me/keys/tokens"),
        ("GET", "users/me/keys/tokens/tokenconfig"),
        ("GET", "users/me/keys/tokens/laptop"),
        ("GET", "users/me/keys/abcdefghij"),
        ("DELETE", "users/me/keys/abcdefghij"),
        ("GET", "users/me/gitsshkey"),
        ("PUT", "users/me/gitsshkey"),
        ("GET", "users/me/organizations"),
        ("GET", "users/me/organizations/coder"),
        ("GET", "organizations"),
        ("GET", "organizations/coder"),
        ("GET", "organizations/coder/members"),
    ],
)
async def test_without_a_good_token_there_is_no_answer(identity: Identity, method: str, path: str) -> None:
    now = datetime.now(UTC)
    alice = await make_user(identity.database)
    expired = await make_user(
        identity.database, "old", signed_in_at=now - timedelta(hours=2), key_lifetime=timedelta(hours=1)
    )
    apps_only = await make_user(identity.database, "apps", scope=KeyScope.APPLICATION_CONNECT)
    key_id = alice.token.partition("-")[0]
    statuses: dict[str, int] = {}
    for name, token in {
        "none": "",
        "malformed": "nonsense",
        "unknown key": "abcdefghij-" + "x" * 22,
        "wrong secret": f"{key_id}-{'x' * 22}",
        "expired": expired.token,
        "for apps only": apps_only.token,
    }.items():
        response = await send(identity.app, method, f"{API}/{path}", headers={TOKEN_HEADER: token} if token else {})
        statuses[name] = response.status_code
        assert (await response.get_json())["message"]
        if name == "expired":
            assert "expired" in (await response.get_json())["message"]
    assert statuses.pop("for apps only") == 403
    assert set(statuses.values()) == {401}


async def test_a_used_session_slides(identity: Identity) -> None:
    two_hours_ago = datetime.now(UTC) - timedelta(hours=2)
    alice = await make_user(identity.database, signed_in_at=two_hours_ago, key_lifetime=timedelta(hours=24))
    client = identity.app.test_client()
    assert (await client.get(f"{API}/users/me", headers=alice.headers)).status_code == 200
    key = await client.get(f"{API}/users/me/keys/{alice.token.partition('-')[0]}", headers=alice.headers)
    expires_at = datetime.fromisoformat((await key.get_json())["expires_at"])
    assert expires_at > two_hours_ago + timedelta(hours=25)


async def test_only_owners_make_users(identity: Identity) -> None:
    owner = await make_user(identity.database, "olga", roles=["owner"])
    alice = await make_user(identity.database)
    client = identity.app.test_client()
    wanted = {"email": "bob@example.com", "username": "bob", "password": PASSWORD}
    refused = await client.post(f"{API}/users", json=wanted, headers=alice.headers)
    assert refused.status_code == 403
    made = await client.post(f"{API}/users", json=wanted, headers=owner.headers)
    assert made.status_code == 201
    bob = await made.get_json()
    assert bob["roles"] == []
    assert bob["organization_ids"] == [owner.organization_id]
    assert (await _log_in(identity, "BOB@example.com")).status_code == 201


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"username": "ALICE"}, 409),
        ({"email": "Alice@Example.com"}, 409),
        ({"organization_ids": [str(uuid.uuid4())]}, 404),
        ({"login_type": "github"}, 400),
        ({"login_type": "none"}, 400),
        ({"user_status": "suspended"}, 400),
        ({"password": ""}, 400),
    ],
)
async def test_a_user_that_can_not_be_made_is_not_half_made(
    identity: Identity, change: dict[str, object], status: int
) -> None:
    owner = await make_user(identity.database, "olga", roles=["owner"])
    await make_user(identity.database)
    client = identity.app.test_client()
    wanted = {"email": "bob@example.com", "username": "bob", "password": PASSWORD, **change}
    assert (await client.post(f"{API}/users", json=wanted, headers=owner.headers)).status_code == status
    listed = await (await client.get(f"{API}/users", headers=owner.headers)).get_json()
    assert [user["username"] for user in listed["users"]] == ["alice", "olga"]


async def test_a_user_without_sign_in_is_made_for_tokens(identity: Identity) -> None:
    owner = await make_user(identity.database, "olga", roles=["owner"])
    client = identity.app.test_client()
    wanted = {"email": "robot@example.com", "username": "robot", "login_type": "none"}
    assert (await client.post(f"{API}/users", json=wanted, headers=owner.headers)).status_code == 201
    made = await client.post(f"{API}/users/robot/keys/tokens", json={"token_name": "ci"}, headers=owner.headers)
    token = (await made.get_json())["key"]
    me = await client.get(f"{API}/users/me", headers={TOKEN_HEADER: token})
    assert (await me.get_json())["username"] == "robot"


async def test_a_user_is_found_by_id_name_and_me(identity: Identity) -> None:
    alice = await make_user(identity.database)
    client = identity.app.test_client()
    for text in ("me", "alice", "Alice", alice.user.id, alice.user.id.upper()):
        response = await client.get(f"{API}/users/{text}", headers=alice.headers)
        assert (await response.get_json())["id"] == alice.user.id


async def test_another_user_looks_like_none(identity: Identity) -> None:
    alice, bob = await make_user(identity.database), await make_user(identity.database, "bob")
    client = identity.app.test_client()
    bodies = set[str]()
    for path in ("bob", bob.user.id, "nobody", "bob/roles", "bob/login-type", "bob/organizations"):
        response = await client.get(f"{API}/users/{path}", headers=alice.headers)
        assert response.status_code == 404
        bodies.add(await response.get_data(as_text=True))
    assert len(bodies) == 1


async def test_roles_and_login_type_are_told(identity: Identity) -> None:
    owner = await make_user(identity.database, "olga", roles=["owner"])
    client = identity.app.test_client()
    roles = await client.get(f"{API}/users/me/roles", headers=owner.headers)
    assert await roles.get_json() == {"roles": ["owner"], "organization_roles": {}}
    login_type = await client.get(f"{API}/users/me/login-type", headers=owner.headers)
    assert await login_type.get_json() == {"login_type": "password"}


async def test_lists_are_searched_and_paged(identity: Identity) -> None:
    owner = await make_user(identity.database, "olga", roles=["owner"])
    dave = None
    for name in ("alice", "bob", "carol", "dave"):
        dave = await make_user(
            identity.database, name, status=UserStatus.DORMANT if name == "bob" else UserStatus.ACTIVE
        )
    assert dave is not None
    client = identity.app.test_client()

    async def ask(**query: str) -> tuple[list[str], int]:
        response = await client.get(f"{API}/users", query_string=query, headers=owner.headers)
        assert response.status_code == 200, await response.get_data()
        body = await response.get_json()
        return [user["username"] for user in body["users"]], body["count"]

    assert await ask() == (["alice", "bob", "carol", "dave", "olga"], 5)
    assert await ask(limit="2", offset="1") == (["bob", "carol"], 5)
    assert await ask(limit="0") == (["alice", "bob", "carol", "dave", "olga"], 5)
    assert await ask(after_id=dave.user.id) == (["olga"], 5)
    assert await ask(q="AR") == (["carol"], 1)
    assert await ask(q="search:bob@example") == (["bob"], 1)
    assert await ask(q="%") == ([], 0)
    assert await ask(q="status:dormant") == (["bob"], 1)
    assert await ask(q="role:owner") == (["olga"], 1)
    assert await ask(q="role:member status:active") == (["alice", "carol", "dave", "olga"], 4)
    assert await ask(q="login_type:none") == ([], 0)
    assert await ask(q="created_before:2020-01-01T00:00:00Z") == ([], 0)
    assert (await ask(q="last_seen_after:2020-01-01T00:00:00Z created_after:2020-01-01T00:00:00Z"))[1] == 5


async def test_a_member_lists_themselves_only(identity: Identity) -> None:
    alice = await make_user(identity.database)
    await make_user(identity.database, "bob")
    response = await identity.app.test_client().get(f"{API}/users", headers=alice.headers)
    body = await response.get_json()
    assert ([user["username"] for user in body["users"]], body["count"]) == (["alice"], 1)


@pytest.mark.parametrize(
    "query",
    [
        {"q": "shoe:9"},
        {"q": "status:asleep"},
        {"q": "status:"},
        {"q": '"open'},
        {"q": "created_before:yesterday"},
        {"q": "created_before:2020-01-01T00:00:00"},
        {"q": "role:a role:b"},
        {"limit": "-1"},
        {"after_id": "x"},
        {"after_id": str(uuid.uuid4())},
    ],
)
async def test_a_search_that_makes_no_sense_is_refused(identity: Identity, query: dict[str, str]) -> None:
    owner = await make_user(identity.database, "olga", roles=["owner"])
    response = await identity.app.test_client().get(f"{API}/users", query_string=query, headers=owner.headers)
    assert response.status_code == 400
    assert (await response.get_json())["validations"]


async def test_only_passwords_are_on(identity: Identity) -> None:
    methods = await (await identity.app.test_client().get(f"{API}/users/authmethods")).get_json()
    assert methods == {
        "password": {"enabled": True},
        "github": {"enabled": False},
        "oidc": {"enabled": False, "signInText": "", "iconUrl": ""},
    }


async def test_no_secret_reaches_the_log_or_a_repr(identity: Identity, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "aiosqlite")  # its DEBUG lines hold every bound parameter; never on in production
    client = identity.app.test_client()
    await client.post(f"{API}/users/first", json=FIRST_USER)
    await _log_in(identity, password="a mistyped passphrase")
    token = (await (await _log_in(identity)).get_json())["session_token"]
    await client.get(f"{API}/users/me", headers={TOKEN_HEADER: token})
    secret = token.partition("-")[2]
    alice = await make_user(identity.database, password_hash="$argon2id$kept")
    shown = caplog.text + repr(alice.user)
    assert not [each for each in (PASSWORD, "a mistyped passphrase", secret, "$argon2id$kept") if each in shown]
