from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from genba_gateway.domain.hashing import hash_secret
from genba_gateway.domain.users import MAX_TOKEN_LIFETIME
from genba_gateway.errors import BadRequest, Conflict, NotFound
from genba_gateway.services.api_keys import KEY_LIFETIME, ApiKeys, make_api_key
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from tests.support.database import make_database
from tests.support.gateway_app import SignedIn, make_user

NOW = datetime(2026, 1, 2, tzinfo=UTC)
NS_PER_S = 1_000_000_000
MAX_NS = int(MAX_TOKEN_LIFETIME.total_seconds()) * NS_PER_S


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    made = await make_database(tmp_path)
    yield made
    await made.close()


def make_keys(database: Database) -> ApiKeys:
    return ApiKeys(database, PubSub(), lambda: NOW)


async def add_token(keys: ApiKeys, who: SignedIn, name: str, lifetime_ns: int = 0, scope: str = "") -> str:
    return await keys.create_token(who.actor, who.user, lifetime_ns=lifetime_ns, scope=scope, name=name)


def test_only_the_hash_of_a_secret_is_kept() -> None:
    key, token = make_api_key("u", now=NOW, lifetime=timedelta(hours=1), login_type="token")
    key_id, _, secret = token.partition("-")
    assert (len(key_id), len(secret)) == (10, 22)
    assert (key.id, key.hashed_secret, key.expires_at) == (key_id, hash_secret(secret), NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    ("lifetime_ns", "lifetime"),
    [(0, KEY_LIFETIME), (NS_PER_S, timedelta(seconds=1)), (MAX_NS, MAX_TOKEN_LIFETIME)],
)
async def test_a_token_lives_within_its_limits(database: Database, lifetime_ns: int, lifetime: timedelta) -> None:
    mia, keys = await make_user(database, "mia"), make_keys(database)
    await add_token(keys, mia, "t", lifetime_ns)
    assert (await keys.get_token(mia.actor, mia.user, "t")).expires_at == NOW + lifetime


@pytest.mark.parametrize(
    ("name", "lifetime_ns", "scope", "field"),
    [
        ("t", NS_PER_S - 1, "", "lifetime"),
        ("t", MAX_NS + 1, "", "lifetime"),
        ("t", 10**26, "", "lifetime"),
        ("t", -1, "", "lifetime"),
        ("a b", 0, "", "token_name"),
        ("t", 0, "everything", "scope"),
    ],
)
async def test_what_a_token_can_not_be_is_named(
    database: Database, name: str, lifetime_ns: int, scope: str, field: str
) -> None:
    mia = await make_user(database, "mia")
    with pytest.raises(BadRequest) as refused:
        await add_token(make_keys(database), mia, name, lifetime_ns, scope)
    assert [problem.field for problem in refused.value.validations] == [field]


async def test_a_name_is_taken_for_its_owner_alone(database: Database) -> None:
    mia, sven, keys = await make_user(database, "mia"), await make_user(database, "sven"), make_keys(database)
    await add_token(keys, mia, "laptop")
    await add_token(keys, sven, "laptop")
    with pytest.raises(Conflict):
        await add_token(keys, mia, "laptop")


async def test_nobody_elses_keys_are_seen_or_ended(database: Database) -> None:
    mia, sven, keys = await make_user(database, "mia"), await make_user(database, "sven"), make_keys(database)
    key_id = (await add_token(keys, mia, "laptop")).partition("-")[0]
    with pytest.raises(NotFound):
        await keys.get_key(sven.actor, mia.user, key_id)
    with pytest.raises(NotFound):
        await keys.delete_key(sven.actor, mia.user, key_id)
    with pytest.raises(NotFound):
        await keys.delete_key(sven.actor, sven.user, key_id)
    assert [key.id for key, _ in await keys.list_tokens(mia.actor, mia.user, include_all=True)] == [key_id]
    assert await keys.list_tokens(sven.actor, sven.user, include_all=True) == []
    await keys.delete_key(mia.actor, mia.user, key_id)
    with pytest.raises(NotFound):
        await keys.get_key(mia.actor, mia.user, key_id)


async def test_owners_see_all_tokens_with_their_owners(database: Database) -> None:
    mia, keys = await make_user(database, "mia"), make_keys(database)
    olga = await make_user(database, "olga", roles=("owner",))
    await add_token(keys, mia, "laptop")
    listed = await keys.list_tokens(olga.actor, olga.user, include_all=True)
    assert [(key.token_name, username) for key, username in listed] == [("laptop", "mia")]
    assert await keys.list_tokens(olga.actor, olga.user, include_all=False) == []
