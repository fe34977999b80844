"""Queries on shared ports."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.app_rules import SharingLevel
from genba_gateway.domain.port_shares import LEVELS, PortShare, limit_level, list_levels_above
from genba_gateway.store import tables
from genba_gateway.store.rows import read_record

_shares = tables.workspace_agent_port_shares
_agents = tables.workspace_agents
_workspaces = tables.workspaces
_templates = tables.templates


async def list_port_shares(connection: AsyncConnection, workspace_id: str) -> list[PortShare]:
    """A workspace's shares, by agent and port."""
    query = sa.select(_shares).where(_shares.c.workspace_id == workspace_id)
    rows = (await connection.execute(query.order_by(_shares.c.agent_name, _shares.c.port))).mappings().all()
    return [read_record(PortShare, row) for row in rows]


async def upsert_port_share(connection: AsyncConnection, share: PortShare) -> None:
    """Share a port, or share it otherwise."""
    changed = {"share_level": share.share_level, "protocol": share.protocol}
    statement = insert(_shares).values(
        workspace_id=share.workspace_id, agent_name=share.agent_name, port=share.port, **changed
    )
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["workspace_id", "agent_name", "port"], set_=changed)
    )


async def delete_port_share(connection: AsyncConnection, workspace_id: str, agent_name: str, port: int) -> bool:
    """Share a port no longer; whether it was."""
    statement = _shares.delete().where(
        _shares.c.workspace_id == workspace_id, _shares.c.agent_name == agent_name, _shares.c.port == port
    )
    return (await connection.execute(statement)).rowcount > 0


async def lower_port_shares(connection: AsyncConnection, template_id: str, maximum: str) -> set[str]:
    """Take shares of a template's workspaces that are above a maximum down to it; the workspaces that had such."""
    of_template = sa.select(_workspaces.c.id).where(_workspaces.c.template_id == template_id)
    above = sa.and_(_shares.c.workspace_id.in_(of_template), _shares.c.share_level.in_(list_levels_above(maximum)))
    statement = (
        _shares.update().where(above).values(share_level=maximum).returning(_shares.c.workspace_id)
        if maximum in LEVELS
        else _shares.delete().where(above).returning(_shares.c.workspace_id)
    )
    return set((await connection.execute(statement)).scalars())


async def get_maximum(connection: AsyncConnection, template_id: str) -> str:
    """The most that ports of a template's workspaces may be shared."""
    query = sa.select(_templates.c.max_port_share_level).where(_templates.c.id == template_id)
    maximum: str = (await connection.execute(query)).scalar_one()
    return maximum


async def find_share_level(connection: AsyncConnection, workspace_id: str, agent_id: str, port: int) -> SharingLevel:
    """With whom a port of an agent is shared, within the maximum of its template."""
    query = (
        sa.select(_shares.c.share_level, _templates.c.max_port_share_level)
        .join(_agents, sa.func.lower(_agents.c.name) == _shares.c.agent_name)
        .join(_workspaces, _workspaces.c.id == _shares.c.workspace_id)
        .join(_templates, _templates.c.id == _workspaces.c.template_id)
        .where(_agents.c.id == agent_id, _shares.c.workspace_id == workspace_id, _shares.c.port == port)
    )
    row = (await connection.execute(query)).one_or_none()
    return SharingLevel.OWNER if row is None else limit_level(row[0], row[1])
