"""How long sessions with agents may go on. Opening them: test_client_carriers.py and test_terminals.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import sqlalchemy as sa

from genba_gateway.domain.channels import of_key, of_workspace
from genba_gateway.domain.session_grants import SessionGrant
from genba_gateway.services.agent_sessions import AgentSessions
from genba_gateway.services.ticket_keys import TicketKeys
from genba_gateway.services.tickets import Tickets
from genba_gateway.store import tables
from tests.support.agent_rows import AgentRows, open_agent_rows

CEILING_S = 30.0
NEVER_S = 1e6


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncGenerator[AgentRows]:
    async with open_agent_rows(tmp_path) as opened:
        yield opened


async def make_grant(rows: AgentRows) -> SessionGrant:
    agent = await rows.add_running_agent()
    await rows.add_session(rows.user)
    return SessionGrant(rows.user.user_id, rows.user.key_id, agent.workspace_id, agent.agent_id, agent.build_id)


def make_sessions(rows: AgentRows, look_again_s: float) -> AgentSessions:
    tickets = Tickets(TicketKeys(rows.database, rows.sealer, rows.clock), rows.clock)
    return AgentSessions(rows.database, rows.sealer, rows.pubsub, tickets, now=rows.clock, look_again_s=look_again_s)


async def change(rows: AgentRows, what: str) -> None:
    async with rows.database.write() as connection:
        match what:
            case "key":
                await connection.execute(sa.delete(tables.api_keys))
            case "suspension":
                await connection.execute(sa.update(tables.users).values(status="suspended"))
            case _:
                owner = {"owner_id": rows.stranger.user_id}
                await connection.execute(sa.update(tables.workspaces).values(owner))


async def wait_through(rows: AgentRows, what: str, *channels: str, look_again_s: float) -> str:
    grant = await make_grant(rows)
    named = {"key": of_key(grant.key_id), "workspace": of_workspace(grant.workspace_id)}
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(make_sessions(rows, look_again_s).wait_for_end(grant, ""))
        await asyncio.sleep(0)
        assert not waiting.done()
        await change(rows, what)
        rows.pubsub.publish(*(named[each] for each in channels))
        return await waiting


async def test_what_is_announced_ends_a_session_without_waiting_for_the_next_look(rows: AgentRows) -> None:
    assert await wait_through(rows, "key", "key", look_again_s=NEVER_S) == "You signed out."


async def test_a_change_of_the_workspace_does_too(rows: AgentRows) -> None:
    ended = await wait_through(rows, "transfer", "workspace", look_again_s=NEVER_S)
    assert ended == "You may not use this workspace any more."


async def test_what_nobody_announces_is_found_at_the_next_look(rows: AgentRows) -> None:
    assert await wait_through(rows, "suspension", look_again_s=0.001) == "Your user is suspended."
