"""A real database for tests."""

from __future__ import annotations

import asyncio
from pathlib import Path

import sqlalchemy as sa

from genba_gateway.store.engine import Database
from genba_gateway.store.tables import metadata

FILE_NAME = "genba.db"


async def make_database(tmp_path: Path) -> Database:
    """An empty database with all tables, in a file; the caller closes it."""
    path = tmp_path / FILE_NAME
    return await asyncio.to_thread(_make, path)


def _make(path: Path) -> Database:
    engine = sa.create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    return Database(path)
