"""Queries on users' git SSH keys."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.git_ssh_keys import GitSSHKey
from genba_gateway.store import tables
from genba_gateway.store.rows import read_record

_keys = tables.git_ssh_keys


async def find_git_ssh_key(connection: AsyncConnection, user_id: str) -> GitSSHKey | None:
    """A user's key pair, if it was made."""
    row = (await connection.execute(sa.select(_keys).where(_keys.c.user_id == user_id))).mappings().one_or_none()
    return read_record(GitSSHKey, dict(row)) if row is not None else None


async def insert_git_ssh_key(connection: AsyncConnection, key: GitSSHKey) -> None:
    """Keep a user's first key pair."""
    await connection.execute(
        _keys.insert().values(
            user_id=key.user_id,
            public_key=key.public_key,
            private_key_sealed=key.private_key_sealed,
            created_at=key.created_at,
            updated_at=key.updated_at,
        )
    )


async def replace_git_ssh_key(connection: AsyncConnection, key: GitSSHKey) -> None:
    """Put another key pair in the place of a user's."""
    await connection.execute(
        _keys.update()
        .where(_keys.c.user_id == key.user_id)
        .values(public_key=key.public_key, private_key_sealed=key.private_key_sealed, updated_at=key.updated_at)
    )
