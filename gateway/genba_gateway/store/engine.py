"""The database's engine: SQLite in WAL mode, many readers, one writer.

Writes take `BEGIN IMMEDIATE` on one connection behind a lock, so that a write never fails for another write; reads
use other connections and see the last commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.exc import OperationalError, PendingRollbackError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from genba_gateway.errors import ConfigError
from genba_gateway.store.driver import DriverConnection

READ_CONNECTIONS: Final = 4
"""Each is a thread of aiosqlite's; more would only queue on two cores."""

BUSY_TIMEOUT_MS: Final = 10_000
"""For other processes on the same file, such as a command that rotates keys."""


class Database:
    """One SQLite file (or `:memory:` never: reads need connections of their own)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._write_lock = asyncio.Lock()
        self._writer = self._create_engine(connections=1)
        self._reader = self._create_engine(connections=READ_CONNECTIONS)
        self._relaxed = False

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """A connection that sees one state of the database for the length of the block."""
        async with self._reader.connect() as connection:
            await connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                # A cancelled statement takes its connection with it; the cancellation must come through all the same.
                with suppress(PendingRollbackError):
                    await connection.exec_driver_sql("ROLLBACK")

    @asynccontextmanager
    async def glance(self) -> AsyncGenerator[AsyncConnection]:
        """A connection for one statement, or for several that need not see the same state.

        It costs a third of `read`: no transaction is begun and ended, each of which is a hop to the driver's thread.
        """
        async with self._reader.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self, *, durable: bool = True) -> AsyncGenerator[AsyncConnection]:
        """The one writing transaction, committed at the end of the block, rolled back on an exception.

        Args:
            durable: wait until the commit is on disk. Only what may lose its last seconds in a crash of the
                machine (metadata, stats, last-used times) says False.
        """
        async with self._write_lock, self._writer.connect() as connection:
            if self._relaxed is durable:
                await connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
                self._relaxed = not durable
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
                await connection.exec_driver_sql("COMMIT")
            except BaseException:
                # A commit that was cancelled may have ended the transaction all the same, and a cancelled statement
                # takes its connection with it. What was raised must come through, a cancellation above all.
                with suppress(OperationalError, PendingRollbackError):
                    await connection.exec_driver_sql("ROLLBACK")
                raise

    async def close(self) -> None:
        """Close all connections."""
        await self._reader.dispose()
        await self._writer.dispose()

    def _create_engine(self, *, connections: int) -> AsyncEngine:
        engine = create_async_engine(
            "sqlite+aiosqlite://",
            async_creator=self._connect,
            poolclass=AsyncAdaptedQueuePool,
            pool_size=connections,
            max_overflow=0,
            # Transactions are begun and ended in this module alone, so that each statement is one hop to the thread.
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            pool_reset_on_return=None,
            query_cache_size=1000,
            hide_parameters=True,  # what is bound to statements holds secrets, and their failures are logged
        )
        event.listen(engine.sync_engine, "connect", _prepare_connection)
        return engine

    async def _connect(self) -> DriverConnection:
        connection = DriverConnection(self.path)
        await connection
        return connection


def _prepare_connection(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def path_of_url(url: str) -> Path:
    """The file of a `sqlite:///…` URL.

    Raises:
        ConfigError: another database, or no file.
    """
    prefix = "sqlite:///"
    if not url.startswith(prefix) or not url[len(prefix) :]:
        raise ConfigError(
            f"--database-url {url.split('@')[-1]!r} is not supported: this version keeps its data in SQLite. "
            "Use sqlite:////absolute/path/genba.db, or leave the option out."
        )
    return Path(url[len(prefix) :])
