"""The archive with the template that a job works on."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.jobs import Job
from genba_gateway.errors import ProvisionError
from genba_gateway.store import files as file_store


async def read_archive(connection: AsyncConnection, job: Job) -> bytes:
    """The bytes of the job's archive.

    Raises:
        ProvisionError: it is gone.
    """
    file = await file_store.find_file(connection, job.file_id)
    if file is None:
        raise ProvisionError("The template's archive is gone: push the template again.")
    return file.data
