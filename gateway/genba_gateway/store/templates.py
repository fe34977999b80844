"""Queries on templates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.template_query import TemplateQuery
from genba_gateway.domain.templates import BuildTimes, Template
from genba_gateway.store import tables
from genba_gateway.store.rows import read_record

_templates = tables.templates
_organizations = tables.organizations
_users = tables.users
_builds = tables.workspace_builds
_jobs = tables.provisioner_jobs
_versions = tables.template_versions

RECENT_BUILDS = 100
"""Build times are taken from so many builds of a template at most."""


def _select() -> sa.Select[Any]:
    return (
        sa.select(
            _templates,
            _organizations.c.name.label("organization_name"),
            _organizations.c.display_name.label("organization_display_name"),
            _organizations.c.icon.label("organization_icon"),
            _users.c.username.label("created_by_name"),
        )
        .join(_organizations, _organizations.c.id == _templates.c.organization_id)
        .join(_users, _users.c.id == _templates.c.created_by)
    )


async def insert_template(connection: AsyncConnection, template: Template) -> None:
    """Store a new template."""
    own = {column.name for column in _templates.c}
    values = {name: getattr(template, name) for name in template.__slots__ if name in own}
    await connection.execute(_templates.insert().values(**values, user_acl={}, group_acl={}))


async def find_template(connection: AsyncConnection, template_id: str) -> Template | None:
    """One template, deleted ones too."""
    row = (await connection.execute(_select().where(_templates.c.id == template_id))).mappings().one_or_none()
    return read_record(Template, dict(row)) if row else None


async def find_template_by_name(connection: AsyncConnection, organization_id: str, name: str) -> Template | None:
    """One template that is not deleted."""
    query = _select().where(
        _templates.c.organization_id == organization_id,
        sa.func.lower(_templates.c.name) == name.lower(),
        _templates.c.deleted.is_(False),
    )
    row = (await connection.execute(query)).mappings().one_or_none()
    return read_record(Template, dict(row)) if row else None


async def list_templates(connection: AsyncConnection, query: TemplateQuery) -> list[Template]:
    """Templates that are not deleted and match, by name."""
    conditions: list[sa.ColumnElement[bool]] = [_templates.c.deleted.is_(False)]
    name, organization = sa.func.lower(_templates.c.name), query.organization.lower()
    if query.name:
        conditions.append(name.contains(query.name.lower(), autoescape=True))
    if query.exact_name:
        conditions.append(name == query.exact_name.lower())
    if query.organization:
        named = sa.func.lower(_organizations.c.name) == organization
        conditions.append(sa.or_(named, _organizations.c.id == organization))
    if query.ids:
        conditions.append(_templates.c.id.in_(query.ids))
    if query.deprecated is not None:
        is_deprecated = _templates.c.deprecation_message != ""
        conditions.append(is_deprecated if query.deprecated else ~is_deprecated)
    if query.has_ai_task:
        # No version can have one: the provider has no such resource.
        conditions.append(sa.false())
    rows = (await connection.execute(_select().where(*conditions).order_by(_templates.c.name))).mappings().all()
    return [read_record(Template, dict(row)) for row in rows]


async def update_template(connection: AsyncConnection, template_id: str, values: Mapping[str, object]) -> None:
    """Change columns of a template."""
    await connection.execute(_templates.update().where(_templates.c.id == template_id).values(**values))


async def count_workspaces(connection: AsyncConnection, template_id: str) -> int:
    """Workspaces of a template that are not deleted."""
    workspaces = tables.workspaces
    query = sa.select(sa.func.count()).where(workspaces.c.template_id == template_id, workspaces.c.deleted.is_(False))
    return (await connection.execute(query)).scalar_one()


async def get_build_times(connection: AsyncConnection, template_id: str) -> dict[str, BuildTimes]:
    """How long the recent builds of a template took, by transition."""
    query = (
        sa.select(_builds.c.transition, _jobs.c.started_at, _jobs.c.completed_at)
        .join(_jobs, _jobs.c.id == _builds.c.job_id)
        .join(_versions, _versions.c.id == _builds.c.template_version_id)
        .where(
            _versions.c.template_id == template_id,
            _jobs.c.completed_at.is_not(None),
            _jobs.c.started_at.is_not(None),
            _jobs.c.canceled_at.is_(None),
            _jobs.c.error == "",
        )
        .order_by(_jobs.c.completed_at.desc())
        .limit(RECENT_BUILDS)
    )
    taken: dict[str, list[int]] = {}
    for transition, started_at, completed_at in (await connection.execute(query)).all():
        taken.setdefault(transition, []).append(_milliseconds(started_at, completed_at))
    return {transition: _percentiles(sorted(each)) for transition, each in taken.items()}


def _milliseconds(started_at: datetime, completed_at: datetime) -> int:
    return round((completed_at - started_at).total_seconds() * 1000)


def _percentiles(ordered: list[int]) -> BuildTimes:
    last = len(ordered) - 1
    return BuildTimes(p50_ms=ordered[round(last * 0.5)], p95_ms=ordered[round(last * 0.95)])
