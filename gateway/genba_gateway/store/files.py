"""Queries on uploaded archives."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.files import StoredFile
from genba_gateway.store import tables
from genba_gateway.store.rows import read_record

_files = tables.files
_jobs = tables.provisioner_jobs
_versions = tables.template_versions


async def find_file_by_hash(connection: AsyncConnection, *, content_hash: str, created_by: str) -> str | None:
    """The id of the same upload by the same user."""
    query = sa.select(_files.c.id).where(_files.c.hash == content_hash, _files.c.created_by == created_by)
    return (await connection.execute(query)).scalar_one_or_none()


async def insert_file(connection: AsyncConnection, file: StoredFile) -> None:
    """Store an upload."""
    await connection.execute(
        _files.insert().values(
            id=file.id,
            hash=file.hash,
            created_by=file.created_by,
            created_at=file.created_at,
            mimetype=file.mimetype,
            data=file.data,
        )
    )


async def find_file(connection: AsyncConnection, file_id: str) -> StoredFile | None:
    """One file with its data."""
    row = (await connection.execute(sa.select(_files).where(_files.c.id == file_id))).mappings().one_or_none()
    return read_record(StoredFile, dict(row)) if row else None


async def has_file(connection: AsyncConnection, file_id: str) -> bool:
    """Whether there is such a file, without reading it."""
    query = sa.select(sa.literal(1)).where(_files.c.id == file_id)
    return (await connection.execute(query)).scalar_one_or_none() is not None


async def find_uploader(connection: AsyncConnection, file_id: str) -> str | None:
    """Who uploaded a file, without reading it."""
    query = sa.select(_files.c.created_by).where(_files.c.id == file_id)
    return (await connection.execute(query)).scalar_one_or_none()


async def is_of_template_version(connection: AsyncConnection, file_id: str) -> bool:
    """Whether some template version was made of a file."""
    query = sa.select(sa.literal(1)).join_from(_versions, _jobs, _jobs.c.id == _versions.c.job_id)
    return (await connection.execute(query.where(_jobs.c.file_id == file_id).limit(1))).first() is not None
