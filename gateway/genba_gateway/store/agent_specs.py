"""Storing the agents of a job with their scripts, apps and metadata."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.agents import AppHealth, hash_report_key
from genba_gateway.domain.hashing import hash_secret
from genba_gateway.domain.provisioning import AgentMetadataSpec, AgentSpec, AppSpec, ScriptSpec
from genba_gateway.store import tables
from genba_gateway.store.sealing import Sealer

_agents = tables.workspace_agents
_apps = tables.workspace_apps
_metadata = tables.workspace_agent_metadata
_resources = tables.workspace_resources
_scripts = tables.workspace_agent_scripts
_sources = tables.workspace_agent_log_sources

_NOT_COLLECTED: Final = {"value": "", "error": "", "collected_at": None}


async def insert_agents(
    connection: AsyncConnection, sealer: Sealer, *, resource_id: str, agents: Sequence[AgentSpec], now: datetime
) -> list[str]:
    """Store the agents of a resource. Of a token only its hash is kept; an agent without one gets none.

    Returns:
        The agents' ids, in the order given.
    """
    return [
        await _insert_agent(connection, sealer, resource_id, position, agent, now)
        for position, agent in enumerate(agents)
    ]


async def upsert_agents(
    connection: AsyncConnection, sealer: Sealer, *, resource_id: str, agents: Sequence[AgentSpec], now: datetime
) -> list[str]:
    """Store the agents of a resource where some may have been stored for the same job during its apply.

    An agent whose token is known to the job keeps its id, logs and connection, and moves to the resource; its
    scripts, apps and metadata become what the spec says, and keep their ids where they are the same.

    Returns:
        The agents' ids, in the order given.
    """
    known = await _find_agents_of_job(connection, resource_id, agents)
    ids: list[str] = []
    for position, agent in enumerate(agents):
        agent_id = known.get(hash_secret(agent.token)) if agent.token else None
        if agent_id is None:
            agent_id = await _insert_agent(connection, sealer, resource_id, position, agent, now)
        else:
            columns = {**_columns(sealer, agent), "resource_id": resource_id, "position": position, "updated_at": now}
            await connection.execute(_agents.update().where(_agents.c.id == agent_id).values(**columns))
            await _store_parts(connection, agent_id, agent, now)
        ids.append(agent_id)
    return ids


async def _find_agents_of_job(
    connection: AsyncConnection, resource_id: str, agents: Sequence[AgentSpec]
) -> dict[bytes, str]:
    tokens = [hash_secret(agent.token) for agent in agents if agent.token]
    if not tokens:
        return {}
    job_id = sa.select(_resources.c.job_id).where(_resources.c.id == resource_id).scalar_subquery()
    query = (
        sa.select(_agents.c.hashed_token, _agents.c.id)
        .join(_resources, _resources.c.id == _agents.c.resource_id)
        .where(_resources.c.job_id == job_id, _agents.c.hashed_token.in_(tokens))
    )
    return {row[0]: row[1] for row in (await connection.execute(query)).all()}


async def _insert_agent(
    connection: AsyncConnection, sealer: Sealer, resource_id: str, position: int, agent: AgentSpec, now: datetime
) -> str:
    agent_id = str(uuid.uuid4())
    await connection.execute(
        _agents.insert().values(
            id=agent_id,
            resource_id=resource_id,
            position=position,
            hashed_token=hash_secret(agent.token) if agent.token else None,
            hashed_report_key=hash_report_key(agent.token) if agent.token else None,
            subsystems=[],
            created_at=now,
            updated_at=now,
            **_columns(sealer, agent),
        )
    )
    await _store_parts(connection, agent_id, agent, now)
    return agent_id


def _columns(sealer: Sealer, agent: AgentSpec) -> dict[str, object]:
    return {
        "name": agent.name,
        "instance_id": agent.instance_id,
        "architecture": agent.architecture,
        "operating_system": agent.operating_system,
        "environment_sealed": sealer.seal(msgspec.json.encode(dict(agent.environment))),
        "directory": agent.directory,
        "connection_timeout_s": agent.connection_timeout_s,
        "troubleshooting_url": agent.troubleshooting_url,
        "motd_file": agent.motd_file,
        "startup_script_behavior": agent.startup_script_behavior,
        "display_apps": list(agent.display_apps),
        "host_boot_id": agent.host_boot_id,
    }


async def _store_parts(connection: AsyncConnection, agent_id: str, agent: AgentSpec, now: datetime) -> None:
    await _store_scripts(connection, agent_id, agent.scripts, now)
    apps = sorted(agent.apps, key=lambda app: (app.order, app.slug))
    await _store_named(
        connection,
        _apps,
        agent_id,
        "slug",
        [_app_columns(app) for app in apps],
        [{"id": str(uuid.uuid4()), "health": _first_health(app)} for app in apps],
    )
    items = sorted(agent.metadata, key=lambda item: (item.order, item.key))
    await _store_named(
        connection,
        _metadata,
        agent_id,
        "key",
        [_metadata_columns(item) for item in items],
        [_NOT_COLLECTED] * len(items),
    )


async def _store_named(
    connection: AsyncConnection,
    table: sa.Table,
    agent_id: str,
    key: str,
    rows: Sequence[Mapping[str, Any]],
    initial: Sequence[Mapping[str, Any]],
) -> None:
    """Make the agent's rows of a table those given: by their key updated, added (with `initial` too) or removed."""
    mine = table.c.agent_id == agent_id
    known = set((await connection.execute(sa.select(table.c[key]).where(mine))).scalars())
    for position, (row, first) in enumerate(zip(rows, initial, strict=True)):
        if row[key] in known:
            change = table.update().where(mine, table.c[key] == row[key])
            await connection.execute(change.values(position=position, **row))
        else:
            await connection.execute(table.insert().values(agent_id=agent_id, position=position, **row, **first))
    gone = known - {row[key] for row in rows}
    if gone:
        await connection.execute(table.delete().where(mine, table.c[key].in_(gone)))


