from __future__ import annotations

import asyncio

import pytest

from genba_gateway.errors import NotFound
from tests.support.workshop import ARCHIVE, UNKNOWN_ID, Workshop


async def test_the_same_archive_at_the_same_moment_is_stored_once(workshop: Workshop) -> None:
    upload = workshop.services.files.upload
    async with asyncio.TaskGroup() as tasks:
        both = [tasks.create_task(upload(workshop.owner.actor, "application/x-tar", ARCHIVE)) for _ in range(4)]
    results = [each.result() for each in both]
    assert len({file_id for file_id, _ in results}) == 1
    assert [is_new for _, is_new in results].count(True) == 1


async def test_who_may_read_a_template_version_may_download_its_file(workshop: Workshop) -> None:
    download = workshop.services.files.download
    file_id = await workshop.upload()
    for unknown in (file_id, UNKNOWN_ID):
        with pytest.raises(NotFound):
            await download(workshop.member.actor, unknown, "")
    assert (await download(workshop.owner.actor, file_id, ""))[0] == ARCHIVE
    await workshop.add_version()
    assert (await download(workshop.member.actor, file_id, ""))[0] == ARCHIVE
    reply = await workshop.get(workshop.member, f"/files/{file_id}")
    assert (reply.status, reply.body) == (200, ARCHIVE)
