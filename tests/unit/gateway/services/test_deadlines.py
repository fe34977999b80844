from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from genba_gateway.domain.provisioning import BuildResult
from genba_gateway.errors import BadRequest, Conflict, NotFound
from genba_gateway.store import tables
from genba_gateway.store import workspaces as workspace_store
from tests.support.workshop import Workshop

HOUR_MS = 3_600_000
HOUR = timedelta(hours=1)


async def add_limited(workshop: Workshop, name: str = "dev") -> dict[str, Any]:
    template = await workshop.add_template(f"{name}-template", default_ttl_ms=HOUR_MS)
    return await workshop.add_workspace(template, name)


async def find_deadline(workshop: Workshop, workspace: dict[str, Any]) -> datetime | None:
    async with workshop.database.read() as connection:
        found = await workspace_store.find_workspace(connection, workspace["id"])
    assert found is not None
    return found.latest_build.deadline


async def test_a_running_workspace_is_overdue_from_its_deadline_on(workshop: Workshop) -> None:
    workspace = await add_limited(workshop)
    deadlines = workshop.services.deadlines
    workshop.clock.move(3599)
    assert await deadlines.list_overdue() == []
    assert not await deadlines.stop_overdue(workspace["id"])
    workshop.clock.move(1)
    assert await deadlines.list_overdue() == [workspace["id"]]
    assert await deadlines.stop_overdue(workspace["id"])
    assert await deadlines.list_overdue() == []
    assert not await deadlines.stop_overdue(workspace["id"])
    await workshop.run_next()
    build = (await workshop.get(workshop.member, f"/workspaces/{workspace['id']}")).body["latest_build"]
    assert (build["transition"], build["reason"], build["status"]) == ("stop", "autostop", "stopped")
    assert build["initiator_name"] == "mia"


async def test_whoever_extends_at_the_last_moment_keeps_the_workspace(workshop: Workshop) -> None:
    workspace = await add_limited(workshop)
    workshop.clock.move(3600)
    deadlines = workshop.services.deadlines
    assert await deadlines.list_overdue() == [workspace["id"]]
    await deadlines.extend(workshop.member.actor, workspace["id"], workshop.clock() + HOUR)
    assert not await deadlines.stop_overdue(workspace["id"])


async def test_an_extension_needs_a_running_workspace_with_a_deadline(workshop: Workshop) -> None:
    free = await workshop.add_workspace(await workshop.add_template())
    limited = await add_limited(workshop, "limited")
    deadlines, mia = workshop.services.deadlines, workshop.member.actor
    later = workshop.clock() + HOUR
    with pytest.raises(Conflict, match="no deadline"):
        await deadlines.extend(mia, free["id"], later)
    with pytest.raises(BadRequest, match="30 minutes"):
        await deadlines.extend(mia, limited["id"], workshop.clock())
    with pytest.raises(NotFound):
        await deadlines.extend(workshop.stranger.actor, limited["id"], later)
    await workshop.add_build(limited, "stop")
    with pytest.raises(Conflict, match="stopped"):
        await deadlines.extend(mia, limited["id"], later)


async def test_a_ttl_is_set_within_limits_and_where_the_template_lets_users_choose(workshop: Workshop) -> None:
    workspace = await add_limited(workshop)
    deadlines, mia = workshop.services.deadlines, workshop.member.actor
    with pytest.raises(BadRequest) as refused:
        await deadlines.set_ttl(mia, workspace["id"], 59_999)
    assert [problem.field for problem in refused.value.validations] == ["ttl_ms"]
    with pytest.raises(NotFound):
        await deadlines.set_ttl(workshop.stranger.actor, workspace["id"], 60_000)
    await deadlines.set_ttl(mia, workspace["id"], 60_000)
    assert await find_deadline(workshop, workspace) is not None
    await deadlines.set_ttl(mia, workspace["id"], None)
    assert await find_deadline(workshop, workspace) is None
    template = await workshop.add_template("fixed", allow_user_autostop=False)
    fixed = await workshop.add_workspace(template, "fixed")
    with pytest.raises(BadRequest, match="does not allow"):
        await deadlines.set_ttl(mia, fixed["id"], 60_000)


