"""Routes of templates (contract 4.2)."""

from __future__ import annotations

from quart import Blueprint, Response, request

from genba_gateway.api.answers import answer, read_body, say
from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.domain.templates import BuildTimes, Template
from genba_gateway.services.examples import Examples
from genba_gateway.services.organizations import Organizations
from genba_gateway.services.template_settings import ALL_DAYS
from genba_gateway.services.templates import Templates
from genba_gateway.services.version_archive import VersionArchive
from genba_gateway.services.visibility import parse_id
from genba_wire.api import templates as messages

_NO_TIMES = BuildTimes(None, None)


def template_message(template: Template, times: dict[str, BuildTimes]) -> messages.Template:
    """A template as JSON."""
    return messages.Template(
        id=template.id,
        created_at=template.created_at,
        updated_at=template.updated_at,
        organization_id=template.organization_id,
        organization_name=template.organization_name,
        organization_display_name=template.organization_display_name,
        organization_icon=template.organization_icon,
        name=template.name,
        display_name=template.display_name,
        provisioner=template.provisioner,
        active_version_id=template.active_version_id,
        active_user_count=-1,
        build_time_stats=messages.BuildTimeStats(
            start=_percentiles(times, "start"), stop=_percentiles(times, "stop"), delete=_percentiles(times, "delete")
        ),
        description=template.description,
        deprecated=bool(template.deprecation_message),
        deprecation_message=template.deprecation_message,
        icon=template.icon,
        default_ttl_ms=template.default_ttl_ms,
        activity_bump_ms=template.activity_bump_ms,
        autostop_requirement=messages.AutostopRequirement(days_of_week=[], weeks=1),
        autostart_requirement=messages.AutostartRequirement(days_of_week=list(ALL_DAYS)),
        created_by_id=template.created_by,
        created_by_name=template.created_by_name,
        allow_user_autostart=template.allow_user_autostart,
        allow_user_autostop=template.allow_user_autostop,
        allow_user_cancel_workspace_jobs=template.allow_user_cancel_workspace_jobs,
        failure_ttl_ms=0,
        time_til_dormant_ms=0,
        time_til_dormant_autodelete_ms=0,
        require_active_version=template.require_active_version,
        max_port_share_level=template.max_port_share_level,
    )


def _percentiles(times: dict[str, BuildTimes], transition: str) -> messages.Percentiles:
    found = times.get(transition, _NO_TIMES)
    return messages.Percentiles(P50=found.p50_ms, P95=found.p95_ms)


def make_blueprint(
    templates: Templates, organizations: Organizations, archive: VersionArchive, examples: Examples
) -> Blueprint:
    """Routes on templates."""
    blueprint = Blueprint("templates", __name__)
    read, use = Permission(Resource.TEMPLATE, Action.READ), current_user

    async def as_message(template: Template) -> messages.Template:
        return template_message(template, await templates.get_build_times(template))

    @blueprint.get("/api/v2/templates")
    @needs(read)
    async def list_templates() -> Response:
        found = await templates.list_matching(use(), request.args.get("q", ""))
        return answer([await as_message(template) for template in found])

    @blueprint.get("/api/v2/organizations/<organization>/templates")
    @needs(read)
    async def list_of_organization(organization: str) -> Response:
        resolved = await organizations.resolve_organization(organization)
        found = await templates.list_matching(use(), request.args.get("q", ""), organization_id=resolved.id)
        return answer([await as_message(template) for template in found])

    @blueprint.post("/api/v2/organizations/<organization>/templates")
    @needs(Permission(Resource.TEMPLATE, Action.CREATE))
    async def create(organization: str) -> Response:
        resolved = await organizations.resolve_organization(organization)
        body = await read_body(messages.CreateTemplateRequest)
        return answer(await as_message(await templates.create(use(), resolved.id, body)), 201)

    @blueprint.get("/api/v2/organizations/<organization>/templates/<name>")
    @needs(read)
    async def get_by_name(organization: str, name: str) -> Response:
        resolved = await organizations.resolve_organization(organization)
        return answer(await as_message(await templates.get_by_name(use(), resolved.id, name)))

    @blueprint.get("/api/v2/templates/<template>")
    @needs(read)
    async def get(template: str) -> Response:
        return answer(await as_message(await templates.get(use(), parse_id(template, "template"))))

    @blueprint.get("/api/v2/templates/examples")
    @needs(Permission(Resource.TEMPLATE, Action.READ))
    async def list_examples() -> Response:
        return answer(await examples.list_all())

    @blueprint.get("/api/v2/organizations/<organization>/templates/examples")
    @needs(Permission(Resource.TEMPLATE, Action.READ))
    async def list_examples_of_organization(organization: str) -> Response:
        await organizations.resolve_organization(organization)
        return answer(await examples.list_all())

    @blueprint.patch("/api/v2/templates/<template>")
    @needs(Permission(Resource.TEMPLATE, Action.UPDATE))
    async def update(template: str) -> Response:
        body = await read_body(messages.UpdateTemplateRequest)
        changed = await templates.update(use(), parse_id(template, "template"), body)
        return answer(await as_message(changed)) if changed is not None else Response(b"", status=304)

    @blueprint.delete("/api/v2/templates/<template>")
    @needs(Permission(Resource.TEMPLATE, Action.DELETE))
    async def delete(template: str) -> Response:
        await templates.delete(use(), parse_id(template, "template"))
        return say("Template has been deleted.")

    @blueprint.patch("/api/v2/templates/<template>/versions")
    @needs(Permission(Resource.TEMPLATE, Action.UPDATE))
    async def promote(template: str) -> Response:
        body = await read_body(messages.UpdateActiveVersionRequest)
        await templates.promote(use(), parse_id(template, "template"), parse_id(body.id, "id"))
        return say("Updated the active template version.")

    @blueprint.post("/api/v2/templates/<template>/versions/archive")
    @needs(Permission(Resource.TEMPLATE, Action.UPDATE))
    async def archive_versions(template: str) -> Response:
        body = await read_body(messages.ArchiveVersionsRequest)
        template_id = parse_id(template, "template")
        archived = await archive.archive_unused(use(), template_id, also_good=body.all)
        text = f"{len(archived)} version{'' if len(archived) == 1 else 's'} archived."
        return answer(messages.ArchiveVersionsResponse(message=text, template_id=template_id, archived_ids=archived))

    return blueprint
