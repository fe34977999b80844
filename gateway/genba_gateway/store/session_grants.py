"""The query behind sessions with agents: one statement, since each open session asks it every few seconds."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.session_grants import GrantStanding, SessionGrant
from genba_gateway.store import tables
from genba_gateway.store.agents import is_current, join_workspace

_agents = tables.workspace_agents
_builds = tables.workspace_builds
_keys = tables.api_keys
_users = tables.users
_workspaces = tables.workspaces
_newest = tables.workspace_builds.alias("newest_builds")


async def find_standing(connection: AsyncConnection, grant: SessionGrant) -> GrantStanding | None:
    """How key, user and agent of a grant stand; None when the agent is of no workspace."""
    newest_transition = (
        sa.select(_newest.c.transition)
        .where(_newest.c.workspace_id == _workspaces.c.id)
        .order_by(_newest.c.build_number.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        join_workspace(
            sa.select(
                _keys.c.user_id.label("key_user_id"),
                _keys.c.scope.label("key_scope"),
                _keys.c.expires_at.label("key_expires_at"),
                _users.c.status.label("user_status"),
                _users.c.username,
                _users.c.roles,
                _workspaces.c.id.label("workspace_id"),
                _workspaces.c.owner_id,
                _builds.c.id.label("build_id"),
                _agents.c.boot_id,
                is_current().label("is_current"),
                newest_transition.label("newest_transition"),
            )
        )
        .outerjoin(_keys, _keys.c.id == grant.key_id)
        .outerjoin(_users, sa.and_(_users.c.id == _keys.c.user_id, _users.c.deleted.is_(False)))
        .where(_agents.c.id == grant.agent_id, _workspaces.c.id.is_not(None))
    )
    row = (await connection.execute(query)).mappings().one_or_none()
    if row is None:
        return None
    return GrantStanding(
        key_user_id=row["key_user_id"],
        key_scope=row["key_scope"],
        key_expires_at=row["key_expires_at"],
        user_status=row["user_status"],
        username=row["username"],
        roles=tuple(row["roles"] or ()),
        workspace_id=row["workspace_id"],
        owner_id=row["owner_id"],
        build_id=row["build_id"],
        boot_id=row["boot_id"],
        is_current=bool(row["is_current"]),
        newest_transition=row["newest_transition"],
    )
