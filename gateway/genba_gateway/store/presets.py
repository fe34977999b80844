"""Queries on presets of template versions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.provisioning import TemplatePreset
from genba_gateway.store import tables

_presets = tables.template_version_presets


async def insert_presets(connection: AsyncConnection, version_id: str, presets: Sequence[TemplatePreset]) -> None:
    """Store what an import found, in order."""
    rows = [
        {
            "id": str(uuid.uuid4()),
            "template_version_id": version_id,
            "position": position,
            "name": preset.name,
            "spec": msgspec.to_builtins(preset),
        }
        for position, preset in enumerate(presets)
    ]
    if rows:
        await connection.execute(_presets.insert(), rows)


async def list_presets(connection: AsyncConnection, version_id: str) -> list[tuple[str, TemplatePreset]]:
    """Presets of a version with their ids, in order."""
    query = sa.select(_presets.c.id, _presets.c.spec).where(_presets.c.template_version_id == version_id)
    rows = (await connection.execute(query.order_by(_presets.c.position))).all()
    return [(row.id, msgspec.convert(row.spec, TemplatePreset)) for row in rows]
