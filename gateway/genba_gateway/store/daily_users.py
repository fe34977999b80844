"""Queries on who used workspaces when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.store import tables

_apps = tables.workspace_app_stats
_agents = tables.workspace_agent_stats
_workspaces = tables.workspaces

_SESSIONS: Final = ("vscode", "jetbrains", "reconnecting_pty", "ssh")
_HOUR: Final = len("2026-01-02T03")


async def list_uses(connection: AsyncConnection, since: datetime, template_id: str = "") -> set[tuple[datetime, str]]:
    """In which hours which users used an app, or had a session in a workspace of theirs.

    Args:
        since: uses from before are left out.
        template_id: leaves uses of workspaces of one template.
    """
    by_app = (
        sa.select(_hour_of(_apps.c.session_started_at), _apps.c.user_id)
        .join(_workspaces, _workspaces.c.id == _apps.c.workspace_id)
        .where(_apps.c.session_started_at >= since, _apps.c.user_id.is_not(None))
    )
    counts = [sa.func.json_extract(_agents.c.stats, f"$.session_count_{kind}") for kind in _SESSIONS]
    by_session = sa.select(_hour_of(_agents.c.created_at), _agents.c.user_id).where(
        _agents.c.created_at >= since, sa.or_(*(count > 0 for count in counts))
    )
    if template_id:
        by_app = by_app.where(_workspaces.c.template_id == template_id)
        by_session = by_session.where(_agents.c.template_id == template_id)
    rows = (await connection.execute(sa.union(by_app, by_session))).all()
    return {(datetime.fromisoformat(f"{hour}:00").replace(tzinfo=UTC), user_id) for hour, user_id in rows}


def _hour_of(column: sa.Column[Any]) -> sa.ColumnElement[str]:
    """The beginning of a time's text, by which the database makes one row of an hour's many."""
    return sa.func.substr(sa.type_coerce(column, sa.Text), 1, _HOUR)
