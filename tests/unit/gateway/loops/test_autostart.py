from __future__ import annotations

import asyncio

import pytest

from genba_gateway.loops.autostart import Autostart
from genba_gateway.services.autostart import Autostarts
from genba_gateway.store import tables
from tests.support.workshop import Workshop

DAY_S = 24 * 3600


async def test_each_workspace_that_is_due_gets_one_start(workshop: Workshop) -> None:
    template = await workshop.add_template()
    autostarts = workshop.services.autostarts
    for name in ("one", "two", "free"):
        workspace = await workshop.add_workspace(template, name)
        await workshop.add_build(workspace, "stop")
        await autostarts.set_schedule(workshop.member.actor, workspace["id"], "0 9 * * *" if name != "free" else None)
    loop = Autostart(autostarts)
    assert await loop.step() == 0
    workshop.clock.move(DAY_S)
    assert await loop.step() == 2
    assert await loop.step() == 0
    assert loop.failed_steps == 0


async def test_a_workspace_that_can_not_be_started_does_not_keep_the_others_stopped(
    workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    made = [await workshop.add_workspace(await workshop.add_template(name), name) for name in ("broken", "fine")]
    for workspace in made:
        await workshop.add_build(workspace, "stop")
        await workshop.services.autostarts.set_schedule(workshop.member.actor, workspace["id"], "0 9 * * *")
    async with workshop.database.write() as connection:
        versions = tables.template_versions
        broken = versions.c.id == made[0]["latest_build"]["template_version_id"]
        await connection.execute(versions.update().where(broken).values(archived=True))
    workshop.clock.move(DAY_S)
    loop = Autostart(workshop.services.autostarts)
    assert await loop.step() == 1
    assert loop.failed_steps == 1
    assert made[0]["id"] in caplog.text


class Unreadable(Autostarts):
    async def list_due(self) -> list[str]:
        raise OSError("the disk is full")


async def test_it_looks_again_after_a_database_that_can_not_be_read(workshop: Workshop) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise asyncio.CancelledError

    builds = workshop.services.builds
    broken = Unreadable(workshop.database, workshop.sealer, workshop.pubsub, builds, workshop.clock)
    loop = Autostart(broken, interval_s=7, pause=pause)
    with pytest.raises(asyncio.CancelledError):
        await loop.run()
    assert (loop.failed_steps, pauses) == (2, [7, 7])
