"""Queries on workspaces, each with its latest build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.workspace_query import WorkspaceQuery
from genba_gateway.domain.workspaces import Workspace, WorkspaceStatus
from genba_gateway.store import tables
from genba_gateway.store.builds import build_columns, builds, join_build, read_build, read_queue_if_waiting
from genba_gateway.store.rows import columns_of, read_record

_workspaces = tables.workspaces
_templates = tables.templates
_organizations = tables.organizations
_jobs = tables.provisioner_jobs
_versions = tables.template_versions
_users = tables.users

_later = builds.alias("later")
_IS_LATEST = ~sa.exists().where(
    _later.c.workspace_id == builds.c.workspace_id, _later.c.build_number > builds.c.build_number
)


@dataclass(frozen=True, slots=True)
class NewWorkspace:
    """The columns of a workspace to be inserted."""

    id: str
    owner_id: str
    organization_id: str
    template_id: str
    name: str
    autostart_schedule: str | None
    next_start_at: datetime | None
    ttl_ms: int | None
    automatic_updates: str
    created_at: datetime


def _select() -> sa.Select[Any]:
    query = sa.select(
        *columns_of(_workspaces, "w_"),
        *build_columns(),
        _templates.c.allow_user_cancel_workspace_jobs.label("w_template_allow_user_cancel_workspace_jobs"),
        _templates.c.active_version_id.label("w_template_active_version_id"),
        _templates.c.require_active_version.label("w_template_require_active_version"),
        _organizations.c.name.label("w_organization_name"),
    )
    joined = join_build(query).join(_organizations, _organizations.c.id == _workspaces.c.organization_id)
    return joined.where(_IS_LATEST)


async def _read(connection: AsyncConnection, query: sa.Select[Any]) -> list[Workspace]:
    rows: list[Mapping[str, Any]] = [dict(row) for row in (await connection.execute(query)).mappings().all()]
    places, size = await read_queue_if_waiting(connection, rows)
    return [
        read_record(
            Workspace,
            row,
            "w_",
            owner_name=row["b_owner_name"],
            owner_avatar_url=row["b_owner_avatar_url"],
            template_name=row["b_template_name"],
            template_display_name=row["b_template_display_name"],
            template_icon=row["b_template_icon"],
            latest_build=read_build(row, places, size),
        )
        for row in rows
    ]


async def insert_workspace(connection: AsyncConnection, workspace: NewWorkspace) -> None:
    """Store a new workspace.

    Raises:
        sqlalchemy.exc.IntegrityError: the owner has one of this name.
    """
    await connection.execute(
        _workspaces.insert().values(
            id=workspace.id,
            owner_id=workspace.owner_id,
            organization_id=workspace.organization_id,
            template_id=workspace.template_id,
            name=workspace.name,
            autostart_schedule=workspace.autostart_schedule,
            next_start_at=workspace.next_start_at,
            ttl_ms=workspace.ttl_ms,
            automatic_updates=workspace.automatic_updates,
            last_used_at=workspace.created_at,
            user_acl={},
            group_acl={},
            created_at=workspace.created_at,
            updated_at=workspace.created_at,
            favorite=False,
        )
    )


async def find_workspace(connection: AsyncConnection, workspace_id: str) -> Workspace | None:
    """One workspace, deleted ones too."""
    return next(iter(await _read(connection, _select().where(_workspaces.c.id == workspace_id))), None)


async def find_workspace_by_name(
    connection: AsyncConnection, owner_id: str, name: str, *, include_deleted: bool = False
) -> Workspace | None:
    """One workspace of a user; with `include_deleted` the newest of that name if none lives."""
    query = _select().where(_workspaces.c.owner_id == owner_id, sa.func.lower(_workspaces.c.name) == name.lower())
    query = query.order_by(_workspaces.c.deleted, _workspaces.c.created_at.desc()).limit(1)
    if not include_deleted:
        query = query.where(_workspaces.c.deleted.is_(False))
    return next(iter(await _read(connection, query)), None)


async def list_workspaces(
    connection: AsyncConnection,
    query: WorkspaceQuery,
    *,
    visible_to: str | None,
    caller_id: str,
    limit: int | None,
    offset: int,
) -> tuple[list[Workspace], int]:
    """Workspaces that match, in the contract's order (own favorites, running ones, owner, name), and their number.

    Args:
        visible_to: only workspaces of this owner; None for all.
        caller_id: whom `owner:me` means.
    """
    filtered = _filter(_select(), query, caller_id).where(_workspaces.c.deleted.is_(False))
    if visible_to is not None:
        filtered = filtered.where(_workspaces.c.owner_id == visible_to)
    running = _status_condition(WorkspaceStatus.RUNNING)
    own_favorite = sa.and_(_workspaces.c.favorite.is_(True), _workspaces.c.owner_id == caller_id)
    ordered = filtered.order_by(
        sa.case((own_favorite, 0), else_=1),
        sa.case((running, 0), else_=1),
        sa.text("lower(b_owner_name)"),
        sa.func.lower(_workspaces.c.name),
    )
    found = await _read(connection, ordered.offset(offset).limit(limit))
    if limit is None and not offset:
        return found, len(found)
    counted = sa.select(sa.func.count()).select_from(filtered.subquery())
    return found, (await connection.execute(counted)).scalar_one()


def _filter(base: sa.Select[Any], query: WorkspaceQuery, caller_id: str) -> sa.Select[Any]:
    conditions: list[sa.ColumnElement[bool]] = []
    if query.owner == "me":
        conditions.append(_workspaces.c.owner_id == caller_id)
    elif query.owner:
        named = sa.select(_users.c.id).where(
            sa.or_(sa.func.lower(_users.c.username) == query.owner, _users.c.id == query.owner)
        )
        conditions.append(_workspaces.c.owner_id.in_(named))
    if query.template:
        conditions.append(sa.func.lower(_templates.c.name) == query.template)
    if query.name:
        conditions.append(sa.func.lower(_workspaces.c.name).contains(query.name, autoescape=True))
    if query.exact_name:
        conditions.append(sa.func.lower(_workspaces.c.name) == query.exact_name)
    if query.status is not None:
        conditions.append(_status_condition(query.status))
    if query.dormant:
        conditions.append(_workspaces.c.dormant_at.is_not(None))
    if query.last_used_before is not None:
        conditions.append(_workspaces.c.last_used_at < query.last_used_before)
    if query.last_used_after is not None:
        conditions.append(_workspaces.c.last_used_at > query.last_used_after)
    if query.outdated is not None:
        is_outdated = builds.c.template_version_id != _templates.c.active_version_id
        conditions.append(is_outdated if query.outdated else ~is_outdated)
    if query.ids:
        conditions.append(_workspaces.c.id.in_(query.ids))
    if query.organization:
        conditions.append(
            sa.or_(
                sa.func.lower(_organizations.c.name) == query.organization, _organizations.c.id == query.organization
            )
        )
    return base.where(*conditions)


def _status_condition(status: WorkspaceStatus) -> sa.ColumnElement[bool]:
    job, transition = _jobs.c, builds.c.transition
    ended, canceled, failed = job.completed_at.is_not(None), job.canceled_at.is_not(None), job.error != ""
    started = job.started_at.is_not(None)
    running = sa.and_(~ended, ~canceled, started)
    succeeded = sa.and_(ended, ~canceled, ~failed)
    match status:
        case WorkspaceStatus.PENDING:
            return sa.and_(~ended, ~canceled, ~started)
        case WorkspaceStatus.STARTING:
            return sa.and_(running, transition == "start")
        case WorkspaceStatus.STOPPING:
            return sa.and_(running, transition == "stop")
        case WorkspaceStatus.DELETING:
            return sa.and_(running, transition == "delete")
        case WorkspaceStatus.RUNNING:
            return sa.and_(succeeded, transition == "start")
        case WorkspaceStatus.STOPPED:
            return sa.and_(succeeded, transition == "stop")
        case WorkspaceStatus.DELETED:
            return sa.and_(succeeded, transition == "delete")
        case WorkspaceStatus.FAILED:
            return sa.and_(ended, ~canceled, failed)
        case WorkspaceStatus.CANCELING:
            return sa.and_(~ended, canceled)
        case WorkspaceStatus.CANCELED:
            return sa.and_(ended, canceled)


async def list_by_ids(connection: AsyncConnection, workspace_ids: Sequence[str]) -> list[Workspace]:
    """Workspaces by id, deleted ones too."""
    return await _read(connection, _select().where(_workspaces.c.id.in_(workspace_ids)))


async def update_workspace(connection: AsyncConnection, workspace_id: str, values: Mapping[str, object]) -> None:
    """Change columns of a workspace."""
    await connection.execute(_workspaces.update().where(_workspaces.c.id == workspace_id).values(**values))
