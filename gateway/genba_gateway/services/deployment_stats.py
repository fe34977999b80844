"""How much the deployment is used: workspaces by their states, sessions and traffic of all agents."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from genba_gateway.domain.workspaces import WorkspaceStatus
from genba_gateway.services.visibility import Clock
from genba_gateway.store import deployment_stats as stats_store
from genba_gateway.store.engine import Database
from genba_wire.api.deployment import ConnectionLatency, DeploymentStats, SessionStats, WorkspaceStats

WINDOW: Final = timedelta(minutes=5)
"""Agents report every half minute, so each that is there has several reports in it."""

REFRESH: Final = timedelta(seconds=30)
"""Pages ask often, and each of them; the database is asked this often at most."""

_BUILDING: Final = (
    WorkspaceStatus.STARTING,
    WorkspaceStatus.STOPPING,
    WorkspaceStatus.DELETING,
    WorkspaceStatus.CANCELING,
)
_FAILED: Final = (WorkspaceStatus.FAILED, WorkspaceStatus.CANCELED)
_SESSIONS: Final = ("vscode", "ssh", "jetbrains", "reconnecting_pty")


class DeploymentUsage:
    """Counts, and keeps what was counted for a while."""

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now
        self._last: DeploymentStats | None = None
        self._counting = asyncio.Lock()

    async def get(self) -> DeploymentStats:
        """The numbers, at most `REFRESH` old."""
        async with self._counting:
            if self._last is None or self._now() >= self._last.next_update_at:
                self._last = await self._count()
            return self._last

    async def _count(self) -> DeploymentStats:
        now = self._now()
        async with self._database.read() as connection:
            workspaces = await stats_store.count_workspaces(connection)
            reports = await stats_store.list_agent_stats(connection, now - WINDOW)
        return DeploymentStats(
            aggregated_from=now - WINDOW,
            collected_at=now,
            next_update_at=now + REFRESH,
            workspaces=_of_workspaces(workspaces, [report for _, report in reports]),
            session_count=_sessions(dict(reports)),
        )


def _of_workspaces(counts: Counter[WorkspaceStatus], reports: Sequence[Mapping[str, Any]]) -> WorkspaceStats:
    return WorkspaceStats(
        pending=counts[WorkspaceStatus.PENDING],
        building=sum(counts[status] for status in _BUILDING),
        running=counts[WorkspaceStatus.RUNNING],
        failed=sum(counts[status] for status in _FAILED),
        stopped=counts[WorkspaceStatus.STOPPED],
        connection_latency_ms=_latency([float(report.get("connection_median_latency_ms", -1)) for report in reports]),
        rx_bytes=sum(int(report.get("rx_bytes", 0)) for report in reports),
        tx_bytes=sum(int(report.get("tx_bytes", 0)) for report in reports),
    )


def _latency(reported: Sequence[float]) -> ConnectionLatency:
    # Agents without a connection report less than nothing (contract 1.4).
    measured = sorted(value for value in reported if value >= 0)
    if not measured:
        return ConnectionLatency(P50=-1, P95=-1)
    last = len(measured) - 1
    return ConnectionLatency(P50=measured[last // 2], P95=measured[round(last * 0.95)])


def _sessions(latest: Mapping[str, Mapping[str, Any]]) -> SessionStats:
    """Of each agent's last report: sessions last for many of them."""
    counts = {
        kind: sum(int(report.get(f"session_count_{kind}", 0)) for report in latest.values()) for kind in _SESSIONS
    }
    return SessionStats(**counts)
