from __future__ import annotations

import pytest

from genba_gateway.domain.jobs import JobStatus, JobType
from genba_gateway.domain.provisioning import TemplateParameter
from genba_gateway.errors import BadRequest, NotFound
from genba_wire.api.dry_runs import CreateDryRunRequest
from genba_wire.api.workspaces import BuildParameter
from tests.support.workshop import UNKNOWN_ID, Workshop


async def test_values_that_may_be_secrets_are_sealed_in_the_jobs_row(workshop: Workshop) -> None:
    parameter = TemplateParameter(
        name="password", display_name="", description="", type="string", default_value="", mutable=True
    )
    template = await workshop.add_template("docker", parameter)
    request = CreateDryRunRequest(rich_parameter_values=[BuildParameter(name="password", value="hunter22")])
    job, version = await workshop.services.dry_runs.create(
        workshop.member.actor, template["active_version_id"], request
    )
    assert (job.type, job.status, job.file_id) == (JobType.DRY_RUN, JobStatus.PENDING, version.job.file_id)
    assert "hunter22" not in repr(job)


async def test_resources_are_there_when_it_is_over(workshop: Workshop) -> None:
    dry_runs, actor = workshop.services.dry_runs, workshop.member.actor
    version = (await workshop.add_template())["active_version_id"]
    job, _ = await dry_runs.create(actor, version, CreateDryRunRequest())
    with pytest.raises(BadRequest):
        await dry_runs.list_resources(actor, version, job.id)
    await workshop.run_next()
    assert await dry_runs.list_resources(actor, version, job.id) == ()
    with pytest.raises(NotFound):
        await dry_runs.get(actor, version, UNKNOWN_ID)