async def _store_scripts(
    connection: AsyncConnection, agent_id: str, scripts: Sequence[ScriptSpec], now: datetime
) -> None:
    """Make the agent's scripts those given. Equal ones stay, since a running agent knows their log sources."""
    stored = (await connection.execute(sa.select(_scripts).where(_scripts.c.agent_id == agent_id))).mappings().all()
    left = {row["id"]: {name: row[name] for name in _SCRIPT_COLUMNS} for row in stored}
    for position, script in enumerate(scripts):
        columns = {name: getattr(script, name) for name in _SCRIPT_COLUMNS}
        same = next((script_id for script_id, known in left.items() if known == columns), None)
        if same is not None:
            del left[same]
            await connection.execute(_scripts.update().where(_scripts.c.id == same).values(position=position))
            continue
        source_id = str(uuid.uuid4())
        await connection.execute(
            _scripts.insert().values(
                id=str(uuid.uuid4()), agent_id=agent_id, log_source_id=source_id, position=position, **columns
            )
        )
        await connection.execute(
            _sources.insert().values(
                agent_id=agent_id, id=source_id, display_name=script.display_name, icon=script.icon, created_at=now
            )
        )
    if left:
        await connection.execute(_scripts.delete().where(_scripts.c.id.in_(left)))


_SCRIPT_COLUMNS: Final = (
    "display_name",
    "script",
    "log_path",
    "cron",
    "run_on_start",
    "run_on_stop",
    "start_blocks_login",
    "timeout_s",
)


def _app_columns(app: AppSpec) -> dict[str, object]:
    return {
        "slug": app.slug,
        "display_name": app.display_name,
        "url": app.url,
        "command": app.command,
        "icon": app.icon,
        "external": app.external,
        "subdomain": app.subdomain,
        "sharing_level": app.sharing_level,
        "healthcheck_url": app.healthcheck.url if app.healthcheck else "",
        "healthcheck_interval_s": app.healthcheck.interval_s if app.healthcheck else 0,
        "healthcheck_threshold": app.healthcheck.threshold if app.healthcheck else 0,
        "hidden": app.hidden,
        "open_in": app.open_in,
    }


def _first_health(app: AppSpec) -> str:
    health = AppHealth.INITIALIZING if app.healthcheck and app.healthcheck.url else AppHealth.DISABLED
    return health.value


def _metadata_columns(item: AgentMetadataSpec) -> dict[str, object]:
    return {
        "key": item.key,
        "display_name": item.display_name,
        "script": item.script,
        "interval_s": item.interval_s,
        "timeout_s": item.timeout_s,
    }
