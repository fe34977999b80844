"""Imports: what the provisioner found is stored, and what failed is told."""

from __future__ import annotations

import asyncio

from genba_gateway.domain.jobs import JobStatus
from genba_gateway.domain.provisioning import (
    ImportResult,
    ResourceSpec,
    TemplateParameter,
    TemplateVariable,
)
from genba_gateway.errors import ProvisionError
from tests.support.workshop import ARCHIVE, CEILING_S, Workshop

GATEWAYS_FAULT = "The gateway failed to run this job; its log says why."
SECRET = TemplateVariable("token", value="s3cret", sensitive=True)


async def test_an_import_stores_what_the_template_contains(workshop: Workshop) -> None:
    start, stop = ResourceSpec("docker_container", "dev"), ResourceSpec("docker_volume", "home")
    workshop.provisioner.imported = ImportResult(
        (TemplateParameter("size"),), (SECRET,), (start, stop), (stop,), "# Hi"
    )
    version = await workshop.add_version(user_variable_values=[{"name": "token", "value": "s3cret"}])

    (request,) = workshop.provisioner.imports
    assert (request.archive, dict(request.variables)) == (ARCHIVE, {"token": "s3cret"})
    assert request.environment["CODER_WORKSPACE_OWNER"] == "olga"
    assert (version["job"]["status"], version["readme"]) == ("succeeded", "# Hi")
    resources = await workshop.services.template_versions.list_resources(workshop.owner.actor, version["id"])
    assert [(each.transition, each.name) for each in resources] == [
        ("start", "dev"),
        ("start", "home"),
        ("stop", "home"),
    ]
    variables = await workshop.services.template_versions.list_variables(workshop.owner.actor, version["id"])
    assert variables == [SECRET]
    assert workshop.provisioner.directories == {}


async def test_a_failed_import_says_why_in_its_row_and_in_its_log(workshop: Workshop) -> None:
    workshop.provisioner.imported = ProvisionError("main.tf has no brace.", code="REQUIRED_TEMPLATE_VARIABLES")
    version = await workshop.add_version()

    job = version["job"]
    assert (job["status"], job["error"]) == ("failed", "main.tf has no brace.")
    assert job["error_code"] == "REQUIRED_TEMPLATE_VARIABLES"
    assert await workshop.read_log(job["id"]) == ["working", "main.tf has no brace."]
    assert workshop.provisioner.directories == {}


async def test_a_bug_in_an_import_fails_it(workshop: Workshop) -> None:
    workshop.provisioner.imported = ZeroDivisionError()
    job = (await workshop.add_version())["job"]
    assert (job["status"], job["error"]) == ("failed", GATEWAYS_FAULT)


async def test_a_running_import_is_canceled(workshop: Workshop) -> None:
    version = await workshop.add_version(run=False)
    workshop.provisioner.hold()
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(workshop.run_next())
        await workshop.provisioner.started.get()
        await workshop.services.template_versions.cancel(workshop.owner.actor, version["id"])
        assert (await running).status is JobStatus.CANCELED
