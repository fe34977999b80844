from __future__ import annotations

import pytest

from genba_gateway.domain.provisioning import BuildResult
from genba_gateway.domain.workspace_query import WorkspaceQuery
from genba_gateway.domain.workspaces import WorkspaceStatus
from genba_gateway.store import jobs as job_store
from genba_gateway.store import workspaces as workspace_store
from tests.support.workshop import Workshop


async def statuses_found(workshop: Workshop) -> set[WorkspaceStatus]:
    """The statuses whose search finds the one workspace."""
    found: set[WorkspaceStatus] = set()
    async with workshop.database.read() as connection:
        for status in WorkspaceStatus:
            query = WorkspaceQuery(status=status)
            _, count = await workspace_store.list_workspaces(
                connection, query, visible_to=None, caller_id="", limit=None, offset=0
            )
            if count:
                found.add(status)
    return found


@pytest.mark.parametrize("transition", ["start", "stop"])
@pytest.mark.parametrize("end", ["pending", "running", "canceling", "canceled", "failed", "succeeded"])
async def test_the_search_and_the_shown_status_agree(workshop: Workshop, transition: str, end: str) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    build = await workshop.add_build(workspace, transition, run=False)
    job_id, now = build["job"]["id"], workshop.clock()
    if end != "pending":
        await workshop.services.job_runner.take()
    async with workshop.database.write() as connection:
        if end in {"canceling", "canceled"}:
            await job_store.request_cancel(connection, job_id, now=now)
        if end in {"canceled", "failed", "succeeded"}:
            await job_store.complete_job(connection, job_id, now=now, error="no" if end == "failed" else "")
    async with workshop.database.read() as connection:
        shown = await workspace_store.find_workspace(connection, workspace["id"])
    assert shown is not None
    assert await statuses_found(workshop) == {shown.latest_build.status}


async def test_the_latest_build_is_that_of_the_highest_number(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template())
    workshop.clock.move(-100)
    last = await workshop.add_build(workspace, "stop")
    async with workshop.database.read() as connection:
        (found,) = await workspace_store.list_by_ids(connection, [workspace["id"]])
    assert found.latest_build.id == last["id"]


async def test_by_name_the_living_one_goes_before_the_deleted_and_the_newest_of_those(workshop: Workshop) -> None:
    template = await workshop.add_template()
    ids: list[str] = []
    for _ in range(2):
        workspace = await workshop.add_workspace(template, "dev")
        await workshop.add_build(workspace, "delete")
        ids.append(workspace["id"])

    async def find(*, include_deleted: bool) -> str | None:
        async with workshop.database.read() as connection:
            found = await workspace_store.find_workspace_by_name(
                connection, workshop.member.user.id, "DEV", include_deleted=include_deleted
            )
        return found.id if found else None

    assert await find(include_deleted=False) is None
    assert await find(include_deleted=True) == ids[1]
    living = await workshop.add_workspace(template, "dev")
    assert await find(include_deleted=True) == living["id"]


@pytest.mark.parametrize("name", ["%", "_", "e_v"])
async def test_a_search_takes_wildcards_as_they_are(workshop: Workshop, name: str) -> None:
    workshop.provisioner.answers.append(BuildResult(b""))
    await workshop.add_workspace(await workshop.add_template(), "dev")
    async with workshop.database.read() as connection:
        found, count = await workspace_store.list_workspaces(
            connection, WorkspaceQuery(name=name), visible_to=None, caller_id="", limit=None, offset=0
        )
    assert (found, count) == ([], 0)
