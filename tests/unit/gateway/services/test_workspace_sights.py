from __future__ import annotations

import asyncio

from genba_gateway.services.workspace_sights import WorkspaceSight, WorkspaceSights
from genba_wire.api.workspaces import CreateBuildRequest
from tests.support.workshop import CEILING_S, Workshop


def sights_of(workshop: Workshop) -> WorkspaceSights:
    services = workshop.services
    return WorkspaceSights(
        workshop.database, workshop.pubsub, services.workspaces, services.jobs, pause_s=0, refresh_s=CEILING_S
    )


async def test_a_build_is_seen_line_by_line_to_its_end_and_then_the_next(workshop: Workshop) -> None:
    template = await workshop.add_template()
    workspace = await workshop.add_workspace(template, run=False)
    seen: list[WorkspaceSight] = []
    actor, builds = workshop.member.actor, workshop.services.builds
    async with asyncio.timeout(CEILING_S):
        watch = sights_of(workshop).watch(actor, workspace["id"])
        async for sight in watch:
            seen.append(sight)
            job = sight.workspace.latest_build.job
            if job.started_at is None:
                await workshop.run_next()
            elif job.completed_at and sight.workspace.latest_build.build_number == 1:
                await builds.create(actor, workspace["id"], CreateBuildRequest(transition="stop"))
            elif job.completed_at:
                break
        await watch.aclose()
    lines = [(sight.workspace.latest_build.build_number, line.output) for sight in seen for line in sight.lines]
    assert lines == [(1, "working"), (2, "working")]


async def test_a_watch_ends_with_its_workspace(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    statuses: list[str] = []
    async with asyncio.timeout(CEILING_S):
        async for sight in sights_of(workshop).watch(workshop.member.actor, workspace["id"]):
            statuses.append(sight.workspace.latest_build.status)
            if len(statuses) == 1:
                await workshop.add_build(workspace, "delete")
    assert (statuses[0], statuses[-1]) == ("running", "deleted")


async def test_how_a_build_went_that_succeeded_before_is_not_read(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    sight = await sights_of(workshop).look(workshop.member.actor, workspace["id"])
    assert (sight.lines, sight.metadata) == ((), {})
