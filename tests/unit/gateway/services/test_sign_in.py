"""What a sign-in changes besides making a session."""

from __future__ import annotations

from pathlib import Path

from argon2 import PasswordHasher

from genba_gateway.domain.users import Visitor
from genba_gateway.services.passwords import Passwords
from genba_gateway.services.sign_in import SignIn
from genba_gateway.services.visibility import utc_now
from genba_gateway.store import api_keys as key_store
from genba_gateway.store import users as user_store
from genba_gateway.store.pubsub import PubSub
from tests.support.database import make_database
from tests.support.gateway_app import cheap_passwords, make_user

PASSWORD = "correct horse battery staple"


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
