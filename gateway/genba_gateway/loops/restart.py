"""Starts workspaces that were stopped for a restart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from genba_gateway.domain import channels
from genba_gateway.loops.due_workspaces import INTERVAL_S, DueWorkspaces
from genba_gateway.services.restarts import Restarts
from genba_gateway.store.pubsub import PubSub, Subscription


class Restart(DueWorkspaces):
    """Looks when such a stop is done, and at times: who stopped it may have been another process."""

    def __init__(self, restarts: Restarts, pubsub: PubSub, *, interval_s: float = INTERVAL_S) -> None:
        super().__init__(
            restarts.list_due,
            restarts.start_due,
            unread="restarts can't be read; they are looked at again in %s s",
            stuck="workspace %s shall start after its stop and can't",
            interval_s=interval_s,
        )
        self._pubsub = pubsub

    async def run(self) -> None:
        """Start what is due until cancelled."""
        with self._pubsub.subscribe(channels.RESTARTS) as subscription:
            self._pause = _wait_for(subscription)
            await super().run()


def _wait_for(subscription: Subscription) -> Callable[[float], Awaitable[None]]:
    async def pause(limit_s: float) -> None:
        await subscription.changed(limit_s)

    return pause
