"""Reports of init scripts: a key made of the token adds lines to one agent's log."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from genba_gateway.errors import BadRequest, Unauthenticated
from genba_gateway.services.agent_logs import AgentLogs
from genba_gateway.services.init_reports import MAX_LINES, MAX_REPORT_BYTES, SOURCE_ID, InitReports
from genba_gateway.store import agent_logs as log_store
from tests.support.agent_rows import AgentRows, make_agent_spec, open_agent_rows

TOKEN = "44444444-4444-4444-8444-444444444444"
KEY = hashlib.sha256(f"genba-report:{TOKEN}".encode()).hexdigest().encode()


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncGenerator[AgentRows]:
    async with open_agent_rows(tmp_path) as opened:
        yield opened


def make_reports(rows: AgentRows) -> InitReports:
    return InitReports(rows.database, AgentLogs(rows.database, rows.pubsub, now=rows.clock))


async def outputs(rows: AgentRows, agent_id: str) -> list[tuple[str, str, str]]:
    async with rows.database.read() as connection:
        lines = await log_store.list_log_lines(connection, agent_id, after=0)
    return [(line.output, line.level, line.source_id) for line in lines]


async def test_a_report_becomes_lines_of_the_agents_log(rows: AgentRows) -> None:
    actor = await rows.add_running_agent(make_agent_spec(token=TOKEN))
    await make_reports(rows).add(KEY + b"\nDNS failed: no such host\n\nTCP failed: refused\n")
    assert await outputs(rows, actor.agent_id) == [
        ("DNS failed: no such host", "error", SOURCE_ID),
        ("TCP failed: refused", "error", SOURCE_ID),
    ]
    assert [source.display_name for source in (await rows.get_agent(actor.agent_id)).log_sources] == ["Init script"]


@pytest.mark.parametrize("key", [b"", TOKEN.encode(), KEY[:-1], KEY.upper(), hashlib.sha256(KEY).hexdigest().encode()])
async def test_any_other_key_is_refused(rows: AgentRows, key: bytes) -> None:
    actor = await rows.add_running_agent(make_agent_spec(token=TOKEN))
    with pytest.raises(Unauthenticated):
        await make_reports(rows).add(key + b"\nx")
    assert await outputs(rows, actor.agent_id) == []


async def test_the_key_of_an_older_build_is_refused(rows: AgentRows) -> None:
    actor = await rows.add_running_agent(make_agent_spec(token=TOKEN))
    await rows.add_build(actor.workspace_id, 2, "stop")
    with pytest.raises(Unauthenticated):
        await make_reports(rows).add(KEY + b"\nx")


async def test_limits(rows: AgentRows) -> None:
    actor = await rows.add_running_agent(make_agent_spec(token=TOKEN))
    reports = make_reports(rows)
    with pytest.raises(BadRequest):
        await reports.add(KEY + b"\n  \n")
    with pytest.raises(BadRequest):
        await reports.add(KEY + b"\n" + b"x" * (MAX_REPORT_BYTES - len(KEY)))
    await reports.add(KEY + b"\n" + b"x" * (MAX_REPORT_BYTES - len(KEY) - 1))
    await reports.add(KEY + b"\nl" * (MAX_LINES + 1))
    assert len(await outputs(rows, actor.agent_id)) == 1 + MAX_LINES
