"""The route of the audit log (contract 2.3)."""

from __future__ import annotations

from quart import Blueprint, Response, request

from genba_gateway.api.answers import answer
from genba_gateway.api.gate import current_user, needs
from genba_gateway.api.paging import read_page
from genba_gateway.api.users import user_message
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.domain.audit_logs import AuditEntry, describe_entry
from genba_gateway.services.audit_logs import AuditLogs
from genba_wire.api.audit import AuditLog, AuditLogResponse, MinimalOrganization
from genba_wire.api.message import NIL_UUID


def audit_message(entry: AuditEntry) -> AuditLog:
    """An entry as JSON."""
    organization = entry.organization
    return AuditLog(
        id=entry.id,
        request_id=NIL_UUID,
        time=entry.time,
        ip=entry.ip_address,
        user_agent=entry.user_agent,
        resource_type=entry.resource_type,
        resource_id=entry.resource_id or NIL_UUID,
        resource_target=entry.resource_target,
        resource_icon="",
        action=entry.action,
        diff={},
        status_code=entry.status_code,
        additional_fields=dict(entry.additional_fields),
        description=describe_entry(entry),
        resource_link=f"/templates/{entry.resource_target}" if entry.resource_type == "template" else "",
        is_deleted=entry.is_deleted,
        organization_id=organization.id if organization is not None else NIL_UUID,
        organization=(
            MinimalOrganization(
                id=organization.id,
                name=organization.name,
                display_name=organization.display_name,
                icon=organization.icon,
            )
            if organization is not None
            else None
        ),
        user=user_message(entry.user) if entry.user is not None else None,
    )


def make_blueprint(audit_logs: AuditLogs) -> Blueprint:
    """The route."""
    blueprint = Blueprint("audit_logs", __name__)

    @blueprint.get("/api/v2/audit")
    @needs(Permission(Resource.AUDIT_LOG, Action.READ))
    async def list_page() -> Response:
        page = read_page()
        found, count = await audit_logs.list_page(
            current_user(), request.args.get("q", ""), limit=page.limit, offset=page.offset
        )
        return answer(AuditLogResponse(audit_logs=[audit_message(entry) for entry in found], count=count))

    return blueprint
