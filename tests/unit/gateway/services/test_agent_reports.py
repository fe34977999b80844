from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from genba_gateway.domain.agent_reports import MetadataValue
from genba_gateway.domain.channels import of_agent_metadata, of_workspace
from genba_gateway.domain.provisioning import AgentMetadataSpec, AppHealthcheck, AppSpec
from genba_gateway.errors import BadRequest, NotFound
from genba_gateway.services.agent_reports import AgentReports
from genba_gateway.services.git_ssh_keys import GitSSHKeys
from genba_gateway.store import agent_metadata as metadata_store
from genba_gateway.store import tables
from tests.support.agent_rows import BEGINNING, AgentRows, make_agent_spec, open_agent_rows

ZERO_TIME = datetime(1, 1, 1, tzinfo=UTC)


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncGenerator[AgentRows]:
    async with open_agent_rows(tmp_path) as opened:
        yield opened


def make_reports(rows: AgentRows) -> AgentReports:
    keys = GitSSHKeys(rows.database, rows.sealer, rows.clock)
    return AgentReports(
        rows.database, rows.sealer, rows.pubsub, keys, access_url="http://127.0.0.1:3000", now=rows.clock
    )


async def test_a_startup_report_is_stored(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    with rows.pubsub.subscribe(of_workspace(actor.workspace_id)) as watcher:
        await make_reports(rows).report_startup(
            actor, version="v2.20.0", expanded_directory="/home/ana", subsystems=["exectrace", "envbox"]
        )
        assert await watcher.changed(timeout_s=0)

    agent = await rows.get_agent(actor.agent_id)
    assert (agent.version, agent.expanded_directory, agent.api_version) == ("v2.20.0", "/home/ana", "1.0")
    assert agent.subsystems == ("envbox", "exectrace")


@pytest.mark.parametrize(
    ("version", "subsystems", "field"),
    [("2.20.0", [], "version"), ("v1", ["docker"], "subsystems"), ("v1", ["envbox", "envbox"], "subsystems")],
)
async def test_a_wrong_startup_report_names_the_field(
    rows: AgentRows, version: str, subsystems: list[str], field: str
) -> None:
    actor = await rows.add_running_agent()
    with pytest.raises(BadRequest) as refused:
        await make_reports(rows).report_startup(actor, version=version, expanded_directory="", subsystems=subsystems)

    assert [problem.field for problem in refused.value.validations] == [field]
    assert (await rows.get_agent(actor.agent_id)).version == ""


async def test_a_directory_is_a_path(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    with pytest.raises(BadRequest) as refused:
        await make_reports(rows).report_startup(actor, version="v1", expanded_directory="/" * 4097, subsystems=[])
    assert [problem.field for problem in refused.value.validations] == ["expanded_directory"]


async def test_a_lifecycle_report_sets_state_and_times(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    reports = make_reports(rows)
    second = timedelta(seconds=1)
    await reports.report_lifecycle(actor, "starting", BEGINNING + second)
    await reports.report_lifecycle(actor, "ready", BEGINNING + 2 * second)
    agent = await rows.get_agent(actor.agent_id)
    assert (agent.lifecycle_state, agent.started_at, agent.ready_at) == (
        "ready",
        BEGINNING + second,
        BEGINNING + 2 * second,
    )

    await reports.report_lifecycle(actor, "starting", BEGINNING + 3 * second)
    agent = await rows.get_agent(actor.agent_id)
    assert (agent.lifecycle_state, agent.started_at, agent.ready_at) == ("starting", BEGINNING + 3 * second, None)


async def test_a_lifecycle_report_without_time_is_of_now(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    rows.clock.move(5)
    await make_reports(rows).report_lifecycle(actor, "starting", ZERO_TIME)

    assert (await rows.get_agent(actor.agent_id)).started_at == rows.clock()


async def test_a_time_without_zone_is_utc(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    await make_reports(rows).report_lifecycle(actor, "starting", BEGINNING.replace(tzinfo=None))

    assert (await rows.get_agent(actor.agent_id)).started_at == BEGINNING


async def test_an_unknown_lifecycle_state_is_refused(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    with pytest.raises(BadRequest) as refused:
        await make_reports(rows).report_lifecycle(actor, "sleeping", BEGINNING)

    assert refused.value.validations[0].field == "state"


@pytest.mark.parametrize("is_used", [False, True])
async def test_stats_are_stored_and_a_session_is_use(rows: AgentRows, is_used: bool) -> None:
    actor = await rows.add_running_agent()
    rows.clock.move(60)
    await make_reports(rows).report_stats(actor, {"rx_bytes": 5}, is_used=is_used, is_connected=False)

    async with rows.database.read() as connection:
        [stats] = (await connection.execute(sa.select(tables.workspace_agent_stats))).mappings().all()
        used_at = (await connection.execute(sa.select(tables.workspaces.c.last_used_at))).scalar_one()
    assert (stats["agent_id"], stats["workspace_id"], stats["template_id"], stats["user_id"]) == (
        actor.agent_id,
        actor.workspace_id,
        rows.template_id,
        rows.user.user_id,
    )
    assert (stats["stats"], stats["created_at"]) == ({"rx_bytes": 5}, rows.clock())
    assert used_at == (rows.clock() if is_used else BEGINNING)


async def test_metadata_gets_the_gateways_time_and_unknown_keys_are_passed_over(rows: AgentRows) -> None:
    items = tuple(AgentMetadataSpec(key, key, "x", 1, 1) for key in ("cpu", "ram"))
    actor = await rows.add_running_agent(replace(make_agent_spec(), metadata=items))
    rows.clock.move(3)
    values = [MetadataValue("cpu", "5%" + "x" * 2048, ""), MetadataValue("gpu", "1", "")]
    with rows.pubsub.subscribe(of_agent_metadata(actor.agent_id)) as watcher:
        assert await make_reports(rows).report_metadata(actor, values) == 1
        assert await watcher.changed(timeout_s=0)

    async with rows.database.read() as connection:
        cpu, ram = await metadata_store.list_metadata(connection, actor.agent_id)
    assert (len(cpu.value), cpu.collected_at) == (2048, rows.clock())
    assert "2050 bytes" in cpu.error
    assert ram.collected_at is None


async def test_one_unknown_key_is_not_found(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    with pytest.raises(NotFound):
        await make_reports(rows).report_metadata_key(actor, MetadataValue("gpu", "", ""))


async def test_app_health_is_stored_and_told_when_it_changes(rows: AgentRows) -> None:
    app = AppSpec("code", "Code", healthcheck=AppHealthcheck("http://localhost", 1, 1))
    actor = await rows.add_running_agent(replace(make_agent_spec(), apps=(app,)))
    app_id = (await rows.get_agent(actor.agent_id)).apps[0].id
    reports = make_reports(rows)
    with rows.pubsub.subscribe(of_workspace(actor.workspace_id)) as watcher:
        await reports.report_app_health(actor, {app_id: "healthy"})
        assert await watcher.changed(timeout_s=0)
        await reports.report_app_health(actor, {app_id: "healthy"})
        assert not await watcher.changed(timeout_s=0)

    assert (await rows.get_agent(actor.agent_id)).apps[0].health == "healthy"


async def test_app_health_is_all_or_nothing(rows: AgentRows) -> None:
    checked = AppSpec("code", "Code", healthcheck=AppHealthcheck("http://localhost", 1, 1))
    actor = await rows.add_running_agent(replace(make_agent_spec(), apps=(checked, AppSpec("docs", "Docs"))))
    code, docs = (await rows.get_agent(actor.agent_id)).apps
    other = await rows.add_running_agent(replace(make_agent_spec(), apps=(checked,)))
    others_app = (await rows.get_agent(other.agent_id)).apps[0]
    reports = make_reports(rows)
    for wrong in (docs.id, others_app.id, "no-id"):
        with pytest.raises(NotFound):
            await reports.report_app_health(actor, {code.id: "healthy", wrong: "healthy"})
    for healths in ({}, {code.id: "disabled"}, {code.id: "fine"}):
        with pytest.raises(BadRequest):
            await reports.report_app_health(actor, healths)

    assert (await rows.get_agent(actor.agent_id)).apps[0].health == "initializing"


async def test_the_git_key_is_the_owners(rows: AgentRows) -> None:
    first, second = await rows.add_running_agent(), await rows.add_running_agent()
    reports = make_reports(rows)

    public_key, private_key = await reports.get_git_ssh_key(first)

    assert public_key.startswith("ssh-ed25519 ")
    assert private_key.startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
    assert await reports.get_git_ssh_key(second) == (public_key, private_key)


async def test_connections_put_off_the_deadline_of_a_running_workspace(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    builds, jobs = tables.workspace_builds, tables.provisioner_jobs
    now = rows.clock()
    async with rows.database.write() as connection:
        await connection.execute(tables.templates.update().values(activity_bump_ms=3_600_000))
        await connection.execute(builds.update().values(deadline=now + timedelta(minutes=10)))
        await connection.execute(jobs.update().values(started_at=now, completed_at=now))

    async def report(*, is_connected: bool) -> datetime | None:
        await make_reports(rows).report_stats(actor, {}, is_used=False, is_connected=is_connected)
        async with rows.database.read() as connection:
            deadline: datetime | None = (await connection.execute(sa.select(builds.c.deadline))).scalar_one()
        return deadline

    assert await report(is_connected=False) == now + timedelta(minutes=10)
    with rows.pubsub.subscribe(of_workspace(actor.workspace_id)) as watcher:
        assert await report(is_connected=True) == now + timedelta(hours=1)
        assert await watcher.changed(timeout_s=0)
        rows.clock.move(60)
        assert await report(is_connected=True) == now + timedelta(hours=1)
        assert not await watcher.changed(timeout_s=0)


async def test_a_lifecycle_report_of_a_time_that_utc_has_not_is_refused(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    strange = datetime.fromisoformat("9999-12-31T23:59:59-14:00")
    with pytest.raises(BadRequest) as refused:
        await make_reports(rows).report_lifecycle(actor, "ready", strange)
    assert [problem.field for problem in refused.value.validations] == ["changed_at"]
