"""The routes of template versions (contract 4.2)."""

from __future__ import annotations

import pytest

from genba_gateway.domain.provisioning import (
    ImportResult,
    ParameterOption,
    ResourceSpec,
    TemplateParameter,
    TemplateVariable,
)
from tests.support.workshop import UNKNOWN_ID, Workshop

IN_ORG = "/organizations/default/templateversions"
GOOD = {"storage_method": "file", "provisioner": "terraform"}


async def test_a_version_is_queued_and_imported(workshop: Workshop) -> None:
    version = await workshop.add_version(run=False, name="v1.0", message="first", tags={"zone": "a", "scope": "user"})
    job = version["job"]
    assert (version["name"], version["message"], version["archived"]) == ("v1.0", "first", False)
    assert "template_id" not in version
    assert (job["status"], job["type"], job["queue_position"], job["queue_size"]) == (
        "pending", "template_version_import", 1, 1,
    )  # fmt: skip
    assert job["tags"] == {"zone": "a", "scope": "organization", "owner": ""}
    assert job["input"] == {"template_version_id": version["id"]}
    assert not {"started_at", "completed_at", "canceled_at", "error"} & job.keys()
    await workshop.run_next()
    done = (await workshop.get(workshop.member, f"/templateversions/{version['id']}")).body["job"]
    assert (done["status"], done["queue_position"]) == ("succeeded", 0)
    assert done["completed_at"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "a b"}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"provisioner": "echo"}, "provisioner"),
        ({"storage_method": "git"}, "storage_method"),
        ({"file_id": ""}, "file_id"),
    ],
)
async def test_a_wrong_field_is_named(workshop: Workshop, change: dict[str, str], field: str) -> None:
    body = {**GOOD, "file_id": await workshop.upload(), **change}
    reply = await workshop.call(workshop.owner, "POST", IN_ORG, body)
    assert (reply.status, reply.fields) == (400, [field])


async def test_what_a_version_needs_must_be_there(workshop: Workshop) -> None:
    file_id = await workshop.upload()
    no_file = await workshop.call(workshop.owner, "POST", IN_ORG, {**GOOD, "file_id": UNKNOWN_ID})
    body = {**GOOD, "file_id": file_id, "template_id": UNKNOWN_ID}
    assert (no_file.status, (await workshop.call(workshop.owner, "POST", IN_ORG, body)).status) == (404, 404)
    assert (await workshop.call(workshop.member, "POST", IN_ORG, body)).status == 403


async def test_a_name_is_given_once_for_each_template(workshop: Workshop) -> None:
    template = await workshop.add_template()
    body = {**GOOD, "file_id": await workshop.upload(), "template_id": template["id"], "name": "v2"}
    assert (await workshop.call(workshop.owner, "POST", IN_ORG, body)).status == 201
    again = await workshop.call(workshop.owner, "POST", IN_ORG, body)
    assert (again.status, again.fields) == (409, ["name"])
    path = f"/templateversions/{template['active_version_id']}"
    renamed = await workshop.call(workshop.owner, "PATCH", path, {"name": "v2"})
    assert (renamed.status, renamed.fields) == (400, ["name"])


async def test_a_version_is_renamed_and_described(workshop: Workshop) -> None:
    path = f"/templateversions/{(await workshop.add_version(name='a', message='m'))['id']}"
    renamed = await workshop.call(workshop.owner, "PATCH", path, {"name": "b"})
    assert (renamed.body["name"], renamed.body["message"]) == ("b", "m")
    assert (await workshop.call(workshop.owner, "PATCH", path, {"message": ""})).body["message"] == ""
    assert (await workshop.call(workshop.owner, "PATCH", path, {"name": "-"})).status == 400
    assert (await workshop.call(workshop.member, "PATCH", path, {"name": "c"})).status == 403


async def test_what_was_found_is_told_once_the_import_is_done(workshop: Workshop) -> None:
    option = ParameterOption("Small", "s")
    workshop.provisioner.imported = ImportResult(
        (TemplateParameter("size", options=(option,), required=True, validation_min=1),),
        (TemplateVariable("open", value="1", default_value="0"), TemplateVariable("pw", value="x", sensitive=True)),
        (ResourceSpec("docker_container", "dev"),),
        (),
    )
    version = await workshop.add_version(run=False)
    path = f"/templateversions/{version['id']}"
    ends = ("rich-parameters", "variables", "resources")
    before = [(await workshop.get(workshop.owner, f"{path}/{end}")).status for end in ends]
    assert before == [403, 403, 400]
    assert (await workshop.get(workshop.owner, f"{path}/rich-parameters")).body["message"] == "Job hasn't completed!"
    await workshop.run_next()

    (parameter,) = (await workshop.get(workshop.member, f"{path}/rich-parameters")).body
    assert (parameter["name"], parameter["required"], parameter["validation_min"]) == ("size", True, 1)
    assert parameter["options"] == [{"name": "Small", "value": "s", "description": "", "icon": ""}]
    variables = (await workshop.get(workshop.owner, f"{path}/variables")).body
    assert [(each["name"], each["value"], each["sensitive"]) for each in variables] == [
        ("open", "1", False),
        ("pw", "", True),
    ]
    assert (await workshop.get(workshop.member, f"{path}/variables")).status == 403
    (resource,) = (await workshop.get(workshop.member, f"{path}/resources")).body
    assert (resource["type"], resource["workspace_transition"]) == ("docker_container", "start")


