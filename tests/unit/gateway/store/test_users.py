from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from genba_gateway.domain.users import UserStatus
from genba_gateway.store import users as user_store
from tests.support.workshop import UNKNOWN_ID, Workshop


async def test_a_user_is_found_by_id_and_in_any_case_by_name_and_address(workshop: Workshop) -> None:
    mia = workshop.member.user
    async with workshop.database.read() as connection:
        by_id = await user_store.find_user(connection, mia.id)
        assert by_id == replace(mia, organization_ids=(workshop.member.organization_id,))
        assert await user_store.find_user_by_name(connection, "MIA") == by_id
        assert await user_store.find_user_by_email(connection, "Mia@Example.com") == by_id
        assert await user_store.find_user(connection, UNKNOWN_ID) is None


async def test_a_deleted_user_is_not_found_and_frees_the_name_but_not_the_deployment(workshop: Workshop) -> None:
    mia = workshop.member.user
    async with workshop.database.write() as connection:
        await user_store.update_user(connection, mia.id, {"deleted": True})
        assert await user_store.find_user(connection, mia.id) is None
        assert await user_store.count_users(connection) == 2
        await user_store.insert_user(connection, replace(mia, id=UNKNOWN_ID))
        assert await user_store.has_users(connection)


async def test_a_name_is_taken_in_any_case(workshop: Workshop) -> None:
    other = replace(workshop.member.user, id=UNKNOWN_ID, username="MIA", email="other@example.com")
    with pytest.raises(IntegrityError):
        async with workshop.database.write() as connection:
            await user_store.insert_user(connection, other)


async def test_use_makes_a_dormant_user_active_and_leaves_a_suspended_one(workshop: Workshop) -> None:
    now = workshop.clock() + timedelta(days=1)
    people = {UserStatus.DORMANT: workshop.member.user.id, UserStatus.SUSPENDED: workshop.stranger.user.id}
    async with workshop.database.write() as connection:
        for status, user_id in people.items():
            await user_store.update_user(connection, user_id, {"status": status.value})
            await user_store.touch_user(connection, user_id, now=now)
        found = [await user_store.find_user(connection, user_id) for user_id in people.values()]
    assert [(user.status, user.last_seen_at) for user in found if user] == [("active", now), ("suspended", now)]


async def test_filters_pages_and_the_count(workshop: Workshop) -> None:
    async with workshop.database.read() as connection:

        async def names(**filters: str) -> list[str]:
            return [user.username for user in (await user_store.list_users(connection, **filters))[0]]  # type: ignore[arg-type]  # all filters are texts here

        assert await names() == ["mia", "olga", "sven"]
        assert await names(role="owner") == ["olga"]
        assert await names(search="SVEN@") == ["sven"]
        assert await names(search="%") == []
        assert await names(user_id=workshop.member.user.id) == ["mia"]
        assert await names(after_id=workshop.member.user.id) == ["olga", "sven"]
        page, count = await user_store.list_users(connection, limit=1, offset=1)
        assert ([user.username for user in page], count) == (["olga"], 3)
