from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from genba_gateway.store.driver import DriverConnection
from genba_gateway.store.engine import Database
from tests.support.database import make_threaded_database


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncGenerator[DriverConnection]:
    opened = DriverConnection(tmp_path / "driver.db")
    await opened
    await opened.cursor().execute("CREATE TABLE numbers (n INTEGER PRIMARY KEY, name TEXT)")
    yield opened
    await opened.close()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    made = await make_threaded_database(tmp_path)
    yield made
    await made.close()


async def test_a_cursor_gives_rows_their_columns_and_what_was_changed(connection: DriverConnection) -> None:
    async with connection.cursor() as cursor:
        await cursor.executemany("INSERT INTO numbers VALUES (?, ?)", [(1, "one"), (2, "two")])
        assert (cursor.rowcount, cursor.description) == (2, None)
        await cursor.execute("SELECT n, name FROM numbers WHERE n > ? ORDER BY n", (0,))
        assert [column[0] for column in cursor.description] == ["n", "name"]
        assert await cursor.fetchall() == [(1, "one"), (2, "two")]
        assert await cursor.fetchall() == []
        await cursor.execute("INSERT INTO numbers VALUES (7, 'seven')")
        assert (cursor.rowcount, cursor.lastrowid) == (1, 7)


async def test_no_cursor_of_sqlite_is_left_behind_a_statement(connection: DriverConnection) -> None:
    await connection.cursor().execute("INSERT INTO numbers VALUES (1, 'one')")
    await connection.cursor().execute("SELECT * FROM numbers")
    # A statement that is not reset would refuse this: "database table is locked".
    await connection.cursor().execute("DROP TABLE numbers")


class _CountedDatabase(Database):
    """Counts what is handed to the threads of its connections."""

    hops = 0

    async def _connect(self) -> DriverConnection:
        counted = self

        class Counted(DriverConnection):
            async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
                counted.hops += 1
                return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]

        connection = Counted(self.path)
        await connection
        return connection


async def test_a_statement_is_one_hop_to_the_thread(tmp_path: Path) -> None:
    database = _CountedDatabase(tmp_path / "counted.db")
    async with database.glance() as connection:
        await connection.execute(sa.text("SELECT 1"))  # opens it
        before = database.hops
        assert (await connection.execute(sa.text("SELECT 2"))).scalar_one() == 2
        assert database.hops - before == 1
    await database.close()


async def test_failures_are_those_of_sqlalchemy(database: Database) -> None:
    async with database.write() as connection:
        await connection.exec_driver_sql("CREATE TABLE numbers (n INTEGER PRIMARY KEY)")
    with pytest.raises(IntegrityError):
        async with database.write() as connection:
            await connection.execute(sa.text("INSERT INTO numbers VALUES (:n)"), [{"n": 1}, {"n": 1}])
    async with database.read() as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM numbers")).scalar_one() == 0


async def test_closing_gives_up_a_transaction(tmp_path: Path) -> None:
    path = tmp_path / "driver.db"
    first = DriverConnection(path)
    await first
    await first.cursor().execute("CREATE TABLE numbers (n)")
    await first.cursor().execute("BEGIN IMMEDIATE")
    await first.cursor().execute("INSERT INTO numbers VALUES (1)")
    await first.close()
    with sqlite3.connect(path, timeout=0) as second:
        assert second.execute("SELECT count(*) FROM numbers").fetchone() == (0,)
        second.execute("INSERT INTO numbers VALUES (2)")
