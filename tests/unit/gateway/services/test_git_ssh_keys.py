from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from genba_gateway.errors import NotFound
from genba_gateway.store import tables
from tests.support.workshop import Workshop


async def test_those_who_ask_at_once_are_given_one_pair(workshop: Workshop) -> None:
    keys, member = workshop.services.git_ssh_keys, workshop.member
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(keys.get(member.actor, member.user)) for _ in range(3)]
    assert len({each.result().public_key for each in asked}) == 1


async def test_another_users_pair_is_not_there(workshop: Workshop) -> None:
    keys, member, stranger = workshop.services.git_ssh_keys, workshop.member, workshop.stranger
    before = await keys.get(member.actor, member.user)
    for use in (keys.get, keys.regenerate):
        with pytest.raises(NotFound):
            await use(stranger.actor, member.user)
    assert await keys.get(workshop.owner.actor, member.user) == before


async def test_a_pair_is_replaced_with_its_time_and_that_is_noted(workshop: Workshop) -> None:
    keys, member = workshop.services.git_ssh_keys, workshop.member
    first = await keys.get(member.actor, member.user)
    workshop.clock.move(60)
    second = await keys.regenerate(member.actor, member.user)
    assert second.public_key != first.public_key
    assert (second.created_at, second.updated_at) == (first.created_at, workshop.clock())
    public, private = await keys.get_private_key(member.user.id)
    assert public == second.public_key
    assert private.startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
    async with workshop.database.read() as connection:
        logs = tables.audit_logs.c
        query = sa.select(logs.user_id, logs.action, logs.resource_target).where(logs.resource_type == "git_ssh_key")
        assert (await connection.execute(query)).all() == [(member.user.id, "write", "mia")]


async def test_a_pair_may_be_made_anew_before_there_is_one(workshop: Workshop) -> None:
    keys, member = workshop.services.git_ssh_keys, workshop.member
    made = await keys.regenerate(member.actor, member.user)
    assert await keys.get(member.actor, member.user) == made
