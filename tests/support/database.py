"""A real database for tests."""

from __future__ import annotations

import asyncio
import functools
from pathlib import Path

import sqlalchemy as sa

from genba_gateway.store.engine import Database
from genba_gateway.store.tables import metadata

FILE_NAME = "genba.db"


async def make_database(tmp_path: Path) -> Database:
    """An empty database with all tables, in a file; the caller closes it."""
    path = tmp_path / FILE_NAME
    await asyncio.to_thread(_make, path)
    return Database(path)


def _make(path: Path) -> None:
    path.write_bytes(_empty_file())


@functools.cache
def _empty_file() -> bytes:
    """A file with all tables: a thousand tests start from one, and making the tables takes as long as such a test."""
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        metadata.create_all(connection)
        connection.commit()
        driver = connection.connection.driver_connection
        assert driver is not None
        content: bytes = driver.serialize()
    engine.dispose()
    return content
