from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from genba_gateway.domain.agents import Agent
from genba_gateway.domain.provisioning import AgentMetadataSpec, AgentSpec, AppHealthcheck, AppSpec, ScriptSpec
from genba_gateway.store import agents as agent_store
from genba_gateway.store import tables
from tests.support.agent_rows import AgentRows, make_agent_spec, open_agent_rows

START = ScriptSpec("Startup Script", "echo hi", icon="/i.png", run_on_start=True, timeout_s=5)
STOP = ScriptSpec("Bye", "echo bye", run_on_stop=True)
CODE = AppSpec("code", "code-server", url="http://localhost:1", healthcheck=AppHealthcheck("http://localhost:1", 5, 6))
DOCS = AppSpec("docs", "Docs", url="https://docs.example", external=True, order=-1)
CPU = AgentMetadataSpec("cpu", "CPU", "cpu.sh", interval_s=10, timeout_s=1, order=2)
LATER = datetime(2026, 1, 2, tzinfo=UTC)
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


async def test_an_agent_is_read_as_it_was_specified(rows: AgentRows) -> None:
    spec = replace(
        make_agent_spec("main"),
        environment={"SECRET": "s3cret"},
        directory="~/src",
        scripts=(START, STOP),
        apps=(CODE, DOCS),
        metadata=(CPU, RAM),
        host_boot_id="boot",
    )
    actor = await rows.add_running_agent(spec)

    agent = await rows.get_agent(actor.agent_id)

    assert (agent.name, agent.directory, agent.host_boot_id) == ("main", "~/src", "boot")
    assert agent.environment == {"SECRET": "s3cret"}
    assert (agent.workspace_id, agent.owner_id, agent.is_current) == (actor.workspace_id, rows.user.user_id, True)
    assert agent.build_id == actor.build_id
    assert [(script.display_name, script.timeout_s) for script in agent.scripts] == [("Startup Script", 5), ("Bye", 0)]
    icons = {source.id: (source.display_name, source.icon) for source in agent.log_sources}
    assert icons == {
        agent.scripts[0].log_source_id: ("Startup Script", "/i.png"),
        agent.scripts[1].log_source_id: ("Bye", ""),
    }
    assert [(app.slug, app.health) for app in agent.apps] == [("docs", "disabled"), ("code", "initializing")]
    assert agent.apps[1].healthcheck == CODE.healthcheck
    assert await metadata_keys(rows, agent.id) == ["ram", "cpu"]


async def test_an_app_with_a_host_of_its_own_is_told_its_name(rows: AgentRows) -> None:
    long = AppSpec("x" * 60, "Long", url="http://localhost:1", subdomain=True)
    apps = (replace(CODE, subdomain=True), DOCS, long)
    workspace_id = await rows.add_workspace("Dev")
    resource_id = await rows.add_resource(await rows.add_build(workspace_id))
    (agent_id,) = await rows.add_agents(resource_id, [replace(make_agent_spec("Main"), apps=apps)])
    agent = await rows.get_agent(agent_id)
    assert {app.slug: app.subdomain_name for app in agent.apps} == {
        "code": "code--main--dev--ana",
        "docs": "",
        "x" * 60: "",
    }


async def test_neither_token_nor_environment_is_in_the_database_as_text(rows: AgentRows) -> None:
    spec = replace(make_agent_spec(), environment={"PASSWORD": "open-sesame"})
    await rows.add_running_agent(spec)

    async with rows.database.write() as connection:
        await connection.execute(sa.text("SELECT 1"))
    stored = b"".join(path.read_bytes() for path in rows.database.path.parent.glob("genba.db*"))
    assert spec.token.encode() not in stored
    assert b"open-sesame" not in stored


async def test_a_token_stands_for_the_agent_while_its_build_is_the_latest(rows: AgentRows) -> None:
    spec = make_agent_spec()
    actor = await rows.add_running_agent(spec)
    assert (actor.agent_name, actor.owner_id, actor.owner_name) == ("main", rows.user.user_id, "ana")

    await rows.add_build(actor.workspace_id, number=2)

    assert await rows.find_actor(spec) is None
    assert not (await rows.get_agent(actor.agent_id)).is_current


