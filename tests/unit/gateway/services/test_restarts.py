from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from genba_gateway.domain.channels import RESTARTS
from genba_gateway.domain.provisioning import BuildResult
from genba_gateway.errors import BadRequest, Conflict, NotFound
from genba_gateway.services.restarts import GIVE_UP_AFTER, Restarts
from genba_gateway.store import tables
from tests.support.workshop import Workshop


async def _add(workshop: Workshop) -> dict[str, Any]:
    return await workshop.add_workspace(await workshop.add_template(), "dev")


async def _latest(workshop: Workshop, workspace: dict[str, Any]) -> tuple[str, str, str]:
    build = (await workshop.get(workshop.member, f"/workspaces/{workspace['id']}")).body["latest_build"]
    return build["transition"], build["reason"], build["status"]


async def _stop_for_restart(workshop: Workshop, workspace: dict[str, Any]) -> None:
    await workshop.services.restarts.restart(workshop.member.actor, workspace["id"])
    await workshop.run_next()


async def test_a_restart_is_a_stop_and_a_start_when_that_is_done(workshop: Workshop) -> None:
    workspace, restarts = await _add(workshop), workshop.services.restarts
    await restarts.restart(workshop.member.actor, workspace["id"])
    assert await _latest(workshop, workspace) == ("stop", "restart", "pending")
    assert await restarts.list_due() == []
    assert not await restarts.start_due(workspace["id"])
    with workshop.pubsub.subscribe(RESTARTS) as subscription:
        await workshop.run_next()
        assert await subscription.changed(0)
    assert await restarts.list_due() == [workspace["id"]]
    assert await restarts.start_due(workspace["id"])
    assert await restarts.list_due() == []
    await workshop.run_next()
    assert await _latest(workshop, workspace) == ("start", "restart", "running")
    assert not await restarts.start_due(workspace["id"])


async def test_a_gateway_that_was_restarted_goes_on_unless_it_was_away_for_long(workshop: Workshop) -> None:
    workspace = await _add(workshop)
    await _stop_for_restart(workshop, workspace)
    later = Restarts(workshop.database, workshop.services.builds, workshop.clock)
    workshop.clock.move(GIVE_UP_AFTER.total_seconds())
    assert await later.list_due() == [workspace["id"]]
    workshop.clock.move(timedelta(seconds=1).total_seconds())
    assert await later.list_due() == []


@pytest.mark.parametrize("transition", ["start", "delete"])
async def test_what_somebody_asked_for_meanwhile_counts(workshop: Workshop, transition: str) -> None:
    workspace = await _add(workshop)
    await _stop_for_restart(workshop, workspace)
    await workshop.add_build(workspace, transition)
    assert await workshop.services.restarts.list_due() == []
    assert not await workshop.services.restarts.start_due(workspace["id"])


async def test_a_stop_that_failed_is_not_followed_by_a_start(workshop: Workshop) -> None:
    workspace = await _add(workshop)
    workshop.provisioner.answers.append(BuildResult(state=b"s", error="no"))
    await _stop_for_restart(workshop, workspace)
    assert await workshop.services.restarts.list_due() == []


async def test_a_plain_stop_is_not_followed_by_a_start(workshop: Workshop) -> None:
    workspace = await _add(workshop)
    await workshop.add_build(workspace, "stop")
    assert await workshop.services.restarts.list_due() == []


async def test_only_a_running_workspace_of_ones_own_is_restarted(workshop: Workshop) -> None:
    workspace = await _add(workshop)
    with pytest.raises(NotFound):
        await workshop.services.restarts.restart(workshop.stranger.actor, workspace["id"])
    await workshop.add_build(workspace, "stop")
    with pytest.raises(Conflict):
        await workshop.services.restarts.restart(workshop.member.actor, workspace["id"])


async def test_nobody_may_ask_for_the_reason_that_a_start_follows(workshop: Workshop) -> None:
    workspace = await _add(workshop)
    body = {"transition": "stop", "reason": "restart"}
    sent = await workshop.call(workshop.member, "POST", f"/workspaces/{workspace['id']}/builds", body)
    assert (sent.status, sent.fields) == (400, ["reason"])


async def test_a_start_that_can_not_be_begun_is_tried_once(workshop: Workshop) -> None:
    workspace, restarts = await _add(workshop), workshop.services.restarts
    await _stop_for_restart(workshop, workspace)
    async with workshop.database.write() as connection:
        await connection.execute(tables.template_versions.update().values(archived=True))
    with pytest.raises(Exception, match="archived"):
        await restarts.start_due(workspace["id"])
    assert await restarts.list_due() == []


async def test_what_passes_is_tried_again(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, restarts = await _add(workshop), workshop.services.restarts
    await _stop_for_restart(workshop, workspace)

    async def fail(*_args: object, **_named: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(workshop.services.builds, "create", fail)
        with pytest.raises(OSError, match="full"):
            await restarts.start_due(workspace["id"])
    assert await restarts.list_due() == [workspace["id"]]
    assert await restarts.start_due(workspace["id"])


async def test_what_could_not_be_started_again_is_not_stopped(workshop: Workshop) -> None:
    workspace = await _add(workshop)
    async with workshop.database.write() as connection:
        await connection.execute(tables.template_versions.update().values(archived=True))
    with pytest.raises(BadRequest, match="archived"):
        await workshop.services.restarts.restart(workshop.member.actor, workspace["id"])
    assert await _latest(workshop, workspace) == ("start", "initiator", "running")


async def test_who_was_suspended_meanwhile_starts_nothing(workshop: Workshop) -> None:
    workspace, restarts = await _add(workshop), workshop.services.restarts
    await _stop_for_restart(workshop, workspace)
    async with workshop.database.write() as connection:
        mia = tables.users.c.id == workshop.member.actor.user_id
        await connection.execute(tables.users.update().where(mia).values(status="suspended"))
    assert not await restarts.start_due(workspace["id"])
    assert await restarts.list_due() == []
