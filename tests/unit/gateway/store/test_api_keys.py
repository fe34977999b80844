from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from genba_gateway.domain.users import KeyScope
from genba_gateway.services.api_keys import make_api_key
from genba_gateway.store import api_keys as key_store
from tests.support.workshop import Workshop

HOUR = timedelta(hours=1)


async def test_a_key_comes_back_and_slides(workshop: Workshop) -> None:
    now, user_id = workshop.clock(), workshop.member.user.id
    key, _ = make_api_key(user_id, now=now, lifetime=HOUR, login_type="token", token_name="t")
    async with workshop.database.write() as connection:
        await key_store.insert_api_key(connection, key)
        assert await key_store.find_api_key(connection, key.id) == key
        await key_store.touch_api_key(connection, key.id, now=now + HOUR, expires_at=now + 2 * HOUR)
        touched = await key_store.find_token_by_name(connection, user_id, "t")
    assert touched is not None
    assert (touched.last_used, touched.expires_at) == (now + HOUR, now + 2 * HOUR)


async def test_a_token_name_is_unique_for_a_user(workshop: Workshop) -> None:
    twice = [
        make_api_key(workshop.member.user.id, now=workshop.clock(), lifetime=HOUR, login_type="token", token_name="t")[
            0
        ]
        for _ in range(2)
    ]
    with pytest.raises(IntegrityError):
        async with workshop.database.write() as connection:
            for key in twice:
                await key_store.insert_api_key(connection, key)


async def test_only_a_users_own_old_or_app_keys_are_removed(workshop: Workshop) -> None:
    now, mia, sven = workshop.clock(), workshop.member.user.id, workshop.stranger.user.id
    keys = {
        name: make_api_key(user, now=now, lifetime=lifetime, login_type="password", scope=scope)[0]
        for name, user, lifetime, scope in (
            ("old", mia, HOUR, KeyScope.ALL),
            ("fresh", mia, 3 * HOUR, KeyScope.ALL),
            ("app", mia, 3 * HOUR, KeyScope.APPLICATION_CONNECT),
            ("others", sven, HOUR, KeyScope.APPLICATION_CONNECT),
        )
    }
    async with workshop.database.write() as connection:
        for key in keys.values():
            await key_store.insert_api_key(connection, key)
        await key_store.delete_keys_expired_before(connection, mia, now + 2 * HOUR)
        await key_store.delete_app_keys(connection, mia)
        left = [name for name, key in keys.items() if await key_store.find_api_key(connection, key.id)]
    assert left == ["fresh", "others"]


async def test_a_link_works_once_and_in_time(workshop: Workshop) -> None:
    now, mia = workshop.clock(), workshop.member.user.id
    async with workshop.database.write() as connection:
        for secret in (b"good", b"late"):
            await key_store.insert_sign_in_link(
                connection, hashed_secret=secret, user_id=mia, created_at=now, expires_at=now + HOUR
            )
        assert await key_store.take_sign_in_link(connection, b"good", now=now) == mia
        assert await key_store.take_sign_in_link(connection, b"good", now=now) is None
        assert await key_store.take_sign_in_link(connection, b"late", now=now + HOUR) is None
