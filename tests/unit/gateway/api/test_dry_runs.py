"""The routes of dry runs (contract 4.2)."""

from __future__ import annotations

import pytest

from genba_gateway.domain.provisioning import ImportResult, ResourceMetadataItem, ResourceSpec, TemplateParameter
from genba_gateway.errors import ProvisionError
from tests.support.workshop import UNKNOWN_ID, Reply, Workshop

SIZE = TemplateParameter(name="size", display_name="", description="", type="string", default_value="s", mutable=True)
PLANNED = ImportResult(
    (), (), (ResourceSpec("docker_container", "dev", metadata=(ResourceMetadataItem("key", "secret", True),)),), ()
)


async def ask(workshop: Workshop, version: str, **body: object) -> Reply:
    return await workshop.call(workshop.member, "POST", f"/templateversions/{version}/dry-run", body)


async def test_it_says_what_a_first_build_would_make_and_applies_nothing(workshop: Workshop) -> None:
    template = await workshop.add_template("docker", SIZE)
    version = template["active_version_id"]
    workshop.provisioner.imported = PLANNED
    made = await ask(workshop, version, workspace_name="dev", rich_parameter_values=[{"name": "size", "value": "xl"}])
    assert made.status == 201
    assert (made.body["type"], made.body["status"]) == ("template_version_dry_run", "pending")
    assert made.body["input"]["template_version_id"] == version
    assert made.body["metadata"]["workspace_name"] == "dev"
    job = f"/templateversions/{version}/dry-run/{made.body['id']}"
    early = await workshop.get(workshop.member, f"{job}/resources")
    assert early.status == 400
    await workshop.run_next()
    request = workshop.provisioner.imports[-1]
    assert request.is_dry_run
    assert request.environment["CODER_WORKSPACE_NAME"] == "dev"
    assert request.environment["CODER_WORKSPACE_TEMPLATE_NAME"] == "docker"
    assert request.environment["CODER_WORKSPACE_OWNER"] == "mia"
    assert "xl" in request.environment.values()
    assert request.environment["CODER_WORKSPACE_OWNER_SESSION_TOKEN"] == ""
    assert (await workshop.get(workshop.member, job)).body["status"] == "succeeded"
    (resource,) = (await workshop.get(workshop.member, f"{job}/resources")).body
    assert (resource["type"], resource["name"], resource["workspace_transition"]) == (
        "docker_container", "dev", "start",
    )  # fmt: skip
    assert resource["metadata"] == [{"key": "key", "value": "", "sensitive": True}]
    assert [line["output"] for line in (await workshop.get(workshop.member, f"{job}/logs")).body] == ["working"]
    provisioners = (await workshop.get(workshop.member, f"{job}/matched-provisioners")).body
    assert (provisioners["count"], provisioners["available"]) == (1, 1)
    assert workshop.provisioner.builds == []
    assert workshop.provisioner.directories == {}


async def test_its_log_can_be_followed(workshop: Workshop) -> None:
    version = (await workshop.add_template())["active_version_id"]
    made = await ask(workshop, version)
    await workshop.run_next()
    path = f"/templateversions/{version}/dry-run/{made.body['id']}/logs?follow"
    async with workshop.websocket(path, workshop.member.headers) as stream:
        assert '"working"' in str(await stream.receive())


async def test_a_template_that_fails_says_so_in_the_job(workshop: Workshop) -> None:
    version = (await workshop.add_template())["active_version_id"]
    workshop.provisioner.imported = ProvisionError("no such image")
    made = await ask(workshop, version)
    await workshop.run_next()
    job = (await workshop.get(workshop.member, f"/templateversions/{version}/dry-run/{made.body['id']}")).body
    assert (job["status"], job["error"]) == ("failed", "no such image")


async def test_one_that_waits_is_canceled(workshop: Workshop) -> None:
    version = (await workshop.add_template())["active_version_id"]
    path = f"/templateversions/{version}/dry-run/{(await ask(workshop, version)).body['id']}"
    assert (await workshop.call(workshop.member, "PATCH", f"{path}/cancel")).status == 200
    assert (await workshop.get(workshop.member, path)).body["status"] == "canceled"
    assert (await workshop.call(workshop.member, "PATCH", f"{path}/cancel")).status == 400


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"workspace_name": "a b"}, "workspace_name"),
        ({"rich_parameter_values": [{"name": "shape", "value": "round"}]}, "shape"),
    ],
)
async def test_what_a_build_would_refuse_is_refused(workshop: Workshop, body: dict[str, object], field: str) -> None:
    version = (await workshop.add_template("docker", SIZE))["active_version_id"]
    reply = await ask(workshop, version, **body)
    assert (reply.status, reply.fields) == (400, [field])


async def test_a_version_has_to_be_imported_first(workshop: Workshop) -> None:
    version = await workshop.add_version(run=False)
    assert (await ask(workshop, version["id"])).status == 400
    assert (await ask(workshop, UNKNOWN_ID)).status == 404


async def test_variables_are_the_template_authors_business(workshop: Workshop) -> None:
    version = (await workshop.add_template())["active_version_id"]
    body = {"user_variable_values": [{"name": "socket", "value": "/run/mine"}]}
    assert (await ask(workshop, version, **body)).status == 403
    made = await workshop.call(workshop.owner, "POST", f"/templateversions/{version}/dry-run", body)
    assert made.status == 201
    await workshop.run_next()
    assert workshop.provisioner.imports[-1].variables == {"socket": "/run/mine"}


async def test_others_see_nothing_of_it_but_owners_do(workshop: Workshop) -> None:
    version = (await workshop.add_template())["active_version_id"]
    other = (await workshop.add_template("other"))["active_version_id"]
    made = (await ask(workshop, version)).body["id"]
    path = f"/templateversions/{version}/dry-run/{made}"
    for verb, suffix in (("GET", ""), ("GET", "/logs"), ("GET", "/resources"), ("PATCH", "/cancel")):
        assert (await workshop.call(workshop.stranger, verb, path + suffix)).status == 404, suffix
    assert (await workshop.get(workshop.owner, path)).status == 200
    assert (await workshop.get(workshop.member, f"/templateversions/{other}/dry-run/{made}")).status == 404
    # The job of an import is no dry run.
    import_job = (await workshop.get(workshop.owner, f"/templateversions/{version}")).body["job"]["id"]
    assert (await workshop.get(workshop.owner, f"/templateversions/{version}/dry-run/{import_job}")).status == 404
