"""What a sign-in changes besides making a session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from genba_gateway.domain.users import LoginType, UserStatus, Visitor
from genba_gateway.errors import Unauthenticated
from genba_gateway.services.passwords import Passwords
from genba_gateway.services.sign_in import SignIn
from genba_gateway.services.user_changes import UserChanges
from genba_gateway.services.visibility import utc_now
from genba_gateway.store import api_keys as key_store
from genba_gateway.store import users as user_store
from genba_gateway.store.pubsub import PubSub
from tests.support.database import make_database
from tests.support.gateway_app import cheap_passwords, make_user

PASSWORD = "correct horse battery staple"
OTHER = "some other battery staple"


class InterruptedPasswords(Passwords):
    """Something else is done while a password is hashed and checked."""

    def __init__(self, meanwhile: Callable[[], Awaitable[object]]) -> None:
        super().__init__(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
        self._meanwhile = meanwhile

    async def verify(self, password_hash: str, password: str) -> bool:
        """Check, and let the other thing happen."""
        matched = await super().verify(password_hash, password)
        await self._meanwhile()
        return matched


async def test_a_sign_in_renews_a_hash_of_former_parameters(tmp_path: Path) -> None:
    database = await make_database(tmp_path)
    former = await cheap_passwords().hash(PASSWORD)
    alice = await make_user(database, password_hash=former)
    stronger = Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    sign_in = SignIn(database, stronger, PubSub(), utc_now)
    await sign_in.sign_in(Visitor(), "alice@example.com", PASSWORD)
    async with database.read() as connection:
        user = await user_store.find_user(connection, alice.user.id)
    assert user is not None
    assert not stronger.is_outdated(user.password_hash)
    assert await stronger.verify(user.password_hash, PASSWORD)
    await database.close()


async def test_signing_out_leaves_the_users_other_keys(tmp_path: Path) -> None:
    database = await make_database(tmp_path)
    alice = await make_user(database, password_hash=await cheap_passwords().hash(PASSWORD))
    sign_in = SignIn(database, cheap_passwords(), PubSub(), utc_now)
    token = await sign_in.sign_in(Visitor("192.0.2.7", "a browser"), "alice@example.com", PASSWORD)
    async with database.read() as connection:
        key = await key_store.find_api_key(connection, token.partition("-")[0])
    assert key is not None
    assert key.ip_address == "192.0.2.7"
    await sign_in.sign_out(alice.actor)
    async with database.read() as connection:
        assert await key_store.find_api_key(connection, key.id) is not None
        assert await key_store.find_api_key(connection, alice.actor.key_id) is None
    await database.close()


async def test_a_sign_in_under_way_does_not_outlive_a_change_of_the_password(tmp_path: Path) -> None:
    database = await make_database(tmp_path)
    alice = await make_user(database, password_hash=await cheap_passwords().hash(PASSWORD))
    changes = UserChanges(database, cheap_passwords(), PubSub(), utc_now)

    async def change() -> None:
        await changes.set_password(alice.actor, alice.user, old=PASSWORD, new=OTHER)

    sign_in = SignIn(database, InterruptedPasswords(change), PubSub(), utc_now)
    with pytest.raises(Unauthenticated, match="changed just now"):
        await sign_in.sign_in(Visitor(), "alice@example.com", PASSWORD)
    async with database.read() as connection:
        assert await key_store.list_key_ids(connection, alice.user.id) == [alice.actor.key_id]
        user = await user_store.find_user(connection, alice.user.id)
    assert user is not None
    assert await cheap_passwords().verify(user.password_hash, OTHER), "the old one's renewed hash replaces it not"
    await database.close()


@pytest.mark.parametrize(
    "values", [{"status": UserStatus.SUSPENDED.value}, {"login_type": LoginType.NONE.value}, {"deleted": True}]
)
async def test_nor_the_end_of_the_user(tmp_path: Path, values: dict[str, object]) -> None:
    database = await make_database(tmp_path)
    alice = await make_user(database, password_hash=await cheap_passwords().hash(PASSWORD))

    async def change() -> None:
        async with database.write() as connection:
            await user_store.update_user(connection, alice.user.id, values)

    sign_in = SignIn(database, InterruptedPasswords(change), PubSub(), utc_now)
    with pytest.raises(Unauthenticated):
        await sign_in.sign_in(Visitor(), "alice@example.com", PASSWORD)
    async with database.read() as connection:
        assert await key_store.list_key_ids(connection, alice.user.id) == [alice.actor.key_id]
    await database.close()
