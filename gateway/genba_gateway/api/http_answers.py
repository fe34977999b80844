"""The answer that carries what comes down on a carrier over HTTP requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from types import TracebackType
from typing import Final

from quart.wrappers.response import ResponseBody

from genba_gateway.api.stream_ends import WaitForEnd
from genba_gateway.relay.http_carriers import Serve
from genba_gateway.relay.http_end import HttpEnd
from genba_gateway.relay.takeover import CLOSE_RESTARTING
from genba_wire.aio.carrier import CLOSE_INTERNAL_ERROR, CLOSE_NORMAL

log = logging.getLogger(__name__)

CLOSE_S: Final = 5.0
"""How long a peer may take to make room for the goodbye; a slow one gets what was sent before, too."""


class _Stuck(Exception):
    """The peer does not read, and would hold its carrier for as long as its connection lasts."""


class CarrierBody(ResponseBody):
    """Serves the session of an end for as long as the answer lasts, and the answer for as long as the session does.

    The framework enters the body, iterates over it and leaves it in one task, which it cancels when the peer is gone.
    """

    def __init__(
        self,
        end: HttpEnd,
        serve: Serve,
        wait_for_end: WaitForEnd,
        forget: Callable[[], None],
        abort: Callable[[], None],
        *,
        close_s: float = CLOSE_S,
    ) -> None:
        """`forget` is called when it is over, and `abort` drops a connection whose peer does not read."""
        self._end = end
        self._serve = serve
        self._wait_for_end = wait_for_end
        self._forget = forget
        self._abort = abort
        self._close_s = close_s
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> AsyncIterator[bytes]:
        await self._group.__aenter__()
        self._tasks = [
            self._group.create_task(self._run(), name="carrier over HTTP requests"),
            self._group.create_task(self._end_in_time(), name="carrier over HTTP requests: end"),
        ]
        return self._iterate()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._forget()
        self._end.lose("The connection was closed.")
        for task in self._tasks:
            task.cancel()
        try:
            await self._group.__aexit__(exc_type, exc_value, tb)
        except* _Stuck:
            # The group has cancelled the framework's task, which ends now as when a peer is gone. Its server would wait
            # for the peer to take what was written.
            self._abort()

    async def _iterate(self) -> AsyncGenerator[bytes]:
        while (chunk := await self._end.next_chunk()) is not None:
            yield chunk

    async def _run(self) -> None:
        try:
            await self._serve(self._end)
            self._end.close(CLOSE_NORMAL)
        except Exception:  # the session's edge: its status was sent long ago
            log.exception("A carrier over HTTP requests failed.")
            self._end.close(CLOSE_INTERNAL_ERROR, "Something went wrong in the gateway; its log says what.")
        await asyncio.sleep(self._close_s)
        raise _Stuck

    async def _end_in_time(self) -> None:
        end = await self._wait_for_end()
        self._end.close(CLOSE_RESTARTING, end.reason)
