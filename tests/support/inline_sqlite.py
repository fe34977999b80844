"""SQLite's driver without its thread: statements run where they are awaited.

Handing each to a thread and back takes half of the time of what stands on the store. Others get their turn before a
statement, as they do while the thread works.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Generator
from typing import Any, cast

import aiosqlite


class InlineConnection(aiosqlite.Connection):
    """A connection whose calls are made by whoever awaits them."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, 64)
        self._tx = cast("Any", _NoQueue())

    def __await__(self) -> Generator[Any, None, aiosqlite.Connection]:
        """Connect, without starting the thread."""
        return self._connect().__await__()

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if fn.__name__.startswith("execute"):
            await asyncio.sleep(0)
        return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]


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


def connect_inline(path: str, **options: Any) -> InlineConnection:
    """What `aiosqlite.connect` is, for the option `async_creator_fn` of SQLAlchemy's dialect."""
    return InlineConnection(lambda: sqlite3.connect(path, **options))