async def test_a_failed_stop_is_tried_again_after_longer_and_longer_waits(workshop: Workshop) -> None:
    workspace = await add_limited(workshop)
    deadlines = workshop.services.deadlines
    workshop.clock.move(3600)
    assert await deadlines.list_overdue() == [workspace["id"]]
    for wait_min in (0, 5, 10, 20, 40, 60, 60):
        if wait_min:
            workshop.clock.move(wait_min * 60 - 1)
            assert await deadlines.list_overdue() == []
            assert not await deadlines.stop_overdue(workspace["id"])
            workshop.clock.move(1)
        assert await deadlines.list_overdue() == [workspace["id"]]
        workshop.provisioner.answers.append(BuildResult(state=b"kept", error="The API of the cloud is away."))
        assert await deadlines.stop_overdue(workspace["id"])
        assert await deadlines.list_overdue() == []
        await workshop.run_next()
    path = f"/workspaces/{workspace['id']}"
    build = (await workshop.get(workshop.member, path)).body["latest_build"]
    assert (build["reason"], build["status"]) == ("autostop", "failed")
    assert "is tried again within an hour" in build["status_reason"]
    workshop.clock.move(3600)
    assert await deadlines.stop_overdue(workspace["id"])
    await workshop.run_next()
    assert (await workshop.get(workshop.member, path)).body["latest_build"]["status"] == "stopped"
    workshop.clock.move(100_000)
    assert await deadlines.list_overdue() == []


async def test_what_a_user_does_ends_the_tries_and_counts_anew(workshop: Workshop) -> None:
    workspace = await add_limited(workshop)
    deadlines = workshop.services.deadlines
    workshop.clock.move(3600)
    for wait_s in (0, 300):
        workshop.clock.move(wait_s)
        workshop.provisioner.answers.append(BuildResult(state=b"kept", error="away"))
        assert await deadlines.stop_overdue(workspace["id"])
        await workshop.run_next()
    await workshop.add_build(workspace, "start")
    assert not await deadlines.stop_overdue(workspace["id"])
    workshop.clock.move(3600)
    workshop.provisioner.answers.append(BuildResult(state=b"kept", error="away"))
    assert await deadlines.stop_overdue(workspace["id"])
    await workshop.run_next()
    workshop.clock.move(300)
    assert await deadlines.list_overdue() == [workspace["id"]]


async def test_a_stop_that_somebody_cancels_or_began_is_not_tried_again(workshop: Workshop) -> None:
    begun, canceled = [await add_limited(workshop, name) for name in ("begun", "canceled")]
    deadlines = workshop.services.deadlines
    workshop.provisioner.answers.append(BuildResult(state=b"kept", error="away"))
    await workshop.add_build(begun, "stop")
    workshop.clock.move(3600)
    assert await deadlines.stop_overdue(canceled["id"])
    build = (await workshop.get(workshop.member, f"/workspaces/{canceled['id']}")).body["latest_build"]
    asked = await workshop.call(workshop.member, "PATCH", f"/workspacebuilds/{build['id']}/cancel")
    assert asked.status == 200
    workshop.clock.move(100_000)
    assert await deadlines.list_overdue() == []


async def test_a_start_that_was_canceled_too_late_keeps_its_deadline(workshop: Workshop) -> None:
    workspace = await add_limited(workshop)
    build = workspace["latest_build"]
    async with workshop.database.write() as connection:
        canceled = tables.provisioner_jobs.update().where(tables.provisioner_jobs.c.id == build["job"]["id"])
        await connection.execute(canceled.values(canceled_at=workshop.clock()))
    assert (await workshop.get(workshop.member, f"/workspaces/{workspace['id']}")).body["latest_build"][
        "status"
    ] == "canceled"
    deadlines = workshop.services.deadlines
    assert await deadlines.list_overdue() == []
    workshop.clock.move(3600)
    assert await deadlines.list_overdue() == [workspace["id"]]
    assert await deadlines.stop_overdue(workspace["id"])
    await workshop.run_next()
    assert (await workshop.get(workshop.member, f"/workspaces/{workspace['id']}")).body["latest_build"][
        "status"
    ] == "stopped"
