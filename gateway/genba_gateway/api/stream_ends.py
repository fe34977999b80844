"""When an open stream has to end although its source goes on: its session is over, or the gateway shuts down."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Final, NamedTuple

from quart import Quart, current_app, g, has_websocket_context

from genba_gateway.domain.actors import AgentActor, UserActor
from genba_gateway.errors import TooManyRequests
from genba_gateway.services.client_carriers import CLOSE_REVOKED
from genba_gateway.services.sessions import Sessions
from genba_wire.aio.carrier import CLOSE_GOING_AWAY

_EXTENSION: Final = "genba_stream_ends"

_TOO_MANY: Final = "You look at too many things at once: close some of them first."

MAX_STREAMS: Final = 128
"""Streams of one user, or of an agent, at a time: what one looks at is read and made for each. Twenty windows of
editors and fifty tabs of the dashboard stay below."""

MAX_STREAMS_OF_ADDRESS: Final = 2048
"""Where nobody is signed in: there is little to see, and everybody may come from one proxy."""

CLOSE_TRY_LATER: Final = 1013
"""RFC 6455's registry: the server can't take more at the moment."""


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """How a stream is ended: a websocket's close code, and what there is to say; a shutdown says nothing in events."""

    code: int
    reason: str

    @property
    def is_refusal(self) -> bool:
        """Whether whoever listens has lost the right to."""
        return self.code == CLOSE_REVOKED


class Caller(NamedTuple):
    """Whose streams are counted: a user's or an agent's id, or an address."""

    name: str
    is_address: bool = False


WaitForEnd = Callable[[], Coroutine[object, object, StreamEnd]]


class StreamEnds:
    """Says when streams end.

    Args:
        shutdown: set when the gateway begins to shut down.
    """

    def __init__(self, sessions: Sessions, shutdown: asyncio.Event) -> None:
        self._sessions = sessions
        self._shutdown = shutdown
        self._open: Counter[Caller] = Counter()

    def is_full(self, caller: Caller) -> bool:
        """Whether a caller has as many streams as there may be."""
        return self._open[caller] >= (MAX_STREAMS_OF_ADDRESS if caller.is_address else MAX_STREAMS)

    async def wait(self, actor: object, caller: Caller | None = None) -> StreamEnd:
        """Return when the stream of an actor has to end; one of nobody's or of an agent ends with the gateway.

        Args:
            caller: who has so many of them at most; one more ends at once. None where others count.
        """
        if caller is None:
            return await self._wait(actor)
        if self.is_full(caller):
            return StreamEnd(CLOSE_TRY_LATER, _TOO_MANY)
        self._open[caller] += 1
        try:
            return await self._wait(actor)
        finally:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]

    async def _wait(self, actor: object) -> StreamEnd:
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


def end_of_stream(*, is_counted: bool = True) -> WaitForEnd:
    """What waits until the stream of this request has to end; never, where nothing was installed.

    Call it in the request's context, which is gone when the body of its answer is sent.

    Args:
        is_counted: whether it is one of those that a caller may have.

    Raises:
        TooManyRequests: of an HTTP request. A websocket of too many, which is accepted by now, ends at once.
    """
    ends: StreamEnds | None = current_app.extensions.get(_EXTENSION)
    actor = g.get("actor")
    caller = _caller(actor) if is_counted else None
    if ends is not None and caller is not None and ends.is_full(caller) and not has_websocket_context():
        raise TooManyRequests(_TOO_MANY, retry_after_s=10)

    async def wait() -> StreamEnd:
        if ends is None:
            await asyncio.Event().wait()
            raise AssertionError("nobody sets this event")
        return await ends.wait(actor, caller)

    return wait


def _caller(actor: object) -> Caller:
    if isinstance(actor, UserActor):
        return Caller(actor.user_id)
    if isinstance(actor, AgentActor):
        return Caller(actor.agent_id)
    return Caller(str(g.get("client_address", "")), is_address=True)
