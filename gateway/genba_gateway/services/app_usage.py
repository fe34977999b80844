"""Accounts of the usage of apps: kept in memory, and written every 30 s (contract 3.5)."""

from __future__ import annotations

import uuid
from typing import Final

from genba_gateway.domain.app_access import AppTarget
from genba_gateway.domain.app_usage import AppUse
from genba_gateway.domain.channels import of_workspace
from genba_gateway.services.activity import put_off_deadline
from genba_gateway.services.visibility import Clock
from genba_gateway.store import agents as agent_store
from genba_gateway.store import app_stats as stat_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub

MAX_USES: Final = 10_000
"""Of one span; what more people do at once is served, and not counted."""

_Key = tuple[str, str, str, str]


class AppUsage:
    """Counts requests, and what stays open."""

    def __init__(self, database: Database, pubsub: PubSub, now: Clock) -> None:
        self._database = database
        self._pubsub = pubsub
        self._now = now
        self._uses: dict[_Key, AppUse] = {}

    def count_request(self, target: AppTarget) -> None:
        """Count a request; called for each, so it does little."""
        use = self._find(target)
        if use is not None:
            use.requests += 1

    def note_open(self, target: AppTarget) -> None:
        """Take note that a websocket or a long answer is still open: its app is used, though nothing is asked."""
        self._find(target)

    async def flush(self) -> None:
        """Write what was counted since the last time; what can't be written is kept for the next.

        Whoever is not signed in is counted, and does not keep the workspace from stopping by itself: else anybody
        could keep it running.
        """
        uses, self._uses = self._uses, {}
        if not uses:
            return
        now = self._now()
        used = {use.workspace_id for use in uses.values() if use.user_id}
        put_off: list[str] = []
        try:
            async with self._database.write(durable=False) as connection:
                await stat_store.insert_app_stats(connection, list(uses.values()))
                for workspace_id in used:
                    await agent_store.touch_workspace(connection, workspace_id, now)
                    if await put_off_deadline(connection, workspace_id, now):
                        put_off.append(workspace_id)
        except BaseException:
            self._put_back(uses)
            raise
        self._pubsub.publish(*(of_workspace(workspace_id) for workspace_id in put_off))

    def _find(self, target: AppTarget) -> AppUse | None:
        now = self._now()
        key = (target.user_id, target.agent_id, target.address.origin.value, target.address.app)
        use = self._uses.get(key)
        if use is not None:
            use.ended_at = now
        elif len(self._uses) < MAX_USES:
            use = self._uses[key] = AppUse(
                id=str(uuid.uuid4()),
                user_id=target.user_id,
                workspace_id=target.workspace_id,
                agent_id=target.agent_id,
                access_method=target.address.origin.value,
                slug_or_port=target.address.app,
                started_at=now,
                ended_at=now,
            )
        return use

    def _put_back(self, uses: dict[_Key, AppUse]) -> None:
        for key, newer in self._uses.items():
            older = uses.setdefault(key, newer)
            if older is not newer:
                older.requests += newer.requests
                older.ended_at = newer.ended_at
        self._uses = uses
