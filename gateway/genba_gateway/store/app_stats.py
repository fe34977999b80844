"""Queries on the usage of apps."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.app_usage import AppUse
from genba_gateway.store import tables

_stats = tables.workspace_app_stats


async def insert_app_stats(connection: AsyncConnection, uses: Sequence[AppUse]) -> None:
    """Store what was counted."""
    rows = [
        {
            "id": str(uuid.uuid4()),
            "user_id": use.user_id or None,
            "workspace_id": use.workspace_id,
            "agent_id": use.agent_id,
            "access_method": use.access_method,
            "slug_or_port": use.slug_or_port,
            "session_id": use.id,
            "session_started_at": use.started_at,
            "session_ended_at": use.ended_at,
            "requests": use.requests,
        }
        for use in uses
    ]
    await connection.execute(_stats.insert(), rows)


async def delete_app_stats(connection: AsyncConnection, before: datetime, limit: int) -> int:
    """Remove some of the uses that began before a time; how many."""
    old = sa.select(_stats.c.id).where(_stats.c.session_started_at < before).limit(limit)
    return (await connection.execute(_stats.delete().where(_stats.c.id.in_(old)))).rowcount
