"""Queries on what the deployment keeps about itself."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.store import tables

_settings = tables.settings


async def find_setting(connection: AsyncConnection, key: str) -> str | None:
    """One value."""
    return (await connection.execute(sa.select(_settings.c.value).where(_settings.c.key == key))).scalar_one_or_none()


async def insert_setting(connection: AsyncConnection, key: str, value: str) -> None:
    """Add a value that is not there."""
    await connection.execute(_settings.insert().values(key=key, value=value))


async def put_setting(connection: AsyncConnection, key: str, value: str) -> None:
    """Set a value, whether it is there or not."""
    changed = await connection.execute(_settings.update().where(_settings.c.key == key).values(value=value))
    if changed.rowcount == 0:
        await insert_setting(connection, key, value)
