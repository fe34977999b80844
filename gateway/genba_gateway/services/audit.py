"""Audit rows of what users do: who did what to which thing, in the transaction that did it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.actors import UserActor
from genba_gateway.store.audit_logs import insert_audit_log


async def record_change(
    connection: AsyncConnection,
    actor: UserActor,
    now: datetime,
    resource: tuple[str, str, str],
    what: Mapping[str, str],
    *,
    action: str = "write",
    organization_id: str | None = None,
) -> None:
    """Record that a user changed something.

    Args:
        resource: its type, its id, and its name.
        what: what about it was changed; none of it may be secret.
    """
    resource_type, resource_id, target = resource
    await insert_audit_log(
        connection,
        now=now,
        user_id=actor.user_id,
        organization_id=organization_id,
        action=action,
        resource_type=resource_type,
        resource_id=resource_id,
        resource_target=target,
        ip_address=actor.ip_address,
        user_agent=actor.user_agent,
        additional_fields=dict(what),
    )
