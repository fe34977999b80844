from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from genba_gateway.domain.actors import AgentActor
from genba_gateway.domain.agent_reports import AgentLogLine, LogLevel, MetadataValue, NewLogLine
from genba_gateway.domain.channels import of_agent_metadata, of_workspace
from genba_gateway.domain.provisioning import AgentMetadataSpec
from genba_gateway.errors import BadRequest, NotFound, TooLarge
from genba_gateway.services.agent_logs import AgentLogs
from genba_gateway.services.agents import Agents
from genba_gateway.store import agent_metadata as metadata_store
from genba_wire.api.agent_protocol import MAX_LOGS_BYTES
from tests.support.agent_rows import AgentRows, make_agent_spec, open_agent_rows

CEILING_S = 30.0
SOURCE = "22222222-2222-4222-8222-222222222222"


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncGenerator[AgentRows]:
    async with open_agent_rows(tmp_path) as opened:
        yield opened


def make_agents(rows: AgentRows, *, pause_s: float = 0.0, refresh_s: float = CEILING_S) -> Agents:
    return Agents(
        rows.database,
        rows.sealer,
        rows.pubsub,
        access_url="http://127.0.0.1:3000",
        now=rows.clock,
        metadata_pause_s=pause_s,
        metadata_refresh_s=refresh_s,
    )


async def append(rows: AgentRows, actor: AgentActor, *outputs: str) -> None:
    lines = [NewLogLine(output, LogLevel.INFO) for output in outputs]
    await AgentLogs(rows.database, rows.pubsub, now=rows.clock).append(actor, SOURCE, lines, None)


async def outputs_of(stream: AsyncGenerator[list[AgentLogLine]]) -> list[str]:
    async with asyncio.timeout(CEILING_S):
        return [line.output for line in await anext(stream)]


