"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

CEILING_S = 30.0

MONDAY_NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


class FakeClock:
    """Implements genba_agent.clock.Clock."""

    def __init__(self, start: datetime = MONDAY_NOON) -> None:
        self._start = start
        self._seconds = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []
        self._sleeps = asyncio.Condition()
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        wake = asyncio.Event()
        sleeper = (self._seconds + seconds, wake)
        self._sleepers.append(sleeper)
        self.slept.append(seconds)
        if seconds <= 0:
            wake.set()
        async with self._sleeps:
            self._sleeps.notify_all()
        try:
            await wake.wait()
        finally:
            self._sleepers.remove(sleeper)

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self._seconds += seconds
        for until, wake in self._sleepers:
            if until <= self._seconds:
                wake.set()

    def set_back(self, seconds: float) -> None:
        """Set the time of day back; sleepers don't notice."""
        self._start -= timedelta(seconds=seconds)

    async def wait_for_sleep(self, seconds: float) -> None:
        """Return when somebody sleeps for about so many seconds."""
        async with asyncio.timeout(CEILING_S), self._sleeps:
            await self._sleeps.wait_for(
                lambda: any(abs(until - self._seconds - seconds) < 0.01 for until, _ in self._sleepers)
            )
