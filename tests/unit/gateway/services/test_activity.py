"""That clients say that a workspace is used; how agents do, test_agent_reports.py tests."""

from __future__ import annotations

from datetime import timedelta

import pytest

from genba_gateway.errors import BadRequest, NotFound
from genba_gateway.store import workspaces as workspace_store
from tests.support.workshop import UNKNOWN_ID, Workshop

HOUR = timedelta(hours=1)


async def test_use_is_noted_and_puts_off_the_deadline(workshop: Workshop) -> None:
    template = await workshop.add_template(default_ttl_ms=3_600_000, activity_bump_ms=7_200_000)
    workspace = await workshop.add_workspace(template)
    workshop.clock.move(1800)

    await workshop.services.activity.report_usage(workshop.member.actor, workspace["id"])

    async with workshop.database.read() as connection:
        found = await workspace_store.find_workspace(connection, workspace["id"])
    assert found is not None
    assert found.last_used_at == workshop.clock()
    assert found.latest_build.deadline == workshop.clock() + 2 * HOUR


async def test_what_can_not_be_noted(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    activity, mia = workshop.services.activity, workshop.member.actor
    with pytest.raises(BadRequest) as refused:
        await activity.report_usage(mia, workspace["id"], UNKNOWN_ID, "emacs")
    assert [each.field for each in refused.value.validations] == ["app_name"]
    for agent_id, app_name, absent in ((UNKNOWN_ID, "", "app_name"), ("", "ssh", "agent_id")):
        with pytest.raises(BadRequest) as refused:
            await activity.report_usage(mia, workspace["id"], agent_id, app_name)
        assert [each.field for each in refused.value.validations] == [absent]
    with pytest.raises(NotFound):
        await activity.report_usage(mia, workspace["id"], UNKNOWN_ID, "ssh")
    with pytest.raises(NotFound):
        await activity.report_usage(workshop.stranger.actor, workspace["id"])
    with pytest.raises(NotFound):
        await activity.report_usage(mia, UNKNOWN_ID)
