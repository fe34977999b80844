"""Queries on workspace agents: who they are, what users see of them, what they report about themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.actors import AgentActor
from genba_gateway.domain.agents import Agent, App, LifecycleTimes, LogSource, Script
from genba_gateway.domain.app_addresses import make_label
from genba_gateway.domain.provisioning import AppHealthcheck
from genba_gateway.store import tables
from genba_gateway.store.agent_specs import insert_agents, upsert_agents
from genba_gateway.store.rows import columns_of, read_record
from genba_gateway.store.sealing import Sealer

__all__ = [
    "find_agent",
    "find_agent_actor",
    "find_agent_actor_by_report_key",
    "get_lifecycle_times",
    "insert_agents",
    "is_current",
    "join_workspace",
    "list_agents_of_resources",
    "list_app_healths",
    "touch_workspace",
    "update_agent",
    "update_app_health",
    "upsert_agents",
]

_agents = tables.workspace_agents
_apps = tables.workspace_apps
_builds = tables.workspace_builds
_resources = tables.workspace_resources
_scripts = tables.workspace_agent_scripts
_sources = tables.workspace_agent_log_sources
_workspaces = tables.workspaces
_later = _builds.alias("later_builds")
_later_jobs = tables.provisioner_jobs.alias("later_jobs")
_NOT_READ = frozenset({"hashed_token", "hashed_report_key"})
PartT = TypeVar("PartT")


def is_current() -> sa.ColumnElement[bool]:
    """Whether an agent, after `join_workspace`, is of the latest build of a workspace that is not deleted.

    A newer build takes its place only once it succeeded: until then the agent may live, and the log of its stop
    scripts is wanted (docs/decisions/0005-when-an-agent-is-heard.md).
    """
    later = sa.exists().where(
        _later.c.workspace_id == _builds.c.workspace_id,
        _later.c.build_number > _builds.c.build_number,
        _later_jobs.c.id == _later.c.job_id,
        _later_jobs.c.completed_at.is_not(None),
        _later_jobs.c.canceled_at.is_(None),
        _later_jobs.c.error == "",
    )
    return sa.and_(_workspaces.c.id.is_not(None), _workspaces.c.deleted.is_(False), ~later)


def join_workspace(query: sa.Select[*tuple[Any, ...]]) -> sa.Select[*tuple[Any, ...]]:
    """Join resource, build and workspace to a query on agents; agents of template versions have no build."""
    return (
        query.select_from(_agents)
        .join(_resources, _resources.c.id == _agents.c.resource_id)
        .outerjoin(_builds, _builds.c.job_id == _resources.c.job_id)
        .outerjoin(_workspaces, _workspaces.c.id == _builds.c.workspace_id)
    )


async def find_agent_actor(connection: AsyncConnection, hashed_token: bytes) -> AgentActor | None:
    """The agent of a token; None for agents of older builds and of deleted workspaces.

    The build's job may still be running: an agent may connect as soon as it exists.
    """
    return await _find_actor(connection, _agents.c.hashed_token == hashed_token)


async def find_agent_actor_by_report_key(connection: AsyncConnection, hashed_key: bytes) -> AgentActor | None:
    """The agent whose init script made this report key; None as for `find_agent_actor`."""
    return await _find_actor(connection, _agents.c.hashed_report_key == hashed_key)


async def _find_actor(connection: AsyncConnection, condition: sa.ColumnElement[bool]) -> AgentActor | None:
    query = (
        join_workspace(
            sa.select(
                _agents.c.id,
                _agents.c.name,
                _workspaces.c.id,
                _workspaces.c.name,
                _workspaces.c.owner_id,
                tables.users.c.username,
                _builds.c.id,
            )
        )
        .join(tables.users, tables.users.c.id == _workspaces.c.owner_id)
        .where(condition, is_current())
        .order_by(_builds.c.build_number.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).one_or_none()
    return AgentActor(*row) if row is not None else None


async def find_agent(connection: AsyncConnection, sealer: Sealer, agent_id: str) -> Agent | None:
    """One agent with what belongs to it."""
    return next(iter(await _list(connection, sealer, _agents.c.id == agent_id)), None)


async def list_agents_of_resources(
    connection: AsyncConnection, sealer: Sealer, resource_ids: Sequence[str]
) -> list[Agent]:
    """Agents of resources with what belongs to them, in the template's order within a resource."""
    return await _list(connection, sealer, _agents.c.resource_id.in_(resource_ids)) if resource_ids else []


