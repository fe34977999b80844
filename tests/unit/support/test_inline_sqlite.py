from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from tests.support.database import make_database
from tests.support.inline_sqlite import InlineConnection


async def test_reads_writes_and_failures_are_those_of_the_driver_without_its_threads(tmp_path: Path) -> None:
    threads = set(threading.enumerate())
    database = await make_database(tmp_path)
    try:
        async with database.write() as connection:
            await connection.exec_driver_sql("CREATE TABLE numbers (n INTEGER PRIMARY KEY)")
            await connection.exec_driver_sql("INSERT INTO numbers VALUES (1)")
        with pytest.raises(IntegrityError):
            async with database.write() as connection:
                await connection.exec_driver_sql("INSERT INTO numbers VALUES (2)")
                await connection.exec_driver_sql("INSERT INTO numbers VALUES (1)")
        async with database.read() as connection:
            assert list((await connection.exec_driver_sql("SELECT n FROM numbers")).scalars()) == [1]
            driver = (await connection.get_raw_connection()).driver_connection
        assert isinstance(driver, InlineConnection)
        more = set(threading.enumerate()) - threads
        assert [thread.name for thread in more if "connection" in thread.name] == []
    finally:
        await database.close()
    with pytest.raises(ValueError, match=r"closed|no active connection"):
        await driver.execute("SELECT 1")


async def test_others_get_their_turn_before_a_statement(tmp_path: Path) -> None:
    database = await make_database(tmp_path)
    turns: list[str] = []

    async def other() -> None:
        turns.append("other")

    async with database.glance() as connection, asyncio.TaskGroup() as group:
        group.create_task(other(), name="other")
        await connection.exec_driver_sql("SELECT 1")
        turns.append("statement")
    await database.close()
    assert turns == ["other", "statement"]
