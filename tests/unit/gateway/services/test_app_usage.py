from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from genba_gateway.domain.app_access import AppGranted, AppTarget
from genba_gateway.services import app_usage
from genba_gateway.services.app_usage import REST
from genba_gateway.store import app_stats, tables
from tests.support.app_world import AppWorld, open_app_world

CEILING_S = 30.0


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[AppWorld]:
    async with open_app_world(tmp_path) as opened:
        yield opened


async def get_target(world: AppWorld, app: str = "code", *, signed_in: bool = True) -> AppTarget:
    browser = world.browser(world.rows.user if signed_in else None)
    decision = await browser.open(world.subdomain_url(app))
    assert isinstance(decision, AppGranted)
    return decision.target


async def list_stats(world: AppWorld) -> list[Any]:
    stats = tables.workspace_app_stats
    async with world.rows.database.read() as connection:
        query = sa.select(stats).order_by(stats.c.session_started_at, stats.c.slug_or_port)
        return list((await connection.execute(query)).mappings().all())


async def find_deadline(world: AppWorld) -> Any:
    async with world.rows.database.read() as connection:
        builds, workspaces = tables.workspace_builds, tables.workspaces
        query = sa.select(builds.c.deadline, workspaces.c.last_used_at).join(workspaces)
        return (await connection.execute(query)).one()


async def test_requests_are_written_by_user_and_app(world: AppWorld) -> None:
    code, site = await get_target(world), await get_target(world, "site", signed_in=False)
    world.gate.count_request(code)
    world.rows.clock.move(29)
    world.gate.count_request(code)
    world.gate.count_request(site)
    await world.usage.flush()
    first, second = await list_stats(world)
    assert (first["user_id"], first["workspace_id"], first["agent_id"]) == (
        world.rows.user.user_id,
        world.agent.workspace_id,
        world.agent.agent_id,
    )
    assert (first["access_method"], first["slug_or_port"], first["requests"]) == ("subdomain", "code", 2)
    assert first["session_ended_at"] - first["session_started_at"] == timedelta(seconds=29)
    assert (second["user_id"], second["slug_or_port"], second["requests"]) == (None, "site", 1)
    await world.usage.flush()
    assert len(await list_stats(world)) == 2
    world.gate.count_request(code)
    await world.usage.flush()
    *_, third = await list_stats(world)
    assert third["session_id"] != first["session_id"]


async def test_usage_puts_off_the_stop_of_a_workspace_unless_nobody_knows_whose_it_is(world: AppWorld) -> None:
    code, site = await get_target(world), await get_target(world, "site", signed_in=False)
    deadline = world.rows.clock() + timedelta(minutes=30)
    await world.execute(tables.workspace_builds.update().values(deadline=deadline))
    world.rows.clock.move(600)
    world.gate.count_request(site)
    before = await find_deadline(world)
    await world.usage.flush()
    assert await find_deadline(world) == before
    world.gate.count_request(code)
    await world.usage.flush()
    assert await find_deadline(world) == (world.rows.clock() + timedelta(hours=1), world.rows.clock())


async def test_what_stays_open_is_used(world: AppWorld) -> None:
    target = await get_target(world)
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(world.gate.wait_for_end(target))
        await asyncio.sleep(0)
        waiting.cancel()
    await world.usage.flush()
    assert [(row["slug_or_port"], row["requests"]) for row in await list_stats(world)] == [("code", 0)]


async def test_what_cannot_be_written_is_kept(world: AppWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    target = await get_target(world)
    world.gate.count_request(target)

    async def fail(*_: object) -> None:
        world.gate.count_request(target)
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(app_stats, "insert_app_stats", fail)
        with pytest.raises(OSError, match="disk full"):
            await world.usage.flush()
    await world.usage.flush()
    assert [row["requests"] for row in await list_stats(world)] == [2]


async def test_so_many_uses_of_a_workspace_have_rows_of_their_own(
    world: AppWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, site = await get_target(world), await get_target(world, "site", signed_in=False)
    team = replace(site, address=replace(site.address, app="8080"))
    elsewhere = replace(site, workspace_id=await world.rows.add_workspace("other"))
    monkeypatch.setattr(app_usage, "MAX_USES_PER_WORKSPACE", 1)
    for target in (code, site, team, code, elsewhere):
        world.gate.count_request(target)
    await world.usage.flush()
    counted = {(row["workspace_id"], row["slug_or_port"]): row["requests"] for row in await list_stats(world)}
    here = code.workspace_id
    assert counted == {(here, "code"): 2, (here, REST): 2, (elsewhere.workspace_id, "site"): 1}


async def test_what_has_no_row_of_its_own_keeps_its_workspace_running(
    world: AppWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, site = await get_target(world), await get_target(world, "site", signed_in=False)
    monkeypatch.setattr(app_usage, "MAX_USES_PER_WORKSPACE", 1)
    world.rows.clock.move(600)
    for target in (site, code):
        world.gate.count_request(target)
    await world.usage.flush()
    assert (await find_deadline(world)).last_used_at == world.rows.clock()
