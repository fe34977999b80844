from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from genba_gateway.domain.app_usage import AppUse
from genba_gateway.services import retention
from genba_gateway.services.retention import USAGE_KEPT, Retention
from genba_gateway.store import agent_stats as agent_stat_store
from genba_gateway.store import app_stats as app_stat_store
from genba_gateway.store import tables
from tests.support.app_world import AppWorld, open_app_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[AppWorld]:
    async with open_app_world(tmp_path) as opened:
        yield opened


async def add_usage(world: AppWorld, *times: datetime) -> None:
    async with world.rows.database.write() as connection:
        for time in times:
            ids = (str(uuid.uuid4()), world.rows.user.user_id, world.agent.workspace_id, world.agent.agent_id)
            await app_stat_store.insert_app_stats(connection, [AppUse(*ids, "path", "code", time, time)])
            await agent_stat_store.insert_stats(
                connection, agent_id=ids[3], workspace_id=ids[2], stats={"session_count_ssh": 1}, now=time
            )


async def list_times(world: AppWorld) -> list[list[datetime]]:
    apps, agents = tables.workspace_app_stats, tables.workspace_agent_stats
    columns: tuple[sa.Column[datetime], ...] = (apps.c.session_started_at, agents.c.created_at)
    async with world.rows.database.read() as connection:
        return [list((await connection.execute(sa.select(each).order_by(each))).scalars()) for each in columns]


async def test_usage_is_kept_so_long_and_no_longer(world: AppWorld) -> None:
    now = world.rows.clock()
    kept = now - USAGE_KEPT
    await add_usage(world, now - timedelta(days=1000), kept - timedelta(microseconds=1), kept, now)
    assert await Retention(world.rows.database, world.rows.clock).prune() == 4
    assert await list_times(world) == [[kept, now], [kept, now]]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4])
async def test_much_is_removed_in_several_transactions(
    world: AppWorld, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(retention, "ROWS_AT_ONCE", 2)
    await add_usage(world, *[world.rows.clock() - timedelta(days=100)] * count)
    assert await Retention(world.rows.database, world.rows.clock).prune() == 2 * count
    assert await list_times(world) == [[], []]
