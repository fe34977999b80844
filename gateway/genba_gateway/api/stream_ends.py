"""When an open stream has to end although its source goes on: its session is over, or the gateway shuts down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Final

from quart import Quart, current_app, g

from genba_gateway.domain.actors import UserActor
from genba_gateway.services.client_carriers import CLOSE_REVOKED
from genba_gateway.services.sessions import Sessions
from genba_wire.aio.carrier import CLOSE_GOING_AWAY

_EXTENSION: Final = "genba_stream_ends"


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """How a stream is ended: a websocket's close code, and what there is to say; a shutdown says nothing in events."""

    code: int
    reason: str

    @property
    def is_refusal(self) -> bool:
        """Whether whoever listens has lost the right to."""
        return self.code == CLOSE_REVOKED


WaitForEnd = Callable[[], Coroutine[object, object, StreamEnd]]


class StreamEnds:
    """Says when streams end.

    Args:
        shutdown: set when the gateway begins to shut down.
    """

    def __init__(self, sessions: Sessions, shutdown: asyncio.Event) -> None:
        self._sessions = sessions
        self._shutdown = shutdown

    async def wait(self, actor: object) -> StreamEnd:
        """Return when the stream of an actor has to end; one of nobody's or of an agent ends with the gateway."""
        async with asyncio.TaskGroup() as tasks:
            down = tasks.create_task(self._shutdown.wait(), name="stream: shutdown")
            waiting: set[asyncio.Task[bool] | asyncio.Task[str]] = {down}
            revoked = None
            if isinstance(actor, UserActor):
                revoked = tasks.create_task(self._sessions.wait_for_end(actor), name="stream: session")
                waiting.add(revoked)
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in waiting:
                    each.cancel()
        if revoked is not None and not revoked.cancelled():
            return StreamEnd(CLOSE_REVOKED, revoked.result())
        return StreamEnd(CLOSE_GOING_AWAY, "The gateway shuts down.")


def install_stream_ends(app: Quart, ends: StreamEnds) -> None:
    """Have the app's streams end as `ends` says."""
    app.extensions[_EXTENSION] = ends


def end_of_stream() -> WaitForEnd:
    """What waits until the stream of this request has to end; never, where nothing was installed.

    Call it in the request's context, which is gone when the body of its answer is sent.
    """
    ends: StreamEnds | None = current_app.extensions.get(_EXTENSION)
    actor = g.get("actor")

    async def wait() -> StreamEnd:
        if ends is None:
            await asyncio.Event().wait()
            raise AssertionError("nobody sets this event")
        return await ends.wait(actor)

    return wait
