"""Schedules of workspaces. The workshop's clock begins at midnight of a Friday, UTC."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from genba_gateway.domain.provisioning import BuildResult, ImportResult, TemplateParameter
from genba_gateway.errors import BadRequest, NotFound
from genba_gateway.store import tables
from genba_gateway.store import users as user_store
from genba_gateway.store import workspaces as workspace_store
from tests.support.agent_rows import BEGINNING
from tests.support.workshop import Workshop

MORNING = "0 9 * * *"
NINE = BEGINNING.replace(hour=9, minute=0, second=0, microsecond=0)
DAY = timedelta(days=1)


async def add_stopped(workshop: Workshop, name: str = "dev", **template: bool) -> dict[str, Any]:
    workspace = await workshop.add_workspace(await workshop.add_template(f"{name}-template", **template), name)
    await workshop.add_build(workspace, "stop")
    return workspace


async def set_schedule(workshop: Workshop, workspace: dict[str, Any], schedule: str | None = MORNING) -> None:
    await workshop.services.autostarts.set_schedule(workshop.member.actor, workspace["id"], schedule)


async def read(workshop: Workshop, workspace: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await workshop.get(workshop.member, f"/workspaces/{workspace['id']}")).body
    return found


async def test_a_stopped_workspace_starts_when_its_time_has_come_and_not_before(workshop: Workshop) -> None:
    workspace = await add_stopped(workshop)
    await set_schedule(workshop, workspace)
    autostarts = workshop.services.autostarts
    workshop.clock.time = NINE - timedelta(seconds=1)
    assert await autostarts.list_due() == []
    workshop.clock.time = NINE
    assert await autostarts.list_due() == [workspace["id"]]
    assert await autostarts.start_due(workspace["id"])
    assert await autostarts.list_due() == []
    await workshop.run_next()
    found = await read(workshop, workspace)
    build = found["latest_build"]
    assert (build["transition"], build["reason"], build["status"]) == ("start", "autostart", "running")
    assert (build["initiator_name"], found["next_start_at"]) == ("mia", (NINE + DAY).strftime("%Y-%m-%dT%H:%M:%SZ"))


async def test_a_schedule_that_is_set_later_in_the_day_begins_the_next_day(workshop: Workshop) -> None:
    workspace = await add_stopped(workshop)
    workshop.clock.time = NINE + timedelta(hours=5)
    await set_schedule(workshop, workspace)
    assert await workshop.services.autostarts.list_due() == []


async def test_a_gateway_that_was_away_starts_late(workshop: Workshop) -> None:
    workspace = await add_stopped(workshop)
    await set_schedule(workshop, workspace)
    workshop.clock.time = NINE + 3 * DAY + timedelta(hours=2)
    assert await workshop.services.autostarts.start_due(workspace["id"])
    assert await workshop.services.autostarts.list_due() == []


async def test_a_workspace_that_runs_or_was_stopped_after_its_time_waits_for_the_next(workshop: Workshop) -> None:
    running = await workshop.add_workspace(await workshop.add_template("running"), "running")
    stopped = await add_stopped(workshop, "stopped")
    for workspace in (running, stopped):
        await set_schedule(workshop, workspace)
    await workshop.add_build(stopped, "start")
    workshop.clock.time = NINE
    await workshop.add_build(stopped, "stop")
    for workspace in (running, stopped):
        assert not await workshop.services.autostarts.start_due(workspace["id"])
    assert await workshop.services.autostarts.list_due() == []


async def test_a_stop_that_is_under_way_at_the_time_is_waited_for(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template(), "dev")
    await set_schedule(workshop, workspace)
    workshop.clock.time = NINE - timedelta(minutes=1)
    await workshop.add_build(workspace, "stop", run=False)
    workshop.clock.time = NINE
    assert not await workshop.services.autostarts.start_due(workspace["id"])
    assert await workshop.services.autostarts.list_due() == [workspace["id"]]
    await workshop.run_next()
    assert await workshop.services.autostarts.start_due(workspace["id"])


async def test_a_failed_stop_is_not_followed_by_a_start(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template(), "dev")
    workshop.provisioner.answers.append(BuildResult(state=b"kept", error="The cloud is away."))
    await workshop.add_build(workspace, "stop")
    await set_schedule(workshop, workspace)
    workshop.clock.time = NINE
    assert not await workshop.services.autostarts.start_due(workspace["id"])


async def test_whom_no_schedule_starts(workshop: Workshop) -> None:
    forbidden, dormant = await add_stopped(workshop, "forbidden"), await add_stopped(workshop, "dormant")
    for workspace in (forbidden, dormant):
        await set_schedule(workshop, workspace)
    path = f"/templates/{forbidden['template_id']}"
    assert (await workshop.call(workshop.owner, "PATCH", path, {"allow_user_autostart": False})).status == 200
    async with workshop.database.write() as connection:
        await workspace_store.update_workspace(connection, dormant["id"], {"dormant_at": workshop.clock()})
    workshop.clock.time = NINE
    autostarts = workshop.services.autostarts
    assert [await autostarts.start_due(each["id"]) for each in (forbidden, dormant)] == [False, False]


async def test_a_suspended_owners_workspaces_stay_stopped(workshop: Workshop) -> None:
    workspace = await add_stopped(workshop)
    await set_schedule(workshop, workspace)
    async with workshop.database.write() as connection:
        await user_store.update_user(connection, workshop.member.actor.user_id, {"status": "suspended"})
    workshop.clock.time = NINE
    assert not await workshop.services.autostarts.start_due(workspace["id"])


async def test_a_start_that_fails_at_once_is_not_tried_each_minute(workshop: Workshop) -> None:
    workspace = await add_stopped(workshop)
    await set_schedule(workshop, workspace)
    async with workshop.database.write() as connection:
        await connection.execute(tables.provisioner_jobs.update().values(error=""))
        await connection.execute(tables.template_versions.update().values(archived=True))
    workshop.clock.time = NINE
    with pytest.raises(BadRequest, match="archived"):
        await workshop.services.autostarts.start_due(workspace["id"])
    assert await workshop.services.autostarts.list_due() == []


@pytest.mark.parametrize("requires", [False, True])
async def test_the_version_is_the_former_one_unless_the_template_requires_its_active_one(
    workshop: Workshop, requires: bool
) -> None:
    workspace = await add_stopped(workshop, require_active_version=requires)
    version = await workshop.add_version(template_id=workspace["template_id"])
    path = f"/templates/{workspace['template_id']}/versions"
    assert (await workshop.call(workshop.owner, "PATCH", path, {"id": version["id"]})).status == 200
    await set_schedule(workshop, workspace)
    workshop.clock.time = NINE
    assert await workshop.services.autostarts.start_due(workspace["id"])
    found = (await read(workshop, workspace))["latest_build"]["template_version_id"]
    assert (found == version["id"]) is requires


async def test_automatic_updates_take_the_active_version_and_say_what_it_lacks(workshop: Workshop) -> None:
    workspace = await add_stopped(workshop)
    autostarts, mia = workshop.services.autostarts, workshop.member.actor
    settings = workshop.services.workspace_settings
    parameter = TemplateParameter(name="region", type="string", required=True)
    workshop.provisioner.imported = ImportResult((parameter,), (), (), ())
    version = await workshop.add_version(template_id=workspace["template_id"])
    path = f"/templates/{workspace['template_id']}/versions"
    assert (await workshop.call(workshop.owner, "PATCH", path, {"id": version["id"]})).status == 200
    assert not await autostarts.lacks_parameters(mia, workspace["id"])
    await settings.set_automatic_updates(mia, workspace["id"], "always")
    assert await autostarts.lacks_parameters(mia, workspace["id"])
    with pytest.raises(NotFound):
        await autostarts.lacks_parameters(workshop.stranger.actor, workspace["id"])
    await set_schedule(workshop, workspace)
    workshop.clock.time = NINE
    with pytest.raises(BadRequest, match="region"):
        await autostarts.start_due(workspace["id"])


async def test_a_schedule_is_refused_where_the_template_does_not_allow_it_and_taken_back_anywhere(
    workshop: Workshop,
) -> None:
    workspace = await add_stopped(workshop, allow_user_autostart=False)
    with pytest.raises(BadRequest, match="does not allow"):
        await set_schedule(workshop, workspace)
    await set_schedule(workshop, workspace, None)
    with pytest.raises(NotFound):
        await workshop.services.autostarts.set_schedule(workshop.stranger.actor, workspace["id"], MORNING)
