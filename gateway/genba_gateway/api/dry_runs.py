"""Routes of dry runs (contract 4.2)."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.answers import answer, read_body, say
from genba_gateway.api.gate import current_user, needs
from genba_gateway.api.jobs import answer_logs, follow_logs, job_message
from genba_gateway.api.resources import resource_message
from genba_gateway.api.template_versions import metadata_of
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.domain.jobs import Job
from genba_gateway.domain.templates import TemplateVersion
from genba_gateway.services.dry_runs import DryRuns
from genba_gateway.services.jobs import Jobs
from genba_gateway.services.visibility import Clock, parse_id
from genba_wire.api import dry_runs as messages
from genba_wire.api.jobs import MatchedProvisioners, ProvisionerJob


def dry_run_message(job: Job, version: TemplateVersion) -> ProvisionerJob:
    """A dry run as JSON."""
    return job_message(job, metadata_of(version, workspace_name=job.input.get("workspace_name", "")))


def make_blueprint(dry_runs: DryRuns, jobs: Jobs, now: Clock) -> Blueprint:
    """Routes on dry runs."""
    blueprint = Blueprint("dry_runs", __name__)
    read = Permission(Resource.TEMPLATE, Action.READ)
    create_workspace = Permission(Resource.WORKSPACE, Action.CREATE)
    base = "/api/v2/templateversions/<version>/dry-run"
    one = f"{base}/<job>"

    def ids(version: str, job: str) -> tuple[str, str]:
        return parse_id(version, "templateversion"), parse_id(job, "jobID")

    async def find(version: str, job: str) -> Job:
        found, _ = await dry_runs.get(current_user(), *ids(version, job))
        return found

    @blueprint.post(base)
    @needs(create_workspace)
    async def create(version: str) -> Response:
        body = await read_body(messages.CreateDryRunRequest)
        made = await dry_runs.create(current_user(), parse_id(version, "templateversion"), body)
        return answer(dry_run_message(*made), 201)

    @blueprint.get(one)
    @needs(read)
    async def get(version: str, job: str) -> Response:
        return answer(dry_run_message(*await dry_runs.get(current_user(), *ids(version, job))))

    @blueprint.get(f"{one}/resources")
    @needs(read)
    async def list_resources(version: str, job: str) -> Response:
        found = await dry_runs.list_resources(current_user(), *ids(version, job))
        return answer([resource_message(resource, now()) for resource in found])

    @blueprint.get(f"{one}/matched-provisioners")
    @needs(read)
    async def matched_provisioners(version: str, job: str) -> Response:
        await find(version, job)
        return answer(MatchedProvisioners(count=1, available=1, most_recently_seen=now()))

    @blueprint.get(f"{one}/logs")
    @needs(read)
    async def list_logs(version: str, job: str) -> Response:
        return await answer_logs(jobs, (await find(version, job)).id)

    @blueprint.websocket(f"{one}/logs")
    @needs(read)
    async def watch_logs(version: str, job: str) -> None:
        await follow_logs(jobs, (await find(version, job)).id)

    @blueprint.patch(f"{one}/cancel")
    @needs(create_workspace)
    async def cancel(version: str, job: str) -> Response:
        await dry_runs.cancel(current_user(), *ids(version, job))
        return say("Job has been marked as canceled.")

    return blueprint
