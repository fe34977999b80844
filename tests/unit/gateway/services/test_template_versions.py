from __future__ import annotations

import pytest

from genba_gateway.errors import BadRequest, Conflict, Forbidden, NotFound
from genba_gateway.services.template_versions import require_succeeded
from genba_wire.api.templates import CreateTemplateVersionRequest, PatchTemplateVersionRequest
from tests.support.workshop import UNKNOWN_ID, Workshop


async def test_only_those_who_make_templates_push_versions(workshop: Workshop) -> None:
    create, organization = workshop.services.template_versions.create, workshop.owner.organization_id
    request = CreateTemplateVersionRequest(
        storage_method="file", provisioner="terraform", file_id=await workshop.upload()
    )
    with pytest.raises(Forbidden):
        await create(workshop.member.actor, organization, request)
    assert (await create(workshop.owner.actor, organization, request)).job.tags["scope"] == "organization"


@pytest.mark.parametrize(
    ("provisioner", "storage", "file_id", "field"),
    [
        ("echo", "file", "f", "provisioner"),
        ("terraform", "git", "f", "storage_method"),
        ("terraform", "file", "", "file_id"),
    ],
)
async def test_what_is_not_supported_is_named(
    workshop: Workshop, provisioner: str, storage: str, file_id: str, field: str
) -> None:
    request = CreateTemplateVersionRequest(storage_method=storage, provisioner=provisioner, file_id=file_id)
    with pytest.raises(BadRequest) as refused:
        await workshop.services.template_versions.create(workshop.owner.actor, workshop.owner.organization_id, request)
    assert [problem.field for problem in refused.value.validations] == [field]


async def test_a_version_needs_its_file_and_template(workshop: Workshop) -> None:
    create, owner = workshop.services.template_versions.create, workshop.owner
    for file_id, template_id in ((UNKNOWN_ID, ""), (await workshop.upload(), UNKNOWN_ID)):
        request = CreateTemplateVersionRequest(
            storage_method="file", provisioner="terraform", file_id=file_id, template_id=template_id
        )
        with pytest.raises(NotFound):
            await create(owner.actor, owner.organization_id, request)


async def test_a_name_is_taken_within_its_template_only(workshop: Workshop) -> None:
    one, two = await workshop.add_template("one"), await workshop.add_template("two")
    create, owner = workshop.services.template_versions.create, workshop.owner
    file_id = await workshop.upload()

    async def push(template_id: str) -> str:
        request = CreateTemplateVersionRequest(
            storage_method="file", provisioner="terraform", file_id=file_id, template_id=template_id, name="v1"
        )
        return (await create(owner.actor, owner.organization_id, request)).id

    first = await push(one["id"])
    assert await push(two["id"]) != first
    with pytest.raises(Conflict):
        await push(one["id"])
    rename = PatchTemplateVersionRequest(name="v 2")
    with pytest.raises(BadRequest):
        await workshop.services.template_versions.update(owner.actor, first, rename)


async def test_the_active_version_is_not_archived(workshop: Workshop) -> None:
    template = await workshop.add_template()
    versions, owner = workshop.services.template_versions, workshop.owner.actor
    with pytest.raises(BadRequest, match="active"):
        await versions.set_archived(owner, template["active_version_id"], archived=True)
    spare = (await workshop.add_version(template_id=template["id"]))["id"]
    with pytest.raises(Forbidden):
        await versions.set_archived(workshop.member.actor, spare, archived=True)
    await versions.set_archived(owner, spare, archived=True)
    with pytest.raises(BadRequest, match="already"):
        await versions.set_archived(owner, spare, archived=True)


async def test_a_version_that_is_being_imported_tells_nothing_and_is_not_built(workshop: Workshop) -> None:
    pending = await workshop.add_version(run=False)
    versions, actor = workshop.services.template_versions, workshop.owner.actor
    with pytest.raises(Forbidden):
        await versions.list_parameters(actor, pending["id"])
    with pytest.raises(Forbidden):
        await versions.list_variables(actor, pending["id"])
    with pytest.raises(BadRequest):
        await versions.list_resources(actor, pending["id"])
    with pytest.raises(BadRequest, match="pending"):
        require_succeeded(await versions.get(actor, pending["id"]))


async def test_variables_are_for_those_who_change_templates(workshop: Workshop) -> None:
    version = await workshop.add_version()
    versions = workshop.services.template_versions
    assert await versions.list_parameters(workshop.member.actor, version["id"]) == []
    with pytest.raises(Forbidden):
        await versions.list_variables(workshop.member.actor, version["id"])
