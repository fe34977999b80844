from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from genba_gateway.domain.provisioning import AgentMetadataSpec, AgentSpec, AppHealthcheck, AppSpec, ScriptSpec
from genba_gateway.store import agents as agent_store
from genba_gateway.store import tables
from tests.support.agent_rows import AgentRows, make_agent_spec, open_agent_rows

START = ScriptSpec("Startup Script", "echo hi", icon="/i.png", run_on_start=True, timeout_s=5)
STOP = ScriptSpec("Bye", "echo bye", run_on_stop=True)
CODE = AppSpec("code", "code-server", url="http://localhost:1", healthcheck=AppHealthcheck("http://localhost:1", 5, 6))
DOCS = AppSpec("docs", "Docs", url="https://docs.example", external=True, order=-1)
CPU = AgentMetadataSpec("cpu", "CPU", "cpu.sh", interval_s=10, timeout_s=1, order=2)
RAM = AgentMetadataSpec("ram", "RAM", "ram.sh", interval_s=10, timeout_s=1, order=1)


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncGenerator[AgentRows]:
    async with open_agent_rows(tmp_path) as opened:
        yield opened


async def upsert(rows: AgentRows, resource_id: str, *agents: AgentSpec) -> list[str]:
    async with rows.database.write() as connection:
        return await agent_store.upsert_agents(
            connection, rows.sealer, resource_id=resource_id, agents=agents, now=rows.clock()
        )


async def metadata_keys(rows: AgentRows, agent_id: str) -> list[str]:
    table = tables.workspace_agent_metadata
    async with rows.database.read() as connection:
        query = sa.select(table.c.key).where(table.c.agent_id == agent_id).order_by(table.c.position)
        return list((await connection.execute(query)).scalars())


async def test_an_agent_known_to_its_job_keeps_its_id_and_state_and_moves(rows: AgentRows) -> None:
    spec = replace(make_agent_spec(), scripts=(START,))
    actor = await rows.add_running_agent(spec)
    before = await rows.get_agent(actor.agent_id)
    async with rows.database.write() as connection:
        reported = {"logs_length": 7, "last_connected_at": rows.clock(), "lifecycle_state": "ready"}
        await agent_store.update_agent(connection, actor.agent_id, reported)
        query = sa.select(tables.workspace_resources.c.job_id).where(
            tables.workspace_resources.c.id == before.resource_id
        )
        job_id = (await connection.execute(query)).scalar_one()
    resource_id = await rows.add_resource(job_id)

    other = make_agent_spec("other")
    ids = await upsert(rows, resource_id, other, replace(spec, directory="/later", environment={"A": "1"}))

    after = await rows.get_agent(actor.agent_id)
    assert ids[1] == actor.agent_id
    assert (after.resource_id, after.position, after.directory) == (resource_id, 1, "/later")
    assert after.environment == {"A": "1"}
    assert (after.logs_length, after.last_connected_at, after.lifecycle_state) == (7, rows.clock(), "ready")
    assert after.scripts == before.scripts
    assert (await rows.get_agent(ids[0])).name == "other"


async def test_parts_that_are_the_same_keep_their_ids_and_others_come_and_go(rows: AgentRows) -> None:
    spec = replace(make_agent_spec(), scripts=(START, STOP), apps=(CODE, DOCS), metadata=(CPU,))
    resource_id = await rows.add_resource(await rows.add_build(await rows.add_workspace()))
    [agent_id] = await upsert(rows, resource_id, spec)
    before = await rows.get_agent(agent_id)
    code = before.apps[1]
    async with rows.database.write() as connection:
        await agent_store.update_app_health(connection, code.id, "healthy")

    changed = replace(STOP, script="echo other")
    await upsert(
        rows,
        resource_id,
        replace(spec, scripts=(changed, START), apps=(replace(CODE, display_name="Code"),), metadata=(RAM, CPU)),
    )

    after = await rows.get_agent(agent_id)
    assert [script.script for script in after.scripts] == ["echo other", "echo hi"]
    assert after.scripts[1] == before.scripts[0]
    assert after.scripts[0].id != before.scripts[1].id
    assert [(app.id, app.display_name, app.health) for app in after.apps] == [(code.id, "Code", "healthy")]
    assert await metadata_keys(rows, agent_id) == ["ram", "cpu"]
    assert {source.id for source in before.log_sources} <= {source.id for source in after.log_sources}


async def test_two_equal_scripts_stay_two(rows: AgentRows) -> None:
    spec = replace(make_agent_spec(), scripts=(START, START))
    resource_id = await rows.add_resource(await rows.add_build(await rows.add_workspace()))
    [agent_id] = await upsert(rows, resource_id, spec)
    before = await rows.get_agent(agent_id)
    await upsert(rows, resource_id, spec)

    after = await rows.get_agent(agent_id)

    assert len({script.log_source_id for script in before.scripts}) == 2
    assert after.scripts == before.scripts


async def test_the_same_token_in_another_build_is_another_agent(rows: AgentRows) -> None:
    spec = make_agent_spec()
    actor = await rows.add_running_agent(spec)
    resource_id = await rows.add_resource(await rows.add_build(actor.workspace_id, number=2))

    [agent_id] = await upsert(rows, resource_id, spec)

    assert agent_id != actor.agent_id


async def test_agents_without_tokens_are_never_taken_for_one_another(rows: AgentRows) -> None:
    resource_id = await rows.add_resource(await rows.add_job())

    ids = await upsert(rows, resource_id, make_agent_spec("a", token=""), make_agent_spec("b", token=""))

    assert len(set(ids)) == 2
    async with rows.database.read() as connection:
        assert await agent_store.find_agent(connection, rows.sealer, str(uuid.uuid4())) is None
