"""Entries of the audit log, as they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from genba_gateway.domain.users import Organization, User

_VERBS: Final = {
    "create": "created",
    "write": "changed",
    "delete": "deleted",
    "start": "started",
    "stop": "stopped",
    "login": "signed in to",
    "logout": "signed out of",
    "connect": "connected to",
}
_FAILURE: Final = 400


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to which thing; the user may be unknown, or deleted since."""

    id: str
    time: datetime
    user: User | None
    organization: Organization | None
    action: str
    resource_type: str
    resource_id: str
    resource_target: str
    ip_address: str
    user_agent: str
    status_code: int
    additional_fields: Mapping[str, str]
    is_deleted: bool


def describe_entry(entry: AuditEntry) -> str:
    """The entry as a sentence without its end."""
    who = entry.user.username if entry.user is not None else "Somebody"
    verb = _VERBS.get(entry.action, entry.action)
    failed = "tried in vain: " if entry.status_code >= _FAILURE else ""
    return f"{who} {failed}{verb} {entry.resource_type.replace('_', ' ')} {entry.resource_target}".rstrip()
