"""Time as an argument: what rules about waiting are tested with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Return the aware UTC time of day."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return when so many seconds have passed."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def wait_for_first(events: Sequence[asyncio.Event], clock: Clock, timeout_s: float | None = None) -> bool:
    """Wait until one of the events is set, at most `timeout_s` seconds (None: without limit).

    Returns:
        Whether one is set.
    """
    if any(event.is_set() for event in events):
        return True
    async with asyncio.TaskGroup() as group:
        waiting: set[asyncio.Task[object]] = {group.create_task(event.wait()) for event in events}
        if timeout_s is not None:
            waiting.add(group.create_task(clock.sleep(timeout_s)))
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
    return any(event.is_set() for event in events)


async def wait_for_all(events: Sequence[asyncio.Event], clock: Clock, timeout_s: float) -> bool:
    """Wait until all events are set, at most `timeout_s` seconds; returns whether they are."""
    deadline = clock.monotonic() + timeout_s
    for event in events:
        await wait_for_first([event], clock, max(0.0, deadline - clock.monotonic()))
    return all(event.is_set() for event in events)
