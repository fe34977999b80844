from __future__ import annotations

from datetime import timedelta

from genba_gateway.domain.template_query import TemplateQuery
from genba_gateway.domain.templates import BuildTimes
from genba_gateway.store import jobs as job_store
from genba_gateway.store import templates as template_store
from tests.support.workshop import UNKNOWN_ID, Workshop


async def test_build_times_are_percentiles_of_what_succeeded(workshop: Workshop) -> None:
    template = await workshop.add_template()
    workspace = await workshop.add_workspace(template)
    async with workshop.database.write() as connection:
        await connection.exec_driver_sql(
            "UPDATE provisioner_jobs SET error = 'not counted' WHERE type = 'workspace_build'"
        )
    for seconds in (4, 1, 3, 2, 5):
        build = await workshop.add_build(workspace, "stop", run=False)
        job = await workshop.services.job_runner.take()
        assert job is not None
        assert job.started_at is not None
        async with workshop.database.write() as connection:
            ended = job.started_at + timedelta(seconds=seconds)
            await job_store.complete_job(connection, build["job"]["id"], now=ended)
    async with workshop.database.read() as connection:
        times = await template_store.get_build_times(connection, template["id"])
    assert times == {"stop": BuildTimes(3000, 5000)}


async def test_a_deleted_template_is_found_by_id_only(workshop: Workshop) -> None:
    template = await workshop.add_template()
    async with workshop.database.write() as connection:
        await template_store.update_template(connection, template["id"], {"deleted": True})
        found = await template_store.find_template(connection, template["id"])
        assert found is not None
        assert found.deleted
        assert await template_store.find_template_by_name(connection, template["organization_id"], "docker") is None
        assert await template_store.list_templates(connection, TemplateQuery()) == []
        assert await template_store.find_template(connection, UNKNOWN_ID) is None


async def test_workspaces_are_counted_until_they_are_deleted(workshop: Workshop) -> None:
    template = await workshop.add_template()
    workspace = await workshop.add_workspace(template)
    await workshop.add_workspace(template, "other")
    await workshop.add_build(workspace, "delete")
    async with workshop.database.read() as connection:
        assert await template_store.count_workspaces(connection, template["id"]) == 1
