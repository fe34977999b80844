"""Queries on agents' metadata."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.agent_reports import MetadataItem, MetadataValue
from genba_gateway.store import tables
from genba_gateway.store.rows import read_record

_metadata = tables.workspace_agent_metadata


async def list_metadata(connection: AsyncConnection, agent_id: str) -> list[MetadataItem]:
    """The agent's items in display order."""
    query = sa.select(_metadata).where(_metadata.c.agent_id == agent_id).order_by(_metadata.c.position)
    return [read_record(MetadataItem, dict(row)) for row in (await connection.execute(query)).mappings()]


async def update_metadata(
    connection: AsyncConnection, agent_id: str, values: Sequence[MetadataValue], now: datetime
) -> int:
    """Store what was collected; keys that the agent doesn't have are passed over.

    Returns:
        How many items were stored.
    """
    stored = 0
    for each in values:
        mine = _metadata.update().where(_metadata.c.agent_id == agent_id, _metadata.c.key == each.key)
        result = await connection.execute(mine.values(value=each.value, error=each.error, collected_at=now))
        stored += result.rowcount
    return stored
