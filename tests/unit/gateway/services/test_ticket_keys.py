from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.services.ticket_keys import LOOK_AGAIN_AFTER, OVERLAP, REPLACE_AFTER, SETTING, TicketKeys
from genba_gateway.services.tickets import AGENT_TICKET_LIFE, CLIENT_TICKET_LIFE
from genba_gateway.store import settings as setting_store
from tests.support.agent_rows import AgentRows, open_agent_rows


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncGenerator[AgentRows]:
    async with open_agent_rows(tmp_path) as opened:
        yield opened


def make_keys(rows: AgentRows) -> TicketKeys:
    return TicketKeys(rows.database, rows.sealer, rows.clock)


async def test_one_key_signs_for_every_process_and_verifies_in_every_other(rows: AgentRows) -> None:
    first = await make_keys(rows).get_signing_key()
    elsewhere = make_keys(rows)

    assert await elsewhere.get_signing_key() == first
    assert await make_keys(rows).find_verifying_key(first.id) == first


async def test_the_keys_are_kept_sealed(rows: AgentRows) -> None:
    key = await make_keys(rows).get_signing_key()
    async with rows.database.read() as connection:
        stored = await setting_store.find_setting(connection, SETTING)

    assert stored is not None
    assert key.id not in stored
    assert repr(key.secret) not in repr(key)


async def test_an_old_key_is_replaced_and_verifies_until_all_it_signed_is_dead(rows: AgentRows) -> None:
    keys = make_keys(rows)
    old = await keys.get_signing_key()
    rows.clock.move(REPLACE_AFTER.total_seconds() - 1)
    assert (await keys.get_signing_key()).id == old.id

    rows.clock.move(1)
    new = await keys.get_signing_key()

    assert new.id != old.id
    assert await keys.find_verifying_key(old.id) is not None
    rows.clock.move(max(CLIENT_TICKET_LIFE, AGENT_TICKET_LIFE).total_seconds())
    assert await make_keys(rows).find_verifying_key(old.id) is not None
    rows.clock.move(OVERLAP.total_seconds())
    assert await keys.find_verifying_key(old.id) is None
    assert await make_keys(rows).find_verifying_key(new.id) == new


async def test_a_process_that_knows_the_old_key_finds_the_new_one(rows: AgentRows) -> None:
    slow, fast = make_keys(rows), make_keys(rows)
    old = await slow.get_signing_key()
    rows.clock.move(REPLACE_AFTER.total_seconds())
    new = await fast.get_signing_key()

    assert await slow.find_verifying_key(new.id) == new
    assert (await slow.get_signing_key()).id == new.id
    assert new.created_at - old.created_at == timedelta(days=30)


async def test_an_unknown_key_is_none(rows: AgentRows) -> None:
    keys = make_keys(rows)
    assert await keys.find_verifying_key("cafecafe") is None
    await keys.get_signing_key()
    assert await keys.find_verifying_key("cafecafe") is None


async def test_keys_are_read_once_a_second_for_tickets_of_unknown_ones(
    rows: AgentRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, looks = make_keys(rows), list[str]()
    find_setting = setting_store.find_setting

    async def find(connection: AsyncConnection, key: str) -> str | None:
        looks.append(key)
        return await find_setting(connection, key)

    monkeypatch.setattr(setting_store, "find_setting", find)
    for key_id in ("a", "b", "a"):
        assert await keys.find_verifying_key(key_id) is None
    assert len(looks) == 1
    made = await make_keys(rows).get_signing_key()
    looks.clear()
    rows.clock.move(LOOK_AGAIN_AFTER.total_seconds() - 0.01)
    assert await keys.find_verifying_key(made.id) is None
    assert looks == []
    rows.clock.move(0.01)
    assert await keys.find_verifying_key(made.id) == made
