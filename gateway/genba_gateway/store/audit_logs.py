"""The audit table: rows are added, never changed."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.store import tables


async def insert_audit_log(
    connection: AsyncConnection,
    *,
    now: datetime,
    user_id: str | None,
    organization_id: str | None,
    action: str,
    resource_type: str,
    resource_id: str,
    resource_target: str,
    ip_address: str = "",
    user_agent: str = "",
    status_code: int = 0,
    additional_fields: dict[str, str] | None = None,
) -> None:
    """Say who did what to which thing, in the transaction that did it."""
    await connection.execute(
        tables.audit_logs.insert().values(
            id=str(uuid.uuid4()),
            time=now,
            user_id=user_id,
            organization_id=organization_id,
            action=action,
            resource_type=resource_type,
            resource_id=resource_id,
            resource_target=resource_target,
            ip_address=ip_address,
            user_agent=user_agent,
            status_code=status_code,
            additional_fields=additional_fields or {},
        )
    )
