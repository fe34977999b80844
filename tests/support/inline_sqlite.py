"""SQLite's driver without its thread: statements run where they are awaited.

Handing each to a thread and back takes half of the time of what stands on the store. Others get their turn before a
statement, as they do while the thread works.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Generator
from typing import Any, TypeVar, cast

import aiosqlite

from genba_gateway.store.driver import DriverConnection

Outcome = TypeVar("Outcome")


class InlineConnection(DriverConnection):
    """A connection whose calls are made by whoever awaits them."""

    _tx: Any = cast("Any", None)

    def __await__(self) -> Generator[Any, None, aiosqlite.Connection]:
        """Connect, without starting the thread."""
        self._tx = _NoQueue()
        return self._connect().__await__()

    async def run(self, work: Callable[[sqlite3.Connection], Outcome]) -> Outcome:
        """Do something with the connection, after others had their turn."""
        await asyncio.sleep(0)
        return await super().run(work)


class _NoQueue:
    """Makes each call at once instead of keeping it for the thread; SQLAlchemy's adapter too hands some over here."""

    def put_nowait(self, item: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        future, function = item
        try:
            result = function()
        except Exception as error:
            if future is None:
                raise
            future.set_exception(error)
        else:
            if future is not None:
                future.set_result(result)
