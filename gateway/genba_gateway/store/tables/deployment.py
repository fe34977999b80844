"""Tables of what the deployment keeps about itself."""

from __future__ import annotations

import sqlalchemy as sa

from genba_gateway.store.columns import JsonText
from genba_gateway.store.tables.base import Id, make_id, make_text, make_time, metadata

settings = sa.Table(
    "settings",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

replicas = sa.Table(
    "replicas",
    metadata,
    make_id(),
    make_text("internal_url"),
    make_time("seen_at"),
)

audit_logs = sa.Table(
    "audit_logs",
    metadata,
    make_id(),
    make_time("time"),
    sa.Column("user_id", Id, nullable=True),
    sa.Column("organization_id", Id, nullable=True),
    make_text("action"),
    make_text("resource_type"),
    make_text("resource_id"),
    make_text("resource_target"),
    make_text("ip_address"),
    make_text("user_agent"),
    sa.Column("status_code", sa.Integer, nullable=False, default=0),
    sa.Column("additional_fields", JsonText, nullable=False),
    sa.Index("ix_audit_logs_time", "time"),
)
