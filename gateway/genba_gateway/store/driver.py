"""SQLite's driver as SQLAlchemy uses it here: a statement is one hop to the connection's thread.

aiosqlite goes there and back for each of making a cursor, executing, fetching and closing. A hop costs two changes of
threads and a turn of the loop, which is more than most statements take.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

import aiosqlite

Result = TypeVar("Result")


class DriverConnection(aiosqlite.Connection):
    """One connection with its thread; await it to open it."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            lambda: sqlite3.connect(path, isolation_level=None, factory=_SqliteConnection), iter_chunk_size=64
        )
        self._thread.daemon = True  # one that is held up must not keep the process

    # Not aiosqlite's cursor, whose every method is a hop.
    def cursor(self) -> DriverCursor:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return DriverCursor(self)

    async def run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Do something in the connection's thread."""
        outcome: Result = await self._execute(lambda: work(self._conn))  # type: ignore[no-untyped-call]
        return outcome


class DriverCursor:
    """What a statement gave; the part of a cursor that SQLAlchemy's asynchronous dialects use.

    There is no cursor of SQLite's any more when a statement is done, so that none keeps a lock on the file.
    """

    arraysize = 1

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection
        self._outcome = _NOTHING

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        """Run one statement and fetch all of its rows."""
        return self._take(await self._connection.run(lambda connection: _run(connection.execute, sql, parameters)))

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> Self:
        """Run one statement with each of several sets of parameters."""
        return self._take(await self._connection.run(lambda connection: _run(connection.executemany, sql, parameters)))

    async def fetchall(self) -> list[Any]:
        """Return the rows, once."""
        rows = self._outcome.rows
        await self.close()
        return rows

    async def close(self) -> None:
        """Forget the rows."""
        self._outcome = self._outcome._replace(rows=[])

    @property
    def description(self) -> Any:
        """The columns (PEP 249); None when the statement has none."""
        return self._outcome.description

    @property
    def rowcount(self) -> int:
        """How many rows were changed, -1 for a query."""
        return self._outcome.rowcount

    @property
    def lastrowid(self) -> int | None:
        """Of the row that was inserted last."""
        return self._outcome.lastrowid

    def _take(self, outcome: _Outcome) -> Self:
        self._outcome = outcome
        return self


class _Outcome(NamedTuple):
    description: Any
    rowcount: int
    lastrowid: int | None
    rows: list[Any]


_NOTHING = _Outcome(None, -1, None, [])


def _run(execute: Callable[..., sqlite3.Cursor], sql: str, parameters: Sequence[Any]) -> _Outcome:
    with closing(execute(sql, parameters)) as cursor:
        rows = cursor.fetchall() if cursor.description else []
        return _Outcome(cursor.description, cursor.rowcount, cursor.lastrowid, rows)


class _SqliteConnection(sqlite3.Connection):
    """Gives up its transaction when it is closed, as a cancelled statement closes it."""

    def close(self) -> None:
        """Undo what is not committed, and close."""
        with suppress(sqlite3.Error):  # it may be closed already, or the disk may fail; it is closed in any case
            self.rollback()
        super().close()
