"""Queries on shared ports."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.port_shares import PortShare
from genba_gateway.store import tables
from genba_gateway.store.rows import read_record

_shares = tables.workspace_agent_port_shares
_agents = tables.workspace_agents


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


async def find_share_level(connection: AsyncConnection, workspace_id: str, agent_id: str, port: int) -> str:
    """With whom a port of an agent is shared; empty when with nobody."""
    query = (
        sa.select(_shares.c.share_level)
        .join(_agents, sa.func.lower(_agents.c.name) == _shares.c.agent_name)
        .where(_agents.c.id == agent_id, _shares.c.workspace_id == workspace_id, _shares.c.port == port)
    )
    return (await connection.execute(query)).scalar_one_or_none() or ""