async def test_old_clients_get_their_empty_lists(workshop: Workshop) -> None:
    path = f"/templateversions/{(await workshop.add_version(run=False))['id']}"
    for end in ("schema", "parameters"):
        reply = await workshop.get(workshop.member, f"{path}/{end}")
        assert (reply.status, reply.body) == (200, [])


async def test_versions_of_a_template_come_in_pages_by_age(workshop: Workshop) -> None:
    template = await workshop.add_template()
    made = [template["active_version_id"]]
    made += [(await workshop.add_version(template_id=template["id"], name=f"n{n}"))["id"] for n in range(3)]
    path = f"/templates/{template['id']}/versions"

    async def ids(query: str) -> list[str]:
        return [each["id"] for each in (await workshop.get(workshop.member, path + query)).body]

    assert await ids("") == made
    assert await ids("?limit=2") == made[:2]
    assert await ids("?limit=2&offset=1") == made[1:3]
    assert await ids(f"?after_id={made[1]}") == made[2:]
    refused = await workshop.get(workshop.member, f"{path}?limit=-1")
    assert (refused.status, refused.fields) == (400, ["limit"])
    for by_name in (f"{path}/n1", "/organizations/default/templates/docker/versions/n1"):
        assert (await workshop.get(workshop.member, by_name)).body["id"] == made[2]
        assert (await workshop.get(workshop.member, f"{by_name}x")).status == 404


async def test_a_version_is_archived_but_not_the_active_one(workshop: Workshop) -> None:
    template = await workshop.add_template()
    version = await workshop.add_version(template_id=template["id"])
    path = f"/templateversions/{version['id']}"

    async def post(end: str, target: str = path) -> int:
        return (await workshop.call(workshop.owner, "POST", f"{target}/{end}")).status

    assert await post("archive", f"/templateversions/{template['active_version_id']}") == 400
    assert [await post(end) for end in ("unarchive", "archive", "archive")] == [400, 200, 400]
    listed = f"/templates/{template['id']}/versions"
    assert len((await workshop.get(workshop.owner, listed)).body) == 1
    assert len((await workshop.get(workshop.owner, f"{listed}?include_archived=true")).body) == 2
    assert await post("unarchive") == 200
    assert (await workshop.call(workshop.member, "POST", f"{path}/archive")).status == 403


async def test_an_import_is_canceled_once(workshop: Workshop) -> None:
    path = f"/templateversions/{(await workshop.add_version(run=False))['id']}"
    assert (await workshop.call(workshop.member, "PATCH", f"{path}/cancel")).status == 403
    assert (await workshop.call(workshop.owner, "PATCH", f"{path}/cancel")).status == 200
    assert (await workshop.get(workshop.owner, path)).body["job"]["status"] == "canceled"
    assert (await workshop.call(workshop.owner, "PATCH", f"{path}/cancel")).status == 400


@pytest.mark.parametrize("end", ["", "/rich-parameters", "/resources", "/logs", "/schema"])
async def test_bad_and_unknown_ids(workshop: Workshop, end: str) -> None:
    assert (await workshop.get(workshop.member, f"/templateversions/x{end}")).status == 400
    assert (await workshop.get(workshop.member, f"/templateversions/{UNKNOWN_ID}{end}")).status == 404


async def test_the_version_before_one_and_the_archive_of_all(workshop: Workshop) -> None:
    template = await workshop.add_template("docker")
    second = await workshop.add_version(template_id=template["id"])
    base = "/organizations/default/templates/docker/versions"
    first = (await workshop.get(workshop.member, f"/templateversions/{template['active_version_id']}")).body
    previous = await workshop.get(workshop.member, f"{base}/{second['name']}/previous")
    assert (previous.status, previous.body["id"]) == (200, first["id"])
    assert (await workshop.get(workshop.member, f"{base}/{first['name']}/previous")).status == 404
    assert (await workshop.get(workshop.member, f"{base}/nothing/previous")).status == 404
    path = f"/templates/{template['id']}/versions/archive"
    assert (await workshop.call(workshop.member, "POST", path, {"all": True})).status == 403
    archived = await workshop.call(workshop.owner, "POST", path, {"all": True})
    assert archived.body == {
        "message": "1 version archived.",
        "template_id": template["id"],
        "archived_ids": [second["id"]],
    }
