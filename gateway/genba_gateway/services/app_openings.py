"""The audit log's rows of apps: one when somebody begins to use an app, not one for each request."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from genba_gateway.domain.app_access import AppTarget
from genba_gateway.domain.users import Visitor
from genba_gateway.services.visibility import Clock
from genba_gateway.store import agents as agent_store
from genba_gateway.store.audit_logs import insert_audit_log
from genba_gateway.store.engine import Database

AGAIN_AFTER: Final = timedelta(hours=1)
"""Who comes back to an app after so long begins anew."""

MAX_REMEMBERED: Final = 4096
"""Further ones make rows more often, and cost no more memory."""

_Key = tuple[str, str, str, str, str]


class AppOpenings:
    """Notes who opens which app."""

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now
        self._seen: dict[_Key, datetime] = {}

    async def record(self, target: AppTarget, visitor: Visitor) -> None:
        """Note that somebody uses an app; called when it is decided, which is once a minute while it is used."""
        now = self._now()
        address = target.address
        key = (target.user_id, target.key_id, target.agent_id, address.origin.value, address.app)
        seen = self._seen.pop(key, None)
        self._seen[key] = now
        if seen is not None and now - seen < AGAIN_AFTER:
            return
        if len(self._seen) > MAX_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        async with self._database.write() as connection:
            await insert_audit_log(
                connection,
                now=now,
                user_id=target.user_id or None,
                organization_id=None,
                action="connect",
                resource_type="workspace_app",
                resource_id=target.agent_id,
                resource_target=address.app,
                ip_address=visitor.ip_address,
                user_agent=visitor.user_agent,
                additional_fields={
                    "workspace_id": target.workspace_id,
                    "build_id": target.build_id,
                    "access_method": address.origin.value,
                    "sharing_level": target.sharing_level,
                },
            )
            await agent_store.touch_workspace(connection, target.workspace_id, now)
