"""The routes of templates (contract 2.6, 4.2)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from genba_gateway.errors import ProvisionError
from genba_gateway.store import tables
from tests.support.workshop import UNKNOWN_ID, Workshop

IN_ORG = "/organizations/default/templates"


async def test_a_template_is_made_of_an_imported_version(workshop: Workshop) -> None:
    template = await workshop.add_template("docker", display_name="Docker", description="d", icon="/i.svg")
    assert template["activity_bump_ms"] == 3_600_000
    assert template["active_user_count"] == -1
    assert template["build_time_stats"]["start"] == {"P50": None, "P95": None}
    assert (template["created_by_name"], template["deprecated"]) == ("olga", False)
    for path in (f"/templates/{template['id']}", f"{IN_ORG}/docker", f"{IN_ORG}/DOCKER"):
        assert (await workshop.get(workshop.member, path)).body == template
    version = (await workshop.get(workshop.member, f"/templateversions/{template['active_version_id']}")).body
    assert (version["template_id"], version["job"]["metadata"]["template_name"]) == (template["id"], "docker")


async def test_what_cannot_become_a_template(workshop: Workshop) -> None:
    taken = await workshop.add_template()
    free = await workshop.add_version()
    pending = await workshop.add_version(run=False)
    archived = await workshop.add_version(run=False)
    workshop.provisioner.imported = ProvisionError("no")
    await workshop.run_next()
    await workshop.run_next()
    await workshop.call(workshop.owner, "POST", f"/templateversions/{archived['id']}/archive")

    async def create(name: str, version_id: str) -> tuple[int, list[str]]:
        body = {"name": name, "template_version_id": version_id}
        reply = await workshop.call(workshop.owner, "POST", IN_ORG, body)
        return reply.status, reply.fields

    assert await create("other", taken["active_version_id"]) == (400, [])
    assert await create("other", pending["id"]) == (400, [])
    assert await create("other", archived["id"]) == (400, [])
    assert await create("other", UNKNOWN_ID) == (400, ["template_version_id"])
    assert await create("new", free["id"]) == (400, ["name"])
    assert await create("a--b", free["id"]) == (400, ["name"])
    assert await create("Docker", free["id"]) == (409, ["name"])
    assert await create("other", free["id"]) == (201, [])


async def test_only_owners_change_templates(workshop: Workshop) -> None:
    template = await workshop.add_template()
    path = f"/templates/{template['id']}"
    body = {"name": "x", "template_version_id": template["active_version_id"]}
    assert (await workshop.call(workshop.member, "POST", IN_ORG, body)).status == 403
    assert (await workshop.call(workshop.member, "PATCH", path, {"name": "x"})).status == 403
    assert (await workshop.call(workshop.member, "DELETE", path)).status == 403
    assert (await workshop.call(workshop.member, "PATCH", f"{path}/versions", {"id": UNKNOWN_ID})).status == 403
    assert (await workshop.get(None, path)).status == 401


async def test_templates_are_found(workshop: Workshop) -> None:
    for name in ("zebra", "docker", "docker-gpu"):
        await workshop.add_template(name)

    async def names(path: str) -> list[str]:
        return [each["name"] for each in (await workshop.get(workshop.member, path)).body]

    assert await names("/templates") == ["docker", "docker-gpu", "zebra"]
    assert await names(IN_ORG) == ["docker", "docker-gpu", "zebra"]
    assert await names("/templates?q=DOCK") == ["docker", "docker-gpu"]
    assert await names("/templates?q=name:gpu") == ["docker-gpu"]
    assert await names("/templates?q=exact_name:docker") == ["docker"]
    assert await names("/templates?q=%25") == []
    assert await names("/templates?q=organization:coder+gpu") == ["docker-gpu"]
    assert await names("/templates?q=organization:other") == []
    assert await names("/templates?q=deprecated:true") == []
    assert await names("/templates?q=deprecated:false+exact_name:zebra") == ["zebra"]
    assert await names("/templates?q=has-ai-task:true") == []
    zebra = (await workshop.get(workshop.member, f"{IN_ORG}/zebra")).body["id"]
    assert await names(f"/templates?q=ids:{zebra},{UNKNOWN_ID}") == ["zebra"]
    refused = await workshop.get(workshop.member, "/templates?q=color:red")
    assert (refused.status, refused.fields) == (400, ["color"])


@pytest.mark.parametrize("path", ["/templates/1", "/templates/1/versions", "/templates/1/versions/v1"])
async def test_a_bad_id_is_named(workshop: Workshop, path: str) -> None:
    reply = await workshop.get(workshop.member, path)
    assert (reply.status, reply.fields) == (400, ["template"])


async def test_what_is_not_there(workshop: Workshop) -> None:
    for path in (f"/templates/{UNKNOWN_ID}", f"{IN_ORG}/none", "/organizations/none/templates"):
        assert (await workshop.get(workshop.member, path)).status == 404
    hidden = await workshop.get(workshop.member, f"/templates/{UNKNOWN_ID}")
    assert hidden.body == {"message": "Resource not found or you do not have access to it."}


async def test_a_template_is_changed_or_not(workshop: Workshop) -> None:
    path = f"/templates/{(await workshop.add_template())['id']}"
    await workshop.add_template("taken")

    async def patch(**fields: object) -> tuple[int, list[str]]:
        reply = await workshop.call(workshop.owner, "PATCH", path, fields)
        return reply.status, reply.fields if reply.status >= 400 else []

    assert await patch() == (304, [])
    assert await patch(name="docker") == (304, [])
    assert await patch(name="taken") == (409, ["name"])
    assert await patch(name="a b") == (400, ["name"])
    assert await patch(display_name=" x") == (400, ["display_name"])
    assert await patch(name="podman", deprecation_message="use docker", default_ttl_ms=60_000) == (200, [])
    assert (await workshop.get(workshop.member, path)).body["max_port_share_level"] == "public"
    assert await patch(max_port_share_level="everybody") == (400, ["max_port_share_level"])
    assert await patch(max_port_share_level="authenticated") == (200, [])
    assert await patch(max_port_share_level="") == (304, [])
    changed = (await workshop.get(workshop.member, path)).body
    assert changed["max_port_share_level"] == "authenticated"
    assert (changed["name"], changed["deprecated"], changed["default_ttl_ms"]) == ("podman", True, 60_000)


async def test_a_version_is_promoted_only_if_it_can_be_built(workshop: Workshop) -> None:
    template = await workshop.add_template()
    other = await workshop.add_template("other")
    good = await workshop.add_version(template_id=template["id"])
    archived = await workshop.add_version(template_id=template["id"])
    await workshop.call(workshop.owner, "POST", f"/templateversions/{archived['id']}/archive")
    pending = await workshop.add_version(template_id=template["id"], run=False)

    async def promote(version_id: str) -> int:
        path = f"/templates/{template['id']}/versions"
        return (await workshop.call(workshop.owner, "PATCH", path, {"id": version_id})).status

    for wrong in (archived["id"], pending["id"], other["active_version_id"], UNKNOWN_ID, "1"):
        assert await promote(wrong) == 400
    assert await promote(good["id"]) == 200
    assert (await workshop.get(workshop.owner, f"/templates/{template['id']}")).body["active_version_id"] == good["id"]


async def test_a_template_with_workspaces_stays(workshop: Workshop) -> None:
    template = await workshop.add_template()
    workspace = await workshop.add_workspace(template)
    path = f"/templates/{template['id']}"
    refused = await workshop.call(workshop.owner, "DELETE", path)
    assert (refused.status, "1 workspace" in refused.body["message"]) == (400, True)
    await workshop.add_build(workspace, "delete")
    assert (await workshop.call(workshop.owner, "DELETE", path)).status == 200
    assert (await workshop.get(workshop.owner, path)).status == 404
    assert (await workshop.get(workshop.owner, "/templates")).body == []
    assert (await workshop.add_template())["id"] != template["id"]


async def test_build_times_come_from_builds_that_succeeded(workshop: Workshop) -> None:
    template = await workshop.add_template()
    await workshop.add_workspace(template, run=False)
    job = await workshop.services.job_runner.take()
    assert job is not None
    workshop.clock.move(2.5)
    await workshop.services.job_runner.run(job)
    stats = (await workshop.get(workshop.owner, f"/templates/{template['id']}")).body["build_time_stats"]
    assert stats == {
        "start": {"P50": 2500, "P95": 2500},
        "stop": {"P50": None, "P95": None},
        "delete": {"P50": None, "P95": None},
    }


async def test_changes_are_recorded(workshop: Workshop) -> None:
    path = f"/templates/{(await workshop.add_template())['id']}"
    await workshop.call(workshop.owner, "PATCH", path, {"name": "podman"})
    await workshop.call(workshop.owner, "DELETE", path)
    log = tables.audit_logs
    async with workshop.database.read() as connection:
        query = sa.select(log.c.action, log.c.user_id).where(log.c.resource_type == "template")
        rows = {tuple(row) for row in (await connection.execute(query)).all()}
    assert rows == {(action, workshop.owner.user.id) for action in ("create", "write", "delete")}


async def test_examples_are_listed_for_everybody_and_made_into_versions(workshop: Workshop) -> None:
    listed = (await workshop.get(workshop.member, "/templates/examples")).body
    assert [example["id"] for example in listed] == ["docker", "host"]
    assert (await workshop.get(workshop.member, f"{IN_ORG}/examples")).body == listed
    assert (await workshop.get(workshop.member, "/organizations/none/templates/examples")).status == 404
    version = await workshop.add_version(file_id="", example_id="host")
    assert version["job"]["status"] == "succeeded"
    template = {"name": "mine", "template_version_id": version["id"]}
    assert (await workshop.call(workshop.owner, "POST", IN_ORG, template)).status == 201

    async def push(**fields: object) -> tuple[int, list[str]]:
        body = {"storage_method": "file", "provisioner": "terraform", **fields}
        reply = await workshop.call(workshop.owner, "POST", "/organizations/default/templateversions", body)
        return reply.status, reply.fields

    assert await push(example_id="none") == (404, [])
    assert await push(example_id="host", file_id=await workshop.upload()) == (400, ["example_id"])
    assert await push() == (400, ["file_id"])
