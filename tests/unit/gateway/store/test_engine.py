from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from genba_gateway.errors import ConfigError
from genba_gateway.store.engine import READ_CONNECTIONS, Database, path_of_url
from tests.support.database import make_threaded_database

CEILING_S = 30.0


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    made = await make_threaded_database(tmp_path)
    async with made.write() as connection:
        await connection.exec_driver_sql("CREATE TABLE numbers (n INTEGER PRIMARY KEY)")
    yield made
    await made.close()


async def add(database: Database, number: int) -> None:
    async with database.write() as connection:
        await connection.exec_driver_sql(f"INSERT INTO numbers VALUES ({number})")


async def numbers(database: Database) -> list[int]:
    async with database.read() as connection:
        return list((await connection.exec_driver_sql("SELECT n FROM numbers ORDER BY n")).scalars())


async def test_a_write_is_committed_at_the_end_of_its_block(database: Database) -> None:
    async with database.write() as connection:
        await connection.exec_driver_sql("INSERT INTO numbers VALUES (1)")
        assert await numbers(database) == []
    assert await numbers(database) == [1]


async def test_an_exception_undoes_the_write_and_leaves_the_next_one_free(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.write() as connection:
            await connection.exec_driver_sql("INSERT INTO numbers VALUES (1)")
            raise ZeroDivisionError
    await add(database, 2)
    assert await numbers(database) == [2]


async def test_a_cancel_undoes_the_write_and_leaves_the_next_one_free(database: Database) -> None:
    inside = asyncio.Event()

    async def write_and_wait() -> None:
        async with database.write() as connection:
            await connection.exec_driver_sql("INSERT INTO numbers VALUES (1)")
            inside.set()
            await asyncio.Event().wait()

    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(write_and_wait())
        await inside.wait()
        task.cancel()
    async with asyncio.timeout(CEILING_S):
        await add(database, 2)
    assert await numbers(database) == [2]


@pytest.mark.parametrize("kind", ["read", "write"])
async def test_a_cancel_inside_a_statement_comes_through(database: Database, kind: str) -> None:
    entered = asyncio.Event()

    async def work() -> None:
        async with database.read() if kind == "read" else database.write() as connection:
            entered.set()
            await connection.exec_driver_sql(
                "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < 300000) "
                "SELECT max(n) FROM count"
            )

    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work())
        await entered.wait()
        task.cancel()
    assert task.cancelled()
    await add(database, 1)
    assert await numbers(database) == [1]


@pytest.fixture
def no_garbage_collection() -> Generator[None]:
    """What only a cycle keeps, such as the traceback of a cancelled task, stays for the length of the test."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_garbage_collection")
async def test_a_cancel_at_any_moment_of_a_write_keeps_no_lock(database: Database) -> None:
    async def write() -> None:
        # The second number 1 undoes what was not cancelled.
        with suppress(IntegrityError):
            async with database.write() as connection:
                for _ in range(2):
                    await connection.exec_driver_sql("INSERT INTO numbers VALUES (1), (2) RETURNING n")

    kept: list[asyncio.Task[None]] = []  # and with them their tracebacks
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        for moment in range(40):
            kept.append(task := tasks.create_task(write()))
            for _ in range(moment):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            await add(database, 100 + moment)
    assert await numbers(database) == list(range(100, 140))


async def test_a_read_sees_one_state_for_its_whole_block(database: Database) -> None:
    await add(database, 1)
    async with database.read() as connection:
        query = "SELECT count(*) FROM numbers"
        before = (await connection.exec_driver_sql(query)).scalar_one()
        await add(database, 2)
        after = (await connection.exec_driver_sql(query)).scalar_one()
    assert (before, after) == (1, 1)
    assert await numbers(database) == [1, 2]


async def test_a_read_block_keeps_no_change(database: Database) -> None:
    async with database.read() as connection:
        await connection.exec_driver_sql("INSERT INTO numbers VALUES (1)")
    assert await numbers(database) == []


async def test_writes_wait_for_one_another_and_none_is_lost(database: Database) -> None:
    async def increase() -> None:
        async with database.write() as connection:
            top = (await connection.exec_driver_sql("SELECT coalesce(max(n), 0) FROM numbers")).scalar_one()
            await connection.exec_driver_sql(f"INSERT INTO numbers VALUES ({top + 1})")

    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        for _ in range(20):
            tasks.create_task(increase())
    assert await numbers(database) == list(range(1, 21))


async def test_more_readers_than_connections_take_turns(database: Database) -> None:
    await add(database, 1)
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        readers = [tasks.create_task(numbers(database)) for _ in range(3 * READ_CONNECTIONS)]
    assert [reader.result() for reader in readers] == [[1]] * len(readers)


async def synchronous(database: Database, *, durable: bool) -> int:
    async with database.write(durable=durable) as connection:
        return int((await connection.exec_driver_sql("PRAGMA synchronous")).scalar_one())


async def test_only_relaxed_writes_do_not_wait_for_the_disk(database: Database) -> None:
    wanted = [True, False, False, True, True, False, True]
    assert [await synchronous(database, durable=durable) for durable in wanted] == [2 if each else 1 for each in wanted]


async def test_a_relaxed_write_that_fails_leaves_the_next_one_durable(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.write(durable=False):
            raise ZeroDivisionError
    assert await synchronous(database, durable=True) == 2


async def test_connections_keep_foreign_keys_and_the_write_ahead_log(database: Database) -> None:
    async with database.read() as reader, database.write() as writer:
        for connection in (reader, writer):
            assert (await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar_one() == 1
            assert (await connection.exec_driver_sql("PRAGMA journal_mode")).scalar_one() == "wal"


def test_a_url_names_a_file() -> None:
    assert path_of_url("sqlite:////var/genba.db") == Path("/var/genba.db")


@pytest.mark.parametrize("url", ["sqlite:///", "postgresql://genba:hunter2@db/genba", "genba.db", ""])
def test_another_database_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        path_of_url(url)
    assert "hunter2" not in refused.value.message


async def test_a_failed_statement_does_not_tell_what_was_bound_to_it(database: Database) -> None:
    async with database.glance() as connection:
        with pytest.raises(SQLAlchemyError) as failed:
            await connection.execute(sa.text("SELECT * FROM nowhere WHERE secret = :secret"), {"secret": "hunter2"})
    assert "nowhere" in str(failed.value)
    assert "hunter2" not in str(failed.value)
