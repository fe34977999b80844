"""Queries on the usage of apps."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.app_usage import AppUse
from genba_gateway.store import tables


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
    await connection.execute(tables.workspace_app_stats.insert(), rows)
