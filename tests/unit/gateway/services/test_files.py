from __future__ import annotations

import asyncio

from tests.support.workshop import ARCHIVE, Workshop


async def test_the_same_archive_at_the_same_moment_is_stored_once(workshop: Workshop) -> None:
    upload = workshop.services.files.upload
    async with asyncio.TaskGroup() as tasks:
        both = [tasks.create_task(upload(workshop.owner.actor, "application/x-tar", ARCHIVE)) for _ in range(4)]
    results = [each.result() for each in both]
    assert len({file_id for file_id, _ in results}) == 1
    assert [is_new for _, is_new in results].count(True) == 1
