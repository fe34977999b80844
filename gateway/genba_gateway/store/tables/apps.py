"""Tables of who may use the ports of workspaces, and of who used which app."""

from __future__ import annotations

import sqlalchemy as sa

from genba_gateway.store.tables.base import Id, make_id, make_text, make_time, metadata

workspace_agent_port_shares = sa.Table(
    "workspace_agent_port_shares",
    metadata,
    sa.Column("workspace_id", Id, sa.ForeignKey("workspaces.id"), primary_key=True),
    sa.Column("agent_name", sa.Text, primary_key=True, comment="in lower case: it stays over builds, agents do not"),
    sa.Column("port", sa.Integer, primary_key=True),
    make_text("share_level"),
    make_text("protocol", default="http"),
)

workspace_app_stats = sa.Table(
    "workspace_app_stats",
    metadata,
    make_id(),
    sa.Column("user_id", Id, nullable=True, index=True, comment="NULL for somebody who was not signed in"),
    sa.Column("workspace_id", Id, nullable=False, index=True),
    sa.Column("agent_id", Id, nullable=False),
    make_text("access_method"),
    make_text("slug_or_port"),
    sa.Column("session_id", Id, nullable=False, comment="of the 30 s in which these requests came"),
    make_time("session_started_at", index=True),
    make_time("session_ended_at"),
    sa.Column("requests", sa.BigInteger, nullable=False),
)
