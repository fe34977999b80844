from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from genba_gateway.domain.agent_reports import LogLevel, NewLogLine
from genba_gateway.store import agent_logs as log_store
from genba_gateway.store import agents as agent_store
from genba_gateway.store.agent_logs import LogStanding, LogState
from tests.support.agent_rows import AgentRows, open_agent_rows

SOURCE = "22222222-2222-4222-8222-222222222222"
SPOOL = "33333333-3333-4333-8333-333333333333"


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncGenerator[AgentRows]:
    async with open_agent_rows(tmp_path) as opened:
        yield opened


async def test_an_empty_log_is_at_its_beginning(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()

    async with rows.database.read() as connection:
        assert await log_store.get_log_state(connection, actor.agent_id, SPOOL) == LogState(0, False, 0, None)
        assert await log_store.list_log_lines(connection, actor.agent_id, after=0) == []


async def test_lines_and_the_spools_position_are_seen_in_the_same_transaction(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    lines = [NewLogLine(output, LogLevel.WARN) for output in "abc"]
    async with rows.database.write() as connection:
        await log_store.insert_log_lines(
            connection, actor.agent_id, first_id=1, source_id=SOURCE, lines=lines, now=rows.clock()
        )
        await log_store.insert_spool(connection, actor.agent_id, SPOOL, 2)
        await log_store.update_spool(connection, actor.agent_id, SPOOL, 3)
        state = await log_store.get_log_state(connection, actor.agent_id, SPOOL)
        left = await log_store.list_log_lines(connection, actor.agent_id, after=2)

    assert (state.last_id, state.next_line) == (3, 3)
    assert [(line.id, line.output, line.level, line.created_at) for line in left] == [(3, "c", "warn", rows.clock())]


async def test_a_log_can_grow_until_it_overflows_or_a_newer_build_is_there(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    standings: list[LogStanding] = []

    async def look() -> None:
        async with rows.database.read() as connection:
            standings.append(await log_store.get_log_standing(connection, actor.agent_id))

    await look()
    async with rows.database.write() as connection:
        await agent_store.update_agent(connection, actor.agent_id, {"logs_overflowed": True})
    await look()
    await rows.add_build(actor.workspace_id, number=2)
    await look()

    assert standings == [LogStanding(False, True), LogStanding(True, True), LogStanding(True, False)]