@pytest.mark.parametrize(
    ("ended", "is_heard"),
    [
        ({"completed_at": None}, True),
        ({"completed_at": LATER}, False),
        ({"completed_at": LATER, "error": "broken"}, True),
    ],
    ids=["running", "succeeded", "failed"],
)
@pytest.mark.parametrize("transition", ["start", "stop", "delete"])
async def test_a_newer_build_takes_the_agents_place_once_it_succeeded(
    rows: AgentRows, transition: str, ended: dict[str, object], is_heard: bool
) -> None:
    spec = make_agent_spec()
    actor = await rows.add_running_agent(spec)
    job_id = await rows.add_build(actor.workspace_id, number=2, transition=transition)
    async with rows.database.write() as connection:
        jobs = tables.provisioner_jobs
        await connection.execute(jobs.update().where(jobs.c.id == job_id).values(updated_at=LATER, **ended))

    assert (await rows.find_actor(spec) is not None) is is_heard


async def test_a_token_kept_by_the_next_build_stands_for_the_next_builds_agent(rows: AgentRows) -> None:
    spec = make_agent_spec()
    first = await rows.add_running_agent(spec)
    resource_id = await rows.add_resource(await rows.add_build(first.workspace_id, number=2))
    [second_id] = await rows.add_agents(resource_id, [spec])

    found = await rows.find_actor(spec)

    assert found is not None
    assert found.agent_id == second_id


async def test_a_token_of_a_deleted_workspace_stands_for_nobody(rows: AgentRows) -> None:
    spec = make_agent_spec()
    actor = await rows.add_running_agent(spec)
    async with rows.database.write() as connection:
        await connection.execute(
            tables.workspaces.update().where(tables.workspaces.c.id == actor.workspace_id).values(deleted=True)
        )

    assert await rows.find_actor(spec) is None


async def test_an_agent_of_a_template_version_belongs_to_no_workspace(rows: AgentRows) -> None:
    [agent_id] = await rows.add_agents(await rows.add_resource(await rows.add_job()), [make_agent_spec(token="")])

    agent = await rows.get_agent(agent_id)

    assert (agent.workspace_id, agent.owner_id, agent.build_id, agent.is_current) == ("", "", "", False)


async def test_agents_of_many_resources_come_in_order_with_their_own_parts(rows: AgentRows) -> None:
    job_id = await rows.add_build(await rows.add_workspace())
    resources = [await rows.add_resource(job_id) for _ in range(3)]
    for index, resource_id in enumerate(resources):
        scripts = (replace(START, display_name=f"s{index}"),)
        specs = [replace(make_agent_spec(name), scripts=scripts) for name in ("z", "a")]
        await rows.add_agents(resource_id, specs)

    async with rows.database.read() as connection:
        found = await agent_store.list_agents_of_resources(connection, rows.sealer, resources)

    by_resource: dict[str, list[Agent]] = {}
    for agent in found:
        by_resource.setdefault(agent.resource_id, []).append(agent)
    for index, resource_id in enumerate(resources):
        assert [agent.name for agent in by_resource[resource_id]] == ["z", "a"]
        assert all(agent.scripts[0].display_name == f"s{index}" for agent in by_resource[resource_id])


async def test_reading_agents_takes_the_same_few_queries_however_many_they_are(rows: AgentRows) -> None:
    counts: list[int] = []
    for size in (1, 30):
        resource_id = await rows.add_resource(await rows.add_build(await rows.add_workspace(f"n{size}")))
        await rows.add_agents(resource_id, [make_agent_spec(f"a{index}") for index in range(size)])
        async with rows.database.read() as connection:
            statements: list[str] = []

            def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
                statements.append(statement)  # noqa: B023  # removed before the next round

            sync_connection = connection.sync_connection
            assert sync_connection is not None
            event.listen(sync_connection, "before_cursor_execute", note)
            found = await agent_store.list_agents_of_resources(connection, rows.sealer, [resource_id])
            event.remove(sync_connection, "before_cursor_execute", note)
        assert len(found) == size
        counts.append(len(statements))

    assert counts == [4, 4]


async def test_without_resources_nothing_is_asked(rows: AgentRows) -> None:
    async with rows.database.read() as connection:
        assert await agent_store.list_agents_of_resources(connection, rows.sealer, []) == []
