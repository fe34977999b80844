"""Routes of template versions (contract 4.2)."""

from __future__ import annotations

from datetime import datetime

from quart import Blueprint, Response, request

from genba_gateway.api.answers import answer, read_body, say
from genba_gateway.api.gate import current_user, needs
from genba_gateway.api.jobs import answer_logs, follow_logs, job_message
from genba_gateway.api.paging import read_page
from genba_gateway.api.resources import resource_message
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.domain.provisioning import TemplateParameter, TemplateVariable
from genba_gateway.domain.templates import TemplateVersion
from genba_gateway.services.jobs import Jobs
from genba_gateway.services.organizations import Organizations
from genba_gateway.services.template_versions import TemplateVersions
from genba_gateway.services.templates import Templates
from genba_gateway.services.visibility import Clock, parse_id
from genba_wire.api import templates as messages
from genba_wire.api.jobs import JobMetadata, MatchedProvisioners


def metadata_of(version: TemplateVersion, *, workspace_name: str = "") -> JobMetadata:
    """What a job on a version is about."""
    return JobMetadata(
        template_version_name=version.name,
        template_id=version.template_id or "",
        template_name=version.template_name,
        template_display_name=version.template_display_name,
        template_icon=version.template_icon,
        workspace_name=workspace_name,
    )


def version_message(version: TemplateVersion, now: datetime) -> messages.TemplateVersion:
    """A version as JSON."""
    return messages.TemplateVersion(
        id=version.id,
        template_id=version.template_id or "",
        organization_id=version.organization_id,
        created_at=version.created_at,
        updated_at=version.updated_at,
        name=version.name,
        message=version.message,
        job=job_message(version.job, metadata_of(version)),
        readme=version.readme,
        created_by=messages.MinimalUser(
            id=version.created_by, username=version.created_by_name, avatar_url=version.created_by_avatar_url
        ),
        archived=version.archived,
        matched_provisioners=MatchedProvisioners(count=1, available=1),
    )


def parameter_message(parameter: TemplateParameter) -> messages.TemplateVersionParameter:
    """A parameter as JSON."""
    return messages.TemplateVersionParameter(
        name=parameter.name,
        display_name=parameter.display_name,
        description=parameter.description,
        description_plaintext=parameter.description,
        type=parameter.type,
        form_type=parameter.form_type,
        mutable=parameter.mutable,
        default_value=parameter.default_value,
        icon=parameter.icon,
        options=[
            messages.ParameterOption(
                name=option.name, description=option.description, value=option.value, icon=option.icon
            )
            for option in parameter.options
        ],
        validation_error=parameter.validation_error,
        validation_regex=parameter.validation_regex,
        validation_min=parameter.validation_min,
        validation_max=parameter.validation_max,
        validation_monotonic=parameter.validation_monotonic,
        required=parameter.required,
        ephemeral=parameter.ephemeral,
    )


def variable_message(variable: TemplateVariable) -> messages.TemplateVersionVariable:
    """A variable as JSON; values of sensitive ones are blank."""
    return messages.TemplateVersionVariable(
        name=variable.name,
        description=variable.description,
        type=variable.type,
        value="" if variable.sensitive else variable.value,
        default_value="" if variable.sensitive else variable.default_value,
        required=variable.required,
        sensitive=variable.sensitive,
    )


