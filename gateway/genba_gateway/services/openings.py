"""The time in which a session is opened: its client may leave meanwhile, or may not have it any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from genba_gateway.domain.session_grants import SessionGrant
from genba_gateway.errors import AgentUnreachable
from genba_gateway.services.agent_sessions import AgentSessions


class OpeningEnded(Exception):
    """The session is not wanted any more. `reason` says why it may not be; it is empty when the client left."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason or "the client left")
        self.reason = reason


@asynccontextmanager
async def opening(
    sessions: AgentSessions, grant: SessionGrant, wait_until_left: Callable[[], Awaitable[None]]
) -> AsyncGenerator[None]:
    """Open a session in the block, which is broken off as soon as nobody waits for it or it may not be.

    Args:
        wait_until_left: returns when the client has left.

    Raises:
        OpeningEnded: it was broken off.
        AgentUnreachable: as the block raised it.
    """
    patience = asyncio.timeout(None)
    failure: AgentUnreachable | OpeningEnded | None = None
    reason = ""

    def break_off(why: str) -> None:
        nonlocal reason
        if patience.when() is None:  # else it is broken off already, and may be past rescheduling
            reason = why
            patience.reschedule(asyncio.get_running_loop().time())

    async def watch_grant() -> None:
        break_off(await sessions.wait_for_end(grant, ""))

    async def watch_client() -> None:
        await wait_until_left()
        break_off("")

    async with asyncio.TaskGroup() as tasks:
        watchers = [
            tasks.create_task(watch_grant(), name="watch the grant of an opening"),
            tasks.create_task(watch_client(), name="watch the client of an opening"),
        ]
        try:
            async with patience:
                yield
        except AgentUnreachable as error:
            failure = error  # raised below: a TaskGroup would wrap it
        except TimeoutError:
            failure = OpeningEnded(reason)
        finally:
            for watcher in watchers:
                watcher.cancel()
    if failure is not None:
        raise failure
