"""What init scripts say of steps that failed before an agent could run (contract 1.12; docs/protocol.md)."""

from __future__ import annotations

from typing import Final

from genba_gateway.domain.agent_reports import LogLevel, NewLogLine
from genba_gateway.domain.hashing import hash_secret
from genba_gateway.errors import BadRequest, Unauthenticated
from genba_gateway.services.agent_logs import AgentLogs
from genba_gateway.store import agents as agent_store
from genba_gateway.store.engine import Database

MAX_REPORT_BYTES: Final = 16 * 1024
"""A handful of steps with their errors."""

MAX_LINES: Final = 64

SOURCE_ID: Final = "6f2a7a5e-6a3d-4a39-9a0f-5e0c8b1f4d21"
"""The log source of all init scripts."""

SOURCE_NAME: Final = "Init script"
SOURCE_ICON: Final = "/icon/terminal.svg"


class InitReports:
    """Adds such lines to an agent's log; whoever holds a report key can do nothing else."""

    def __init__(self, database: Database, logs: AgentLogs) -> None:
        self._database = database
        self._logs = logs

    async def add(self, report: bytes) -> None:
        """Store a report: the key on the first line, then what failed, a line each.

        Raises:
            BadRequest: it is too long, or empty.
            Unauthenticated: no agent of a current build has this key.
            TooLarge: the agent's log is full.
        """
        if len(report) > MAX_REPORT_BYTES:
            raise BadRequest(f"A report has at most {MAX_REPORT_BYTES} bytes.")
        key, *lines = report.decode(errors="replace").splitlines()[: MAX_LINES + 1] or [""]
        lines = [line for line in lines if line.strip()]
        async with self._database.glance() as connection:
            actor = await agent_store.find_agent_actor_by_report_key(connection, hash_secret(key.strip()))
        if actor is None:
            raise Unauthenticated("No agent of a current build has this report key.")
        if not lines:
            raise BadRequest("The report says nothing.")
        await self._logs.add_source(actor, SOURCE_ID, SOURCE_NAME, SOURCE_ICON)
        told = [NewLogLine(output=line, level=LogLevel.ERROR) for line in lines]
        await self._logs.append(actor, SOURCE_ID, told, None)
