from __future__ import annotations

import sqlalchemy as sa

from genba_gateway.domain import channels
from genba_gateway.store import tables
from genba_wire.api.workspaces import CreateBuildRequest
from tests.support.workshop import Workshop


async def test_builds_are_recorded_with_who_asked_for_what(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    await workshop.add_build(workspace, "stop", who=workshop.owner)
    await workshop.add_build(workspace, "delete")
    log = tables.audit_logs
    async with workshop.database.read() as connection:
        query = sa.select(log.c.user_id, log.c.action, log.c.resource_target).order_by(log.c.time)
        rows = (await connection.execute(query.where(log.c.resource_type == "workspace_build"))).all()
    mia, olga = workshop.member.user.id, workshop.owner.user.id
    assert [tuple(row) for row in rows] == [(mia, "start", "dev"), (olga, "stop", "dev"), (mia, "delete", "dev")]


async def test_a_new_build_wakes_the_queue_and_those_who_watch_the_workspace(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    with (
        workshop.pubsub.subscribe(channels.JOBS) as queue,
        workshop.pubsub.subscribe(channels.of_workspace(workspace["id"])) as watcher,
    ):
        request = CreateBuildRequest(transition="stop")
        build = await workshop.services.builds.create(workshop.member.actor, workspace["id"], request)
        assert await queue.changed(0)
        assert await watcher.changed(0)
        await workshop.services.builds.cancel(workshop.member.actor, build.id)
        assert await watcher.changed(0)


async def test_a_build_uses_the_version_of_the_one_before_until_told_otherwise(workshop: Workshop) -> None:
    template = await workshop.add_template()
    workspace = await workshop.add_workspace(template)
    version = await workshop.add_version(template_id=template["id"])
    path = f"/templates/{template['id']}/versions"
    await workshop.call(workshop.owner, "PATCH", path, {"id": version["id"]})
    kept = await workshop.add_build(workspace, "start")
    told = await workshop.add_build(workspace, "start", template_version_id=version["id"])
    after = await workshop.add_build(workspace, "stop")
    first = template["active_version_id"]
    assert [each["template_version_id"] for each in (kept, told, after)] == [first, version["id"], version["id"]]
