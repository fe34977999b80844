"""Queries on template versions, their parameters and variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.provisioning import TemplateParameter, TemplateVariable
from genba_gateway.domain.templates import TemplateVersion
from genba_gateway.store import tables
from genba_gateway.store.jobs import job_columns, list_queue_places, read_job
from genba_gateway.store.rows import columns_of, read_record
from genba_gateway.store.sealing import Sealer

_versions = tables.template_versions
_templates = tables.templates
_users = tables.users
_jobs = tables.provisioner_jobs
_builds = tables.workspace_builds
_workspaces = tables.workspaces
_parameters = tables.template_version_parameters
_variables = tables.template_version_variables


def _select() -> sa.Select[Any]:
    return (
        sa.select(
            *columns_of(_versions),
            *job_columns(),
            _users.c.username.label("created_by_name"),
            _users.c.avatar_url.label("created_by_avatar_url"),
            sa.func.coalesce(_templates.c.name, "").label("template_name"),
            sa.func.coalesce(_templates.c.display_name, "").label("template_display_name"),
            sa.func.coalesce(_templates.c.icon, "").label("template_icon"),
        )
        .join(_jobs, _jobs.c.id == _versions.c.job_id)
        .join(_users, _users.c.id == _versions.c.created_by)
        .outerjoin(_templates, _templates.c.id == _versions.c.template_id)
    )


async def _read(connection: AsyncConnection, query: sa.Select[Any]) -> list[TemplateVersion]:
    rows = (await connection.execute(query)).mappings().all()
    waiting = any(row["j_started_at"] is None and row["j_completed_at"] is None for row in rows)
    places, size = await list_queue_places(connection) if waiting else ({}, 0)
    return [
        read_record(
            TemplateVersion,
            row,
            job=read_job(row, position=places.get(row["j_id"], 0), size=size),
        )
        for row in rows
    ]


async def insert_version(connection: AsyncConnection, version: TemplateVersion) -> None:
    """Store a new version; its job must be there."""
    own = {column.name for column in _versions.c} - {"job_id"}
    values = {name: getattr(version, name) for name in version.__slots__ if name in own}
    await connection.execute(_versions.insert().values(**values, job_id=version.job.id))


async def find_version(connection: AsyncConnection, version_id: str) -> TemplateVersion | None:
    """One version."""
    return next(iter(await _read(connection, _select().where(_versions.c.id == version_id))), None)


async def find_version_of_job(connection: AsyncConnection, job_id: str) -> TemplateVersion | None:
    """The version that an import job reads."""
    return next(iter(await _read(connection, _select().where(_versions.c.job_id == job_id))), None)


async def find_version_by_name(connection: AsyncConnection, template_id: str, name: str) -> TemplateVersion | None:
    """One version of a template by its name."""
    query = _select().where(_versions.c.template_id == template_id, _versions.c.name == name)
    return next(iter(await _read(connection, query)), None)


async def list_versions(
    connection: AsyncConnection,
    template_id: str,
    *,
    include_archived: bool,
    after_id: str | None,
    limit: int | None,
    offset: int,
) -> list[TemplateVersion]:
    """Versions of a template, oldest first."""
    query = _select().where(_versions.c.template_id == template_id)
    query = query.order_by(_versions.c.created_at, _versions.c.id).offset(offset).limit(limit)
    if not include_archived:
        query = query.where(_versions.c.archived.is_(False))
    if after_id is not None:
        after = sa.select(_versions.c.created_at).where(_versions.c.id == after_id).scalar_subquery()
        later_of_its_time = sa.and_(_versions.c.created_at == after, _versions.c.id > after_id)
        query = query.where(sa.or_(_versions.c.created_at > after, later_of_its_time))
    return await _read(connection, query)


async def find_previous(connection: AsyncConnection, version: TemplateVersion) -> TemplateVersion | None:
    """The version of the same template that was made before this one."""
    query = _select().where(_versions.c.template_id == version.template_id, _versions.c.created_at < version.created_at)
    query = query.order_by(_versions.c.created_at.desc(), _versions.c.id.desc()).limit(1)
    return next(iter(await _read(connection, query)), None)


async def list_unused(connection: AsyncConnection, template_id: str, *, also_good: bool) -> list[tuple[str, str]]:
    """Ids and names of versions that are imported, not archived, not active, and under no workspace's latest build."""
    later = _builds.alias("later_of_version")
    is_latest = ~sa.exists().where(
        later.c.workspace_id == _builds.c.workspace_id, later.c.build_number > _builds.c.build_number
    )
    used = (
        sa.select(_builds.c.template_version_id)
        .join(_workspaces, _workspaces.c.id == _builds.c.workspace_id)
        .where(is_latest, _workspaces.c.deleted.is_(False))
    )
    query = (
        sa.select(_versions.c.id, _versions.c.name)
        .join(_jobs, _jobs.c.id == _versions.c.job_id)
        .join(_templates, _templates.c.id == _versions.c.template_id)
        .where(
            _versions.c.template_id == template_id,
            _versions.c.archived.is_(False),
            _versions.c.id != _templates.c.active_version_id,
            _versions.c.id.not_in(used),
            _jobs.c.completed_at.is_not(None),
        )
        .order_by(_versions.c.created_at, _versions.c.id)
    )
    if not also_good:
        query = query.where(sa.or_(_jobs.c.error != "", _jobs.c.canceled_at.is_not(None)))
    return [(row.id, row.name) for row in (await connection.execute(query)).all()]


async def update_version(connection: AsyncConnection, version_id: str, values: Mapping[str, object]) -> None:
    """Change columns of a version."""
    await connection.execute(_versions.update().where(_versions.c.id == version_id).values(**values))


async def insert_parameters(
    connection: AsyncConnection, version_id: str, parameters: Sequence[TemplateParameter]
) -> None:
    """Store what an import found, in order."""
    if parameters:
        await connection.execute(
            _parameters.insert(),
            [
                {
                    "template_version_id": version_id,
                    "name": parameter.name,
                    "position": position,
                    "spec": msgspec.to_builtins(parameter),
                }
                for position, parameter in enumerate(parameters)
            ],
        )


async def list_parameters(connection: AsyncConnection, version_id: str) -> list[TemplateParameter]:
    """Parameters of a version, in order."""
    query = sa.select(_parameters.c.spec).where(_parameters.c.template_version_id == version_id)
    rows = (await connection.execute(query.order_by(_parameters.c.position))).scalars().all()
    return [msgspec.convert(row, TemplateParameter) for row in rows]


async def insert_variables(
    connection: AsyncConnection, sealer: Sealer, version_id: str, variables: Sequence[TemplateVariable]
) -> None:
    """Store what an import found, in order; values are sealed."""
    if variables:
        await connection.execute(
            _variables.insert(),
            [
                {
                    "template_version_id": version_id,
                    "name": variable.name,
                    "position": position,
                    "description": variable.description,
                    "type": variable.type,
                    "value_sealed": sealer.seal_text(variable.value),
                    "default_value": variable.default_value,
                    "required": variable.required,
                    "sensitive": variable.sensitive,
                }
                for position, variable in enumerate(variables)
            ],
        )


async def list_variables(connection: AsyncConnection, sealer: Sealer, version_id: str) -> list[TemplateVariable]:
    """Variables of a version with their values, in order."""
    query = sa.select(_variables).where(_variables.c.template_version_id == version_id)
    rows = (await connection.execute(query.order_by(_variables.c.position))).mappings().all()
    return [read_record(TemplateVariable, row, value=sealer.open_text(row["value_sealed"])) for row in rows]
