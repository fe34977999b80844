"""Who waits for what: a small publish and subscribe that carries channel names only.

A subscriber is told that something on its channel changed, and reads the database to see what; several changes
before it looks are one. In process here; a database with notifications takes this place when there are many
processes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager


class Subscription:
    """One waiting place. `changed` returns at once if something was published since it last returned."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        """Wake the subscriber."""
        self._event.set()

    async def changed(self, timeout_s: float | None = None) -> bool:
        """Wait for a change; False when the time-out passed first."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True


class PubSub:
    """Channels by name, for example `workspace:<id>` (the names are in `domain.channels`)."""

    def __init__(self) -> None:
        self._subscriptions: dict[str, set[Subscription]] = {}

    def publish(self, *channels: str) -> None:
        """Say that something changed on these channels; call it after the commit."""
        for channel in channels:
            for subscription in self._subscriptions.get(channel, ()):
                subscription.notify()

    @contextmanager
    def subscribe(self, *channels: str) -> Generator[Subscription]:
        """Wait on channels for the length of the block. Subscribe first, then read, so that nothing is missed."""
        subscription = Subscription()
        for channel in channels:
            self._subscriptions.setdefault(channel, set()).add(subscription)
        try:
            yield subscription
        finally:
            for channel in set(channels):
                waiting = self._subscriptions[channel]
                waiting.discard(subscription)
                if not waiting:
                    del self._subscriptions[channel]
