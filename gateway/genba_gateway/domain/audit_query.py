"""The search grammar of `GET /audit?q=` (contract 2.3): parsed here, run by store.audit_logs."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from genba_gateway.domain.search_query import QueryProblem, read_ids, read_pairs, refuse_key

KEYS: Final = (
    "resource_type, resource_id, resource_target, action, username, email, date_from, date_to, build_reason, "
    "organization"
)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which entries to list; None or empty means no filter. `organization` may be a name or an id."""

    resource_type: str = ""
    resource_id: str = ""
    resource_target: str = ""
    action: str = ""
    username: str = ""
    email: str = ""
    since: datetime | None = None
    before: datetime | None = None
    build_reason: str = ""
    organization: str = ""


def parse_audit_query(text: str) -> AuditQuery:
    """Parse `key:value` words; a bare word is what something was done to. Everything is lower-cased.

    Raises:
        QueryProblem: names the key, and what would do.
    """
    query = AuditQuery()
    for key, value in read_pairs(text):
        query = _apply(query, key or "resource_target", value)
    return query


def _apply(query: AuditQuery, key: str, value: str) -> AuditQuery:
    match key:
        case "resource_type":
            return replace(query, resource_type=value)
        case "resource_id":
            return replace(query, resource_id=_read_id(key, value))
        case "resource_target":
            return replace(query, resource_target=value)
        case "action":
            return replace(query, action=value)
        case "username":
            return replace(query, username=value)
        case "email":
            return replace(query, email=value)
        case "date_from":
            return replace(query, since=_read_day(key, value))
        case "date_to":
            return replace(query, before=_day_after(key, _read_day(key, value)))
        case "build_reason":
            return replace(query, build_reason=value)
        case "organization":
            return replace(query, organization=value)
        case _:
            raise refuse_key(key, KEYS)


def _read_id(key: str, value: str) -> str:
    first, *others = read_ids(key, value)
    if others:
        raise QueryProblem(key, "may be one id")
    return first


def _day_after(key: str, day: datetime) -> datetime:
    try:
        return day + timedelta(days=1)
    except OverflowError:
        raise QueryProblem(key, "is the last day of the calendar: leave it out") from None


def _read_day(key: str, value: str) -> datetime:
    try:
        if not _DAY.fullmatch(value):
            raise ValueError
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    except ValueError:
        raise QueryProblem(key, f"{value!r} is not a day like 2026-01-31") from None
