"""Waiting for something that nobody announces."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

CEILING_S = 30.0
_LOOK_S = 0.01


async def eventually(is_so: Callable[[], bool]) -> None:
    """Return once the condition, asked in a thread, holds; raises TimeoutError after `CEILING_S`."""
    async with asyncio.timeout(CEILING_S):
        while not await asyncio.to_thread(is_so):  # noqa: ASYNC110  # files and processes announce nothing
            await asyncio.sleep(_LOOK_S)


async def turned_until(is_so: Callable[[], bool]) -> None:
    """Return once the condition holds, which the loop brings about by itself; it is asked in each turn."""
    async with asyncio.timeout(CEILING_S):
        while not is_so():  # noqa: ASYNC110  # buffers of transports announce nothing
            await asyncio.sleep(0)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Return once the condition holds, for tests without a loop; raises TimeoutError after `CEILING_S`."""
    deadline = time.monotonic() + CEILING_S
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(_LOOK_S)