async def test_owner_and_administrators_see_an_agent_and_nobody_else(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    agents = make_agents(rows)

    for user in (rows.user, rows.admin):
        assert (await agents.get_agent(user, actor.agent_id.upper())).id == actor.agent_id
    with pytest.raises(NotFound) as hidden:
        await agents.get_agent(rows.stranger, actor.agent_id)
    with pytest.raises(NotFound) as absent:
        await agents.get_agent(rows.user, str(uuid.uuid4()))
    assert hidden.value.message == absent.value.message


async def test_an_agent_of_a_template_version_is_not_found(rows: AgentRows) -> None:
    [agent_id] = await rows.add_agents(await rows.add_resource(await rows.add_job()), [make_agent_spec()])
    with pytest.raises(NotFound):
        await make_agents(rows).get_agent(rows.admin, agent_id)


async def test_an_id_that_is_no_uuid_is_refused(rows: AgentRows) -> None:
    with pytest.raises(BadRequest):
        await make_agents(rows).get_agent(rows.user, "main")


async def test_a_follower_gets_the_backlog_first_and_then_each_batch(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    agents = make_agents(rows)
    await append(rows, actor, "a", "b", "c")
    agent = await agents.get_agent(rows.user, actor.agent_id)
    async with aclosing(agents.follow_logs(agent, 1)) as stream:
        assert await outputs_of(stream) == ["b", "c"]
        await append(rows, actor, "d", "e")
        assert await outputs_of(stream) == ["d", "e"]
        await append(rows, actor, "f")
        assert await outputs_of(stream) == ["f"]


async def test_a_follower_ends_when_a_newer_build_is_there(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    agents = make_agents(rows)
    await append(rows, actor, "a")
    agent = await agents.get_agent(rows.user, actor.agent_id)
    received: list[str] = []

    async def follow() -> None:
        async for lines in agents.follow_logs(agent, 0):
            received.extend(line.output for line in lines)

    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as group:
        group.create_task(follow())
        await append(rows, actor, "b")
        await rows.add_build(actor.workspace_id, number=2)
        rows.pubsub.publish(of_workspace(actor.workspace_id))

    assert received == ["a", "b"]


async def test_a_follower_of_an_overflowed_log_gets_all_of_it_and_ends(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    agents = make_agents(rows)
    await append(rows, actor, "a")
    agent = await agents.get_agent(rows.user, actor.agent_id)
    received: list[str] = []

    async def follow() -> None:
        async for lines in agents.follow_logs(agent, 0):
            received.extend(line.output for line in lines)

    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as group:
        group.create_task(follow())
        await append(rows, actor, "b")
        with pytest.raises(TooLarge):
            await append(rows, actor, "x" * MAX_LOGS_BYTES)

    assert received == ["a", "b"]


async def test_following_an_older_builds_agent_shows_its_log_and_ends(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    agents = make_agents(rows)
    await append(rows, actor, "a")
    await rows.add_build(actor.workspace_id, number=2)
    agent = await agents.get_agent(rows.user, actor.agent_id)

    async with asyncio.timeout(CEILING_S):
        batches = [[line.output for line in lines] async for lines in agents.follow_logs(agent, 0)]

    assert batches == [["a"]]


async def test_following_an_empty_log_of_an_older_build_ends_without_a_batch(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    agents = make_agents(rows)
    await rows.add_build(actor.workspace_id, number=2)
    agent = await agents.get_agent(rows.user, actor.agent_id)

    async with asyncio.timeout(CEILING_S):
        assert [lines async for lines in agents.follow_logs(agent, 0)] == []


async def report_cpu(rows: AgentRows, actor: AgentActor, value: str) -> None:
    async with rows.database.write() as connection:
        await metadata_store.update_metadata(
            connection, actor.agent_id, [MetadataValue("cpu", value, "")], rows.clock()
        )
    rows.pubsub.publish(of_agent_metadata(actor.agent_id))


async def test_a_watcher_of_metadata_gets_all_at_once_and_again_after_a_change(rows: AgentRows) -> None:
    items = tuple(AgentMetadataSpec(key, key, "x", 1, 1, order) for order, key in enumerate(("ram", "cpu")))
    actor = await rows.add_running_agent(replace(make_agent_spec(), metadata=items))
    agents = make_agents(rows)
    agent = await agents.get_agent(rows.user, actor.agent_id)
    async with asyncio.timeout(CEILING_S), aclosing(agents.watch_metadata(agent)) as snapshots:
        assert [(item.key, item.value) for item in await anext(snapshots)] == [("ram", ""), ("cpu", "")]
        await report_cpu(rows, actor, "5%")
        assert [(item.key, item.value) for item in await anext(snapshots)] == [("ram", ""), ("cpu", "5%")]


async def test_changes_within_the_pause_are_one_snapshot(rows: AgentRows) -> None:
    items = (AgentMetadataSpec("cpu", "CPU", "x", 1, 1),)
    actor = await rows.add_running_agent(replace(make_agent_spec(), metadata=items))
    agents = make_agents(rows, pause_s=0.3)
    agent = await agents.get_agent(rows.user, actor.agent_id)
    received: asyncio.Queue[str] = asyncio.Queue()

    async def watch() -> None:
        async for snapshot in agents.watch_metadata(agent):
            received.put_nowait(snapshot[0].value)

    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as group:
        watcher = group.create_task(watch())
        assert await received.get() == ""
        for value in ("1%", "2%", "3%"):
            await report_cpu(rows, actor, value)
        assert received.empty()
        assert await received.get() == "3%"
        watcher.cancel()


async def test_unchanged_metadata_comes_again_after_the_refresh_time(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    agents = make_agents(rows, refresh_s=0.01)
    agent = await agents.get_agent(rows.user, actor.agent_id)
    async with asyncio.timeout(CEILING_S), aclosing(agents.watch_metadata(agent)) as snapshots:
        assert [await anext(snapshots) for _ in range(3)] == [[], [], []]