async def _list(connection: AsyncConnection, sealer: Sealer, condition: sa.ColumnElement[bool]) -> list[Agent]:
    query = join_workspace(
        sa.select(
            *columns_of(_agents, without=_NOT_READ),
            _workspaces.c.id.label("workspace_id"),
            _workspaces.c.owner_id.label("owner_id"),
            _builds.c.id.label("build_id"),
            _workspaces.c.name.label("workspace_name"),
            tables.users.c.username.label("owner_name"),
            is_current().label("is_current"),
        )
    ).outerjoin(tables.users, tables.users.c.id == _workspaces.c.owner_id)
    query = query.where(condition).order_by(_agents.c.resource_id, _agents.c.position)
    rows = (await connection.execute(query)).mappings().all()
    if not rows:
        return []
    ids = [row["id"] for row in rows]
    labels = {row["id"]: (row["owner_name"], row["workspace_name"], row["name"]) for row in rows}
    apps = _by_agent(
        (row["agent_id"], _read_app(row, *labels[row["agent_id"]])) for row in await _parts_of(connection, _apps, ids)
    )
    scripts = _by_agent(
        (row["agent_id"], read_record(Script, row)) for row in await _parts_of(connection, _scripts, ids)
    )
    sources = _by_agent(
        (row["agent_id"], read_record(LogSource, row)) for row in await _parts_of(connection, _sources, ids)
    )
    return [
        read_record(
            Agent,
            row,
            display_apps=tuple(row["display_apps"]),
            subsystems=tuple(row["subsystems"]),
            workspace_id=row["workspace_id"] or "",
            owner_id=row["owner_id"] or "",
            build_id=row["build_id"] or "",
            is_current=bool(row["is_current"]),
            environment=msgspec.json.decode(sealer.open(row["environment_sealed"]), type=dict[str, str]),
            apps=apps.get(row["id"], ()),
            scripts=scripts.get(row["id"], ()),
            log_sources=sources.get(row["id"], ()),
        )
        for row in rows
    ]


async def _parts_of(connection: AsyncConnection, table: sa.Table, ids: Sequence[str]) -> list[Mapping[str, Any]]:
    order = table.c.position if "position" in table.c else table.c.created_at
    query = sa.select(table).where(table.c.agent_id.in_(ids)).order_by(order, table.c.id)
    return [dict(row) for row in (await connection.execute(query)).mappings()]


def _by_agent(parts: Iterable[tuple[str, PartT]]) -> dict[str, tuple[PartT, ...]]:
    found: dict[str, list[PartT]] = {}
    for agent_id, part in parts:
        found.setdefault(agent_id, []).append(part)
    return {agent_id: tuple(each) for agent_id, each in found.items()}


def _read_app(row: Mapping[str, Any], owner: str | None, workspace: str | None, agent: str) -> App:
    check = AppHealthcheck(row["healthcheck_url"], row["healthcheck_interval_s"], row["healthcheck_threshold"])
    label = make_label(owner, workspace, agent, row["slug"]) if row["subdomain"] and owner and workspace else ""
    return read_record(App, row, healthcheck=check if check.url else None, subdomain_name=label)


async def update_agent(connection: AsyncConnection, agent_id: str, values: Mapping[str, object]) -> None:
    """Change columns of an agent."""
    await connection.execute(_agents.update().where(_agents.c.id == agent_id).values(**values))


async def get_lifecycle_times(connection: AsyncConnection, agent_id: str) -> LifecycleTimes:
    """When the agent last began to start, and when it was done with it."""
    query = sa.select(_agents.c.started_at, _agents.c.ready_at).where(_agents.c.id == agent_id)
    started_at, ready_at = (await connection.execute(query)).one()
    return LifecycleTimes(started_at=started_at, ready_at=ready_at)


async def list_app_healths(connection: AsyncConnection, agent_id: str) -> dict[str, str]:
    """Health by id of the agent's apps that have a health check."""
    query = sa.select(_apps.c.id, _apps.c.health)
    query = query.where(_apps.c.agent_id == agent_id, _apps.c.healthcheck_url != "")
    return {row[0]: row[1] for row in (await connection.execute(query)).all()}


async def update_app_health(connection: AsyncConnection, app_id: str, health: str) -> None:
    """Store what the agent found out about an app."""
    await connection.execute(_apps.update().where(_apps.c.id == app_id).values(health=health))


async def touch_workspace(connection: AsyncConnection, workspace_id: str, now: datetime) -> None:
    """Note that somebody uses the workspace."""
    await connection.execute(_workspaces.update().where(_workspaces.c.id == workspace_id).values(last_used_at=now))
