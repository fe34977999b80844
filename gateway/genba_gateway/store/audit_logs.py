"""The audit table: rows are added, never changed, and read by owners."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.audit_logs import AuditEntry
from genba_gateway.domain.audit_query import AuditQuery
from genba_gateway.domain.users import Organization
from genba_gateway.store import tables
from genba_gateway.store.rows import columns_of, read_record
from genba_gateway.store.users import read_user, user_columns

_logs = tables.audit_logs
_users = tables.users
_organizations = tables.organizations
_builds = tables.workspace_builds


async def insert_audit_log(
    connection: AsyncConnection,
    *,
    now: datetime,
    user_id: str | None,
    organization_id: str | None,
    action: str,
    resource_type: str,
    resource_id: str,
    resource_target: str,
    ip_address: str = "",
    user_agent: str = "",
    status_code: int = 0,
    additional_fields: dict[str, str] | None = None,
) -> None:
    """Say who did what to which thing, in the transaction that did it."""
    await connection.execute(
        tables.audit_logs.insert().values(
            id=str(uuid.uuid4()),
            time=now,
            user_id=user_id,
            organization_id=organization_id,
            action=action,
            resource_type=resource_type,
            resource_id=resource_id,
            resource_target=resource_target,
            ip_address=ip_address,
            user_agent=user_agent,
            status_code=status_code,
            additional_fields=additional_fields or {},
        )
    )


async def list_audit_logs(
    connection: AsyncConnection, query: AuditQuery, *, limit: int, offset: int
) -> tuple[list[AuditEntry], int]:
    """Entries that match, newest first, and how many match in all."""
    joined = (
        sa.select(_logs.c.id)
        .outerjoin(_users, _users.c.id == _logs.c.user_id)
        .outerjoin(_organizations, _organizations.c.id == _logs.c.organization_id)
        .where(*_conditions(query))
    )
    count = (await connection.execute(sa.select(sa.func.count()).select_from(joined.subquery()))).scalar_one()
    page = joined.order_by(_logs.c.time.desc(), _logs.c.id).limit(limit).offset(offset)
    columns = (
        *columns_of(_logs),
        *user_columns("u_"),
        *columns_of(_organizations, "o_"),
        _is_deleted().label("is_deleted"),
    )
    rows = (await connection.execute(page.with_only_columns(*columns))).mappings().all()
    return [
        read_record(
            AuditEntry,
            row,
            user=read_user(row, "u_") if row["u_id"] is not None else None,
            organization=read_record(Organization, row, "o_") if row["o_id"] is not None else None,
            is_deleted=bool(row["is_deleted"]),
        )
        for row in rows
    ], count


def _conditions(query: AuditQuery) -> list[sa.ColumnElement[bool]]:
    named: tuple[tuple[sa.ColumnElement[Any], str], ...] = (
        (_logs.c.resource_type, query.resource_type),
        (_logs.c.resource_id, query.resource_id),
        (sa.func.lower(_logs.c.resource_target), query.resource_target),
        (_logs.c.action, query.action),
        (sa.func.lower(_users.c.username), query.username),
        (sa.func.lower(_users.c.email), query.email),
    )
    conditions = [column == value for column, value in named if value]
    if query.since is not None:
        conditions.append(_logs.c.time >= query.since)
    if query.before is not None:
        conditions.append(_logs.c.time < query.before)
    if query.organization:
        by_name = sa.func.lower(_organizations.c.name) == query.organization
        conditions.append(sa.or_(by_name, _organizations.c.id == query.organization))
    if query.build_reason:
        of_reason = sa.select(_builds.c.id).where(_builds.c.reason == query.build_reason)
        conditions.append(_logs.c.resource_id.in_(of_reason))
    return conditions


def _is_deleted() -> sa.ColumnElement[bool]:
    """Whether what it was done to is gone: of users, templates and workspaces, which stay as rows."""
    gone = [
        sa.exists().where(table.c.id == _logs.c.resource_id, table.c.deleted.is_(True)).correlate(_logs)
        for table in (_users.alias("gone_users"), tables.templates, tables.workspaces)
    ]
    return sa.or_(*gone)
