from __future__ import annotations

from genba_gateway.domain.provisioning import ResourceMetadataItem, ResourceSpec
from genba_gateway.domain.workspaces import Resource
from genba_gateway.store import resources as resource_store
from tests.support.agent_rows import make_agent_spec
from tests.support.workshop import Workshop


async def store(workshop: Workshop, job_id: str, *specs: ResourceSpec, transition: str = "start") -> list[Resource]:
    async with workshop.database.write() as connection:
        await resource_store.insert_resources(
            connection, workshop.sealer, job_id=job_id, transition=transition, resources=specs, now=workshop.clock()
        )
    async with workshop.database.read() as connection:
        found = await resource_store.list_resources_of_jobs(connection, workshop.sealer, [job_id])
    return list(found.get(job_id, ()))


async def make_job(workshop: Workshop) -> str:
    return str((await workshop.add_version(run=False))["job"]["id"])


async def test_resources_come_back_in_order_each_transition_for_itself(workshop: Workshop) -> None:
    job_id = await make_job(workshop)
    await store(workshop, job_id, ResourceSpec("a", "z"), ResourceSpec("b", "y"))
    found = await store(workshop, job_id, ResourceSpec("c", "x"), transition="stop")
    assert [(each.transition, each.type, each.name) for each in found] == [
        ("start", "a", "z"),
        ("start", "b", "y"),
        ("stop", "c", "x"),
    ]


async def test_what_was_stored_during_the_apply_is_replaced_and_agents_stay(workshop: Workshop) -> None:
    job_id = await make_job(workshop)
    spec = make_agent_spec()
    early = await store(workshop, job_id, ResourceSpec("host", "dev", agents=(spec,)))
    host = ResourceSpec("host", "dev", agents=(spec,), icon="/i")
    final = await store(workshop, job_id, ResourceSpec("net", "n"), host)
    assert [(each.type, each.icon) for each in final] == [("net", ""), ("host", "/i")]
    assert [agent.id for agent in final[1].agents] == [agent.id for agent in early[0].agents]


async def test_sensitive_metadata_is_not_stored(workshop: Workshop) -> None:
    items = (ResourceMetadataItem("a", "plain"), ResourceMetadataItem("b", "s3cret", sensitive=True))
    (found,) = await store(workshop, await make_job(workshop), ResourceSpec("t", "n", metadata=items))
    assert found.metadata == (items[0], ResourceMetadataItem("b", "", sensitive=True))


async def test_no_jobs_have_no_resources(workshop: Workshop) -> None:
    async with workshop.database.read() as connection:
        assert await resource_store.list_resources_of_jobs(connection, workshop.sealer, []) == {}
