from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from genba_gateway.domain.actors import UserActor
from genba_gateway.domain.app_usage import AppUse
from genba_gateway.errors import BadRequest, Forbidden, NotFound
from genba_gateway.services.daily_users import DailyUsers
from genba_gateway.services.templates import Templates
from genba_gateway.store import agent_stats as agent_stat_store
from genba_gateway.store import app_stats as app_stat_store
from tests.support.app_world import AppWorld, open_app_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[AppWorld]:
    async with open_app_world(tmp_path) as opened:
        yield opened


def make_daily_users(world: AppWorld) -> DailyUsers:
    rows = world.rows
    return DailyUsers(rows.database, Templates(rows.database, rows.pubsub, rows.clock), rows.clock)


async def use_app(world: AppWorld, user_id: str, when: datetime) -> None:
    ids = (str(uuid.uuid4()), user_id, world.agent.workspace_id, world.agent.agent_id)
    async with world.rows.database.write() as connection:
        await app_stat_store.insert_app_stats(connection, [AppUse(*ids, "path", "code", when, when)])


async def report(world: AppWorld, when: datetime, **stats: int) -> None:
    async with world.rows.database.write() as connection:
        ids = {"agent_id": world.agent.agent_id, "workspace_id": world.agent.workspace_id}
        await agent_stat_store.insert_stats(connection, **ids, stats=stats, now=when)


async def count(world: AppWorld, offset: str = "") -> dict[str, int]:
    found = await make_daily_users(world).count(world.rows.admin, offset)
    assert found.tz_hour_offset == int(offset or 0)
    assert len(found.entries) == 60
    return {entry.date: entry.amount for entry in found.entries if entry.amount}


async def test_who_uses_apps_or_has_sessions_counts_once_a_day(world: AppWorld) -> None:
    now, ana, bob = world.rows.clock(), world.rows.user.user_id, world.rows.stranger.user_id
    for when in (now, now - timedelta(minutes=50), now - timedelta(days=1)):
        await use_app(world, ana, when)
    await use_app(world, bob, now)
    await use_app(world, "", now - timedelta(days=2))
    await report(world, now, session_count_ssh=1)
    await report(world, now - timedelta(days=3), session_count_reconnecting_pty=2, session_count_ssh=0)
    await report(world, now - timedelta(days=4), session_count_ssh=0, connection_count=0)
    await use_app(world, ana, now - timedelta(days=60))
    assert await count(world) == {"2026-01-02": 2, "2026-01-01": 1, "2025-12-30": 1}


async def test_a_day_is_the_viewers(world: AppWorld) -> None:
    await use_app(world, world.rows.user.user_id, world.rows.clock())
    assert [await count(world, offset) for offset in ("-14", "-9", "12")] == [
        {"2026-01-02": 1},
        {"2026-01-02": 1},
        {"2026-01-01": 1},
    ]


async def test_a_templates_users_are_those_of_its_workspaces(world: AppWorld) -> None:
    now = world.rows.clock()
    await use_app(world, world.rows.stranger.user_id, now)
    await report(world, now, session_count_vscode=1)
    service = make_daily_users(world)
    found = await service.count_of_template(world.rows.admin, world.rows.template_id, "")
    assert found.entries[-1].amount == 2
    with pytest.raises(NotFound):
        await service.count_of_template(world.rows.admin, str(uuid.uuid4()), "")


@pytest.mark.parametrize("offset", ["-15", "13", "x", "1.5"])
async def test_a_time_zone_that_is_none_is_named(world: AppWorld, offset: str) -> None:
    with pytest.raises(BadRequest) as refused:
        await make_daily_users(world).count(world.rows.admin, offset)
    assert [problem.field for problem in refused.value.validations] == ["tz_offset"]


@pytest.mark.parametrize("who", ["user", "stranger"])
async def test_who_used_what_is_not_for_everybody(world: AppWorld, who: str) -> None:
    service = make_daily_users(world)
    actor: UserActor = getattr(world.rows, who)
    with pytest.raises(Forbidden):
        await service.count(actor, "")
    with pytest.raises(Forbidden):
        await service.count_of_template(actor, world.rows.template_id, "")
