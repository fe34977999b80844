from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from genba_gateway.loops.autostop import Autostop
from genba_gateway.services.deadlines import Deadlines
from genba_gateway.store import tables
from tests.support.workshop import Workshop


async def test_each_overdue_workspace_gets_one_stop(workshop: Workshop) -> None:
    short = await workshop.add_template("short", default_ttl_ms=60_000)
    for name in ("one", "two"):
        await workshop.add_workspace(short, name)
    busy = await workshop.add_workspace(short, "busy")
    await workshop.add_workspace(await workshop.add_template("free"), "free")
    loop = Autostop(workshop.services.deadlines)
    assert await loop.step() == 0
    await workshop.add_build(busy, "start", run=False)
    workshop.clock.move(120)
    assert await loop.step() == 2
    assert await loop.step() == 0
    assert loop.failed_steps == 0


async def test_a_workspace_that_can_not_be_stopped_does_not_keep_the_others_running(
    workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    broken = await workshop.add_workspace(await workshop.add_template("broken", default_ttl_ms=60_000), "broken")
    await workshop.add_workspace(await workshop.add_template("fine", default_ttl_ms=60_000), "fine")
    async with workshop.database.write() as connection:
        jobs = tables.provisioner_jobs
        version = broken["latest_build"]["template_version_id"]
        of_version = sa.select(tables.template_versions.c.job_id).where(tables.template_versions.c.id == version)
        await connection.execute(jobs.update().where(jobs.c.id.in_(of_version)).values(error="gone"))
    workshop.clock.move(120)
    loop = Autostop(workshop.services.deadlines)
    assert await loop.step() == 1
    assert loop.failed_steps == 1
    assert broken["id"] in caplog.text


class Unreadable(Deadlines):
    async def list_overdue(self) -> list[str]:
        raise OSError("the disk is full")


async def test_it_looks_again_after_a_database_that_can_not_be_read(workshop: Workshop) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise asyncio.CancelledError

    services = workshop.services
    broken = Unreadable(workshop.database, workshop.pubsub, services.builds, workshop.clock)
    loop = Autostop(broken, interval_s=7, pause=pause)
    with pytest.raises(asyncio.CancelledError):
        await loop.run()
    assert (loop.failed_steps, pauses) == (2, [7, 7])
