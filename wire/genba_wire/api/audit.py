"""Messages of the audit log (contract, appendix B)."""

from __future__ import annotations

from datetime import datetime

from genba_wire.api.message import Message
from genba_wire.api.users import User


class MinimalOrganization(Message, frozen=True, kw_only=True):
    """An organization in few words."""

    id: str
    name: str
    display_name: str
    icon: str


class AuditLog(Message, frozen=True, kw_only=True):
    """Who did what to which thing. What it was before is not recorded, so `diff` is empty."""

    id: str
    request_id: str
    time: datetime
    ip: str
    user_agent: str
    resource_type: str
    resource_id: str
    resource_target: str
    resource_icon: str
    action: str
    diff: dict[str, str]
    status_code: int
    additional_fields: dict[str, str]
    description: str
    resource_link: str
    is_deleted: bool
    organization_id: str
    organization: MinimalOrganization | None = None
    user: User | None = None


class AuditLogResponse(Message, frozen=True, kw_only=True):
    """GET /audit; `count` is the total before the limit."""

    audit_logs: list[AuditLog]
    count: int
