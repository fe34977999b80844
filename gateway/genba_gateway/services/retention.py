"""How long the accounts of usage are kept: those of apps, and what agents report of sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from genba_gateway.services.visibility import Clock
from genba_gateway.store import agent_stats as agent_stat_store
from genba_gateway.store import app_stats as app_stat_store
from genba_gateway.store.engine import Database

USAGE_KEPT: Final = timedelta(days=90)
"""A quarter, for charts of it. One person's work in one app is about a thousand rows a day."""

ROWS_AT_ONCE: Final = 5000
"""Removed in one transaction, so that nobody waits long to write."""


class Retention:
    """Removes what is older than it is kept."""

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now

    async def prune(self) -> int:
        """Remove all that is too old; how many rows that was."""
        before = self._now() - USAGE_KEPT
        removed = 0
        for delete in (app_stat_store.delete_app_stats, agent_stat_store.delete_stats):
            count = ROWS_AT_ONCE
            while count == ROWS_AT_ONCE:
                async with self._database.write(durable=False) as connection:
                    count = await delete(connection, before, ROWS_AT_ONCE)
                removed += count
        return removed
