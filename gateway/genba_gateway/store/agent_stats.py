"""Queries on what agents count."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.store import tables
from genba_gateway.store.columns import JsonText, UtcTime

_stats = tables.workspace_agent_stats
_workspaces = tables.workspaces


async def insert_stats(
    connection: AsyncConnection, *, agent_id: str, workspace_id: str, stats: Mapping[str, object], now: datetime
) -> None:
    """Store one report under the workspace's owner and template."""
    values = sa.select(
        sa.literal(str(uuid.uuid4())),
        sa.literal(agent_id),
        _workspaces.c.id,
        _workspaces.c.owner_id,
        _workspaces.c.template_id,
        sa.literal(now, UtcTime),
        sa.literal(stats, JsonText),
    ).where(_workspaces.c.id == workspace_id)
    await connection.execute(
        _stats.insert().from_select(
            ["id", "agent_id", "workspace_id", "user_id", "template_id", "created_at", "stats"], values
        )
    )


async def delete_stats(connection: AsyncConnection, before: datetime, limit: int) -> int:
    """Remove some of the reports from before a time; how many."""
    old = sa.select(_stats.c.id).where(_stats.c.created_at < before).limit(limit)
    return (await connection.execute(_stats.delete().where(_stats.c.id.in_(old)))).rowcount
