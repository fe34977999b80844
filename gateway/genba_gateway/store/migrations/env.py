"""Run by Alembic with a connection that the caller opened (`config.attributes["connection"]`)."""

from __future__ import annotations

from typing import Literal

from alembic import context

from genba_gateway.store.columns import JsonText, UtcTime
from genba_gateway.store.tables import metadata


def _render_type(kind: str, value: object, _context: object) -> str | Literal[False]:
    """Write our column types as what they are on disk: a frozen migration must not change with our code."""
    if kind == "type" and isinstance(value, UtcTime):
        return "sa.String(length=32)"
    if kind == "type" and isinstance(value, JsonText):
        return "sa.Text()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    transaction_per_migration=True,
    render_as_batch=True,
    render_item=_render_type,
)
with context.begin_transaction():
    context.run_migrations()
