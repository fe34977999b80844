from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from genba_gateway.errors import BadRequest, Conflict, NotFound
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
