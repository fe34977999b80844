"""The logs that agents send (contract 1.2, 1.6), each line stored once however often it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from genba_gateway.domain.actors import AgentActor
from genba_gateway.domain.agent_reports import LogPosition, NewLogLine, lines_not_stored
from genba_gateway.domain.agents import LogSource
from genba_gateway.domain.channels import of_agent_logs, of_workspace
from genba_gateway.errors import BadRequest, FieldProblem, TooLarge
from genba_gateway.services.visibility import Clock
from genba_gateway.store import agent_logs as log_store
from genba_gateway.store import agents as agent_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_wire.api.agent_protocol import EXTERNAL_LOG_SOURCE_ID, MAX_LOGS_BYTES
from genba_wire.api.message import NIL_UUID

MAX_LINES: Final = 100_000
"""Of an agent: the limit of bytes leaves room for any number of empty ones."""

MAX_SOURCES: Final = 100
"""Of an agent; a script is one. All are read with the agent."""

MAX_NAME_CHARS: Final = 128
MAX_ICON_CHARS: Final = 1024
"""A longer name or icon of a source is cut."""

EXTERNAL_NAME: Final = "External"
EXTERNAL_ICON: Final = "/emojis/1f310.png"


class AgentLogs:
    """Stores lines and their sources."""

    def __init__(self, database: Database, pubsub: PubSub, *, now: Clock) -> None:
        self._database = database
        self._pubsub = pubsub
        self._now = now

    async def append(
        self, actor: AgentActor, source_id: str, lines: Sequence[NewLogLine], position: LogPosition | None
    ) -> None:
        """Store lines with the gateway's time.

        Args:
            source_id: whose lines they are; nil is the external source.
            position: where the batch stands in the agent's spool; what is stored already is passed over. None stores
                all lines.

        Raises:
            BadRequest: no lines, or a source that is no UUID.
            TooLarge: the agent's logs are full. None of the lines is stored, and no later ones will be.
        """
        if not lines:
            raise BadRequest("No log lines were sent.", validations=[FieldProblem("logs", "it is empty")])
        source_id = _check_id("log_source_id", source_id)
        now = self._now()
        async with self._database.write() as connection:
            state = await log_store.get_log_state(connection, actor.agent_id, position.boot_id if position else "")
            left = lines_not_stored(lines, position, state.next_line or 0) if position else lines
            if not left:
                return
            length = state.length + sum(len(line.output.encode()) for line in left)
            is_full = length > MAX_LOGS_BYTES or state.last_id + len(left) > MAX_LINES
            has_overflowed = state.overflowed or is_full
            if not has_overflowed:
                if source_id == NIL_UUID:
                    source_id = EXTERNAL_LOG_SOURCE_ID
                    external = LogSource(actor.agent_id, source_id, EXTERNAL_NAME, EXTERNAL_ICON, now)
                    await log_store.add_log_source(connection, external)
                await log_store.insert_log_lines(
                    connection, actor.agent_id, first_id=state.last_id + 1, source_id=source_id, lines=left, now=now
                )
                await agent_store.update_agent(connection, actor.agent_id, {"logs_length": length})
                if position is not None:
                    save = log_store.insert_spool if state.next_line is None else log_store.update_spool
                    await save(connection, actor.agent_id, position.boot_id, position.first_line + len(lines))
            elif not state.overflowed:
                await agent_store.update_agent(connection, actor.agent_id, {"logs_overflowed": True, "updated_at": now})
        if not has_overflowed:
            self._pubsub.publish(of_agent_logs(actor.agent_id))
            return
        if not state.overflowed:
            self._pubsub.publish(of_agent_logs(actor.agent_id), of_workspace(actor.workspace_id))
        raise TooLarge(
            "The agent's logs are full.",
            detail=f"The gateway keeps {MAX_LOGS_BYTES} bytes and {MAX_LINES} lines of an agent's output; "
            "log files in the workspace go on.",
        )

    async def add_source(self, actor: AgentActor, source_id: str, display_name: str, icon: str) -> LogSource:
        """Store a source of lines; one that is there stays as it is and is returned.

        Raises:
            BadRequest: the id is no UUID, or nil; or the agent has `MAX_SOURCES`.
        """
        source_id = _check_id("id", source_id)
        if source_id == NIL_UUID:
            raise BadRequest("A log source needs an id.", validations=[FieldProblem("id", "it is the nil UUID")])
        name, icon = display_name[:MAX_NAME_CHARS], icon[:MAX_ICON_CHARS]
        source = LogSource(actor.agent_id, source_id, name, icon, self._now())
        async with self._database.write() as connection:
            if await log_store.count_other_sources(connection, actor.agent_id, source_id) >= MAX_SOURCES:
                raise BadRequest(f"An agent has {MAX_SOURCES} log sources at most: use one of those.")
            await log_store.add_log_source(connection, source)
            stored = await log_store.get_log_source(connection, actor.agent_id, source_id)
        self._pubsub.publish(of_workspace(actor.workspace_id))
        return stored


def _check_id(field: str, text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise BadRequest(
            "A log source's id is a UUID.", validations=[FieldProblem(field, f"{text!r} is not a UUID")]
        ) from None