def make_blueprint(
    versions: TemplateVersions, templates: Templates, organizations: Organizations, jobs: Jobs, now: Clock
) -> Blueprint:
    """Routes on template versions."""
    blueprint = Blueprint("template_versions", __name__)
    read = Permission(Resource.TEMPLATE, Action.READ)
    update = Permission(Resource.TEMPLATE, Action.UPDATE)
    base = "/api/v2/templateversions/<version>"

    async def find(version: str) -> TemplateVersion:
        return await versions.get(current_user(), parse_id(version, "templateversion"))

    @blueprint.post("/api/v2/organizations/<organization>/templateversions")
    @needs(Permission(Resource.TEMPLATE, Action.CREATE))
    async def create(organization: str) -> Response:
        resolved = await organizations.resolve_organization(organization)
        body = await read_body(messages.CreateTemplateVersionRequest)
        return answer(version_message(await versions.create(current_user(), resolved.id, body), now()), 201)

    @blueprint.get("/api/v2/templates/<template>/versions")
    @needs(read)
    async def list_of_template(template: str) -> Response:
        found_template = await templates.get(current_user(), parse_id(template, "template"))
        page = read_page()
        found = await versions.list_of_template(
            current_user(),
            found_template.id,
            include_archived=request.args.get("include_archived", "") == "true",
            after_id=page.after_id,
            limit=page.limit,
            offset=page.offset,
        )
        return answer([version_message(version, now()) for version in found])

    @blueprint.get("/api/v2/templates/<template>/versions/<name>")
    @needs(read)
    async def get_by_name(template: str, name: str) -> Response:
        found_template = await templates.get(current_user(), parse_id(template, "template"))
        return answer(version_message(await versions.get_by_name(current_user(), found_template.id, name), now()))

    @blueprint.get("/api/v2/organizations/<organization>/templates/<template>/versions/<name>")
    @needs(read)
    async def get_by_names(organization: str, template: str, name: str) -> Response:
        resolved = await organizations.resolve_organization(organization)
        found_template = await templates.get_by_name(current_user(), resolved.id, template)
        return answer(version_message(await versions.get_by_name(current_user(), found_template.id, name), now()))

    @blueprint.get("/api/v2/organizations/<organization>/templates/<template>/versions/<name>/previous")
    @needs(read)
    async def get_previous(organization: str, template: str, name: str) -> Response:
        resolved = await organizations.resolve_organization(organization)
        found_template = await templates.get_by_name(current_user(), resolved.id, template)
        return answer(version_message(await versions.get_previous(current_user(), found_template.id, name), now()))

    @blueprint.get(base)
    @needs(read)
    async def get(version: str) -> Response:
        return answer(version_message(await find(version), now()))

    @blueprint.patch(base)
    @needs(update)
    async def patch(version: str) -> Response:
        body = await read_body(messages.PatchTemplateVersionRequest)
        changed = await versions.update(current_user(), parse_id(version, "templateversion"), body)
        return answer(version_message(changed, now()))

    @blueprint.get(f"{base}/rich-parameters")
    @needs(read)
    async def list_parameters(version: str) -> Response:
        found = await versions.list_parameters(current_user(), parse_id(version, "templateversion"))
        return answer([parameter_message(parameter) for parameter in found])

    @blueprint.get(f"{base}/variables")
    @needs(update)
    async def list_variables(version: str) -> Response:
        found = await versions.list_variables(current_user(), parse_id(version, "templateversion"))
        return answer([variable_message(variable) for variable in found])

    @blueprint.get(f"{base}/resources")
    @needs(read)
    async def list_resources(version: str) -> Response:
        found = await versions.list_resources(current_user(), parse_id(version, "templateversion"))
        return answer([resource_message(resource, now()) for resource in found])

    @blueprint.get(f"{base}/schema")
    @blueprint.get(f"{base}/parameters")
    @needs(read)
    async def legacy(version: str) -> Response:
        """Clients of long ago ask for these and take an empty list (contract 4.2)."""
        await find(version)
        return answer([])

    @blueprint.get(f"{base}/logs")
    @needs(read)
    async def list_logs(version: str) -> Response:
        return await answer_logs(jobs, (await find(version)).job.id)

    @blueprint.websocket(f"{base}/logs")
    @needs(read)
    async def watch_logs(version: str) -> None:
        await follow_logs(jobs, (await find(version)).job.id)

    @blueprint.patch(f"{base}/cancel")
    @needs(update)
    async def cancel(version: str) -> Response:
        await versions.cancel(current_user(), parse_id(version, "templateversion"))
        return say("Job has been marked as canceled.")

    @blueprint.post(f"{base}/archive")
    @needs(update)
    async def archive(version: str) -> Response:
        await versions.set_archived(current_user(), parse_id(version, "templateversion"), archived=True)
        return say("Template version has been archived.")

    @blueprint.post(f"{base}/unarchive")
    @needs(update)
    async def unarchive(version: str) -> Response:
        await versions.set_archived(current_user(), parse_id(version, "templateversion"), archived=False)
        return say("Template version has been unarchived.")

    return blueprint
