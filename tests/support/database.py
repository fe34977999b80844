"""A SQLite database for tests of what stands on the store."""

from __future__ import annotations

import asyncio
import functools
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

import sqlalchemy as sa

from genba_gateway.store.driver import DriverConnection
from genba_gateway.store.engine import Database
from genba_gateway.store.tables import metadata
from tests.support.inline_sqlite import InlineConnection

FILE_NAME = "genba.db"

Known = TypeVar("Known")


async def make_database(tmp_path: Path) -> Database:
    """An empty database with all tables, in a file; the caller closes it."""
    return await asyncio.to_thread(_open_copy, tmp_path, _empty_file)


async def make_threaded_database(tmp_path: Path) -> Database:
    """One as the gateway has it, with threads: for tests of what becomes of their calls."""
    path = tmp_path / FILE_NAME
    await asyncio.to_thread(path.write_bytes, _empty_file())
    return await asyncio.to_thread(Database, path)


@dataclass(slots=True)
class FilledDatabase(Generic[Known]):
    """A database that many tests start from: filled once per process, and copied for each test."""

    fill: Callable[[Database], Awaitable[Known]]
    """Writes the rows, and returns what tests know of them; it must not change afterwards."""

    _kept: tuple[bytes, Known] | None = None

    async def open(self, tmp_path: Path) -> tuple[Database, Known]:
        """A copy in a file of its own, which the caller closes, and what `fill` returned."""
        content, known = self._kept or await self._make()
        return await asyncio.to_thread(_open_copy, tmp_path, lambda: content), known

    async def _make(self) -> tuple[bytes, Known]:
        folder = await asyncio.to_thread(tempfile.TemporaryDirectory)
        try:
            database = await make_database(Path(folder.name))
            try:
                known = await self.fill(database)
            finally:
                await database.close()  # the last connection to leave moves the write-ahead log into the file
            self._kept = await asyncio.to_thread(database.path.read_bytes), known
        finally:
            await asyncio.to_thread(folder.cleanup)
        return self._kept


class _ReusedDatabase(Database):
    """One whose engines serve test after test, each with a file of its own.

    SQLAlchemy compiles a statement once per engine, and asks a new one's first connection about itself: together a
    third of what a test costs. Their connections have no threads (tests/support/inline_sqlite.py).
    """

    _free: ClassVar[list[_ReusedDatabase]] = []

    @classmethod
    def open(cls, path: Path) -> Database:
        """Blocks where it makes engines: SQLAlchemy asks for the working folder."""
        if not cls._free:
            return cls(path)
        database = cls._free.pop()
        database.path = path
        database._write_lock = asyncio.Lock()  # the former one may belong to another test's loop
        database._relaxed = False
        return database

    async def close(self) -> None:
        await super().close()
        self._free.append(self)

    async def _connect(self) -> DriverConnection:
        connection = InlineConnection(self.path)
        await connection
        return connection


def _open_copy(folder: Path, content: Callable[[], bytes]) -> Database:
    path = folder / FILE_NAME
    path.write_bytes(content())
    return _ReusedDatabase.open(path)


@functools.cache
def _empty_file() -> bytes:
    """A file with all tables: making them takes as long as a test."""
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        metadata.create_all(connection)
        connection.commit()
        driver = connection.connection.driver_connection
        assert driver is not None
        content: bytes = driver.serialize()
    engine.dispose()
    return content
