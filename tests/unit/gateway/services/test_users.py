from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from genba_gateway.domain.users import LoginType, Visitor
from genba_gateway.errors import BadRequest, Conflict, Forbidden, NotFound
from genba_gateway.services.users import MAX_EMAIL_CHARS, MAX_REAL_NAME_CHARS, Users
from genba_gateway.store.engine import Database
from genba_wire.api.users import CreateFirstUserRequest, CreateUserRequest
from tests.support.database import make_database
from tests.support.gateway_app import cheap_passwords, make_user

NOW = datetime(2026, 1, 2, tzinfo=UTC)
PASSWORD = "correct horse battery staple"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    made = await make_database(tmp_path)
    yield made
    await made.close()


def make_users(database: Database) -> Users:
    return Users(database, cheap_passwords(), lambda: NOW)


def tokens_only(username: str, email: str = "", name: str = "") -> CreateUserRequest:
    return CreateUserRequest(username=username, email=email or f"{username}@example.com", name=name, login_type="none")


async def test_the_first_user_owns_the_site_and_there_is_one(database: Database) -> None:
    users = make_users(database)
    assert not await users.has_first()
    request = CreateFirstUserRequest(username="olga", email="olga@example.com", password=PASSWORD)
    first = await users.create_first(Visitor(), request)
    assert (first.roles, len(first.organization_ids), await users.has_first()) == (("owner",), 1, True)
    with pytest.raises(Conflict):
        await users.create_first(Visitor(), request)


async def test_only_owners_make_users(database: Database) -> None:
    owner, member = await make_user(database, "olga", roles=("owner",)), await make_user(database, "mia")
    users = make_users(database)
    with pytest.raises(Forbidden):
        await users.create(member.actor, tokens_only("ana"))
    made = await users.create(owner.actor, tokens_only("ana"))
    assert (made.login_type, made.roles) == (LoginType.NONE, ())


@pytest.mark.parametrize(
    ("username", "email", "name", "field"),
    [
        ("me", "", "", "username"),
        ("a--b", "", "", "username"),
        ("ana", "nobody", "", "email"),
        ("ana", f"{'a' * (MAX_EMAIL_CHARS - 3)}@b.c", "", "email"),
        ("ana", "", "x" * (MAX_REAL_NAME_CHARS + 1), "name"),
    ],
)
async def test_who_can_not_be_made_is_told_why(
    database: Database, username: str, email: str, name: str, field: str
) -> None:
    owner = await make_user(database, "olga", roles=("owner",))
    with pytest.raises(BadRequest) as refused:
        await make_users(database).create(owner.actor, tokens_only(username, email, name))
    assert [problem.field for problem in refused.value.validations] == [field]


@pytest.mark.parametrize(("username", "email"), [("MIA", "other@example.com"), ("other", "Mia@example.com")])
async def test_names_and_addresses_are_taken_in_any_case(database: Database, username: str, email: str) -> None:
    owner = await make_user(database, "olga", roles=("owner",))
    await make_user(database, "mia")
    with pytest.raises(Conflict):
        await make_users(database).create(owner.actor, tokens_only(username, email))


async def test_users_find_themselves_and_owners_find_all(database: Database) -> None:
    owner, mia = await make_user(database, "olga", roles=("owner",)), await make_user(database, "mia")
    users = make_users(database)
    for text in ("me", "Mia", mia.user.id, mia.user.id.upper()):
        assert (await users.resolve_user(mia.actor, text)).id == mia.user.id
    assert (await users.resolve_user(owner.actor, "mia")).id == mia.user.id
    for text in ("olga", "nobody"):
        with pytest.raises(NotFound):
            await users.resolve_user(mia.actor, text)
    listed, count = await users.list_page(mia.actor, "", after_id=None, limit=None, offset=0)
    assert ([user.username for user in listed], count) == (["mia"], 1)


async def test_a_search_by_a_time_that_utc_has_not_is_refused(database: Database) -> None:
    owner = await make_user(database, "olga", roles=("owner",))
    query = "created_before:9999-12-31T23:59:59-14:00"
    with pytest.raises(BadRequest) as refused:
        await make_users(database).list_page(owner.actor, query, after_id=None, limit=None, offset=0)
    assert [problem.field for problem in refused.value.validations] == ["created_before"]
