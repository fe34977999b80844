from __future__ import annotations

from genba_gateway.domain.provisioning import ParameterOption, TemplateParameter, TemplateVariable
from genba_gateway.store import template_versions as version_store
from tests.support.workshop import UNKNOWN_ID, Workshop


async def test_versions_of_the_same_moment_are_all_found_page_by_page(workshop: Workshop) -> None:
    template = await workshop.add_template()
    for _ in range(3):
        await workshop.add_version(template_id=template["id"], run=False)
    async with workshop.database.write() as connection:
        await connection.exec_driver_sql("UPDATE template_versions SET created_at = '2026-01-01T00:00:00.000000'")
    found: list[str] = []
    async with workshop.database.read() as connection:
        while len(found) < 9:
            page = await version_store.list_versions(
                connection,
                template["id"],
                include_archived=True,
                after_id=found[-1] if found else None,
                limit=1,
                offset=0,
            )
            if not page:
                break
            found += [version.id for version in page]
    assert (len(found), len(set(found))) == (4, 4)


async def test_parameters_and_variables_come_back_in_order_as_they_were(workshop: Workshop) -> None:
    version_id = (await workshop.add_version())["id"]
    parameters = [
        TemplateParameter("z", options=(ParameterOption("One", "1", "d", "i"),), validation_min=0, order=3),
        TemplateParameter("a", type="list(string)", ephemeral=True, mutable=True),
    ]
    variables = [TemplateVariable("z", value="s3cret", sensitive=True), TemplateVariable("a", required=True)]
    async with workshop.database.write() as connection:
        await version_store.insert_parameters(connection, version_id, parameters)
        await version_store.insert_variables(connection, workshop.sealer, version_id, variables)
        rows = await connection.exec_driver_sql("SELECT value_sealed FROM template_version_variables")
        stored = rows.scalars().all()
    async with workshop.database.read() as connection:
        assert await version_store.list_parameters(connection, version_id) == parameters
        assert await version_store.list_variables(connection, workshop.sealer, version_id) == variables
    assert not any(b"s3cret" in each for each in stored)


async def test_what_is_absent_is_none(workshop: Workshop) -> None:
    async with workshop.database.read() as connection:
        assert await version_store.find_version(connection, UNKNOWN_ID) is None
        assert await version_store.find_version_of_job(connection, UNKNOWN_ID) is None
        assert await version_store.find_version_by_name(connection, UNKNOWN_ID, "v") is None
