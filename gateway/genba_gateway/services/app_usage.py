"""Accounts of the usage of apps: kept in memory, and written every 30 s (contract 3.5)."""

from __future__ import annotations

import uuid
from collections import Counter
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

MAX_USES_PER_WORKSPACE: Final = 500
"""Of one span; what more people and ports there are at once is counted in one row for all of them."""

REST: Final = "(others)"
"""In place of an app's name in that row: no app nor port can have it."""

_Key = tuple[str, str, str, str]


class AppUsage:
    """Counts requests, and what stays open."""

    def __init__(self, database: Database, pubsub: PubSub, now: Clock) -> None:
        self._database = database
        self._pubsub = pubsub
        self._now = now
        self._uses: dict[_Key, AppUse] = {}
        self._uses_of_workspace: Counter[str] = Counter()
        self._used: set[str] = set()
        """Workspaces that somebody who is signed in has used, whatever is counted of it."""

    def count_request(self, target: AppTarget) -> None:
        """Count a request; called for each, so it does little."""
        self._find(target).requests += 1

    def note_open(self, target: AppTarget) -> None:
        """Take note that a websocket or a long answer is still open: its app is used, though nothing is asked."""
        self._find(target)

    async def flush(self) -> None:
        """Write what was counted since the last time; what can't be written is kept for the next.

        Whoever is not signed in is counted, and does not keep the workspace from stopping by itself: else anybody
        could keep it running.
        """
        uses, self._uses = self._uses, {}
        used, self._used = self._used, set()
        self._uses_of_workspace.clear()
        if not uses:
            return
        now = self._now()
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
            self._used |= used
            raise
        self._pubsub.publish(*(of_workspace(workspace_id) for workspace_id in put_off))

    def _find(self, target: AppTarget) -> AppUse:
        if target.user_id:
            self._used.add(target.workspace_id)
        key = (target.user_id, target.agent_id, target.address.origin.value, target.address.app)
        use = self._uses.get(key)
        if use is None and self._uses_of_workspace[target.workspace_id] >= MAX_USES_PER_WORKSPACE:
            key = ("", target.workspace_id, "", REST)
            use = self._uses.get(key)
        now = self._now()
        if use is not None:
            use.ended_at = now
            return use
        self._uses_of_workspace[target.workspace_id] += 1
        user_id, _, _, slug_or_port = key
        use = self._uses[key] = AppUse(
            id=str(uuid.uuid4()),
            user_id=user_id,
            workspace_id=target.workspace_id,
            agent_id=target.agent_id,
            access_method=target.address.origin.value,
            slug_or_port=slug_or_port,
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
        self._uses_of_workspace = Counter(use.workspace_id for use in uses.values())
