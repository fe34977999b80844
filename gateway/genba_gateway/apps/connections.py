"""One connection to an app: bytes over a stream to its agent, read by one reader and written by one writer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from genba_gateway.services.agent_links import OpenedStream
from genba_wire.aio.stream import StreamListener
from genba_wire.buffers import Buffer
from genba_wire.tunnel.mux_frames import ResetCode

MAX_JOINED_BYTES: Final = 16 * 1024
"""Below, one write of two parts costs less than two writes."""


MIN_OWN_PART_BYTES: Final = 1024
"""Behind something that waits, smaller ones are put together: an object for each takes hundreds of bytes."""


class UpstreamLost(Exception):
    """The connection to the app is over, and more was expected of it."""


class EndedHere(UpstreamLost):
    """The gateway ended it: the app is not to be asked again."""


class Way(Protocol):
    """What carries the bytes: a stream, or TLS within one."""

    @property
    def is_writable(self) -> bool:
        """Whether a writer should go on."""
        ...

    def listen(self, listener: StreamListener) -> None:
        """Deliver what comes."""
        ...

    def write(self, data: Buffer) -> None:
        """Send bytes."""
        ...

    def finish(self) -> None:
        """Send no more."""
        ...

    def consumed(self, size: int) -> None:
        """Give credit for so many bytes of what was delivered."""
        ...


class UpstreamConnection:
    """A connection that is lent out for one request at a time.

    What was read holds back the app until it is `release`d: nothing piles up behind a slow browser.
    """

    def __init__(self, opened: OpenedStream, way: Way) -> None:
        """It owns `opened`."""
        self.opened = opened
        self.way = way
        self.is_reused = False
        self.on_event: Callable[[], None] | None = None
        """Called when something comes, or the connection ends. For whoever does not read."""
        self._parts: deque[memoryview | bytearray] = deque()
        self._is_finished = False
        self._failure: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        way.listen(self)

    @property
    def is_quiet(self) -> bool:
        """Whether it is open, and nothing has come that nobody asked for."""
        return not self._parts and not self._is_finished and self._failure is None

    async def read(self) -> Buffer:
        """What has come, or the next bytes that come; none at the end.

        Raises:
            UpstreamLost: it ended otherwise, or `fail` was called with it.
        """
        while not self._parts:
            if self._failure is not None:
                raise self._failure
            if self._is_finished:
                return b""
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        parts = self._parts
        if len(parts) == 1 or len(parts[0]) + len(parts[1]) > MAX_JOINED_BYTES:
            return parts.popleft()
        # A head, and a body that its server wrote by itself: they leave together, too.
        return b"".join((parts.popleft(), parts.popleft()))

    def read_more(self) -> Buffer | None:
        """What has come behind what `read` returned, None if nothing has."""
        return self._parts.popleft() if self._parts else None

    def peek(self) -> bytes | None:
        """What has come, while it stays here for `read`; None unless it is little and nothing is wrong."""
        if self._failure is not None or sum(map(len, self._parts)) > MAX_JOINED_BYTES:
            return None
        return b"".join(self._parts)

    def skip(self) -> None:
        """What `peek` returned was read."""
        self.release(sum(map(len, self._parts)))
        self._parts.clear()

    def release(self, size: int) -> None:
        """So many bytes of what was read need no memory any more."""
        self.way.consumed(size)

    async def write(self, data: Buffer) -> None:
        """Send; returns when there is room for more.

        Raises:
            UpstreamLost: as `read` does.
        """
        if self._failure is not None:
            raise self._failure
        self.way.write(data)
        while not self.way.is_writable:
            if self._failure is not None:
                raise self._failure
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer

    def fail(self, error: Exception) -> None:
        """Let whoever reads or writes raise this; the first one counts."""
        self._failure = self._failure or error
        self._parts.clear()
        self._wake()

    def hand_over(self, listener: StreamListener) -> None:
        """Deliver what has come and was not read, and what comes, to another listener."""
        parts, self._parts = list(self._parts), deque()
        for part in parts:
            listener.data_received(memoryview(part))
        if self._is_finished:
            listener.finished()
        elif self._failure is not None:
            listener.reset(ResetCode.FAILED, str(self._failure))
        self.way.listen(listener)

    def close(self) -> None:
        """End it; harmless when it has ended. Whoever still writes hears of it."""
        self.on_event = None
        self.fail(UpstreamLost("The connection to the app was closed."))
        self.opened.release()

    # What the way calls.

    def data_received(self, data: memoryview) -> None:
        """Take bytes."""
        parts = self._parts
        if len(data) >= MIN_OWN_PART_BYTES:
            parts.append(data)
        elif parts and isinstance(parts[-1], bytearray) and len(parts[-1]) < MIN_OWN_PART_BYTES:
            parts[-1] += data
        elif parts:
            parts.append(bytearray(data))
        else:
            parts.append(data)
        self._wake()

    def note_received(self, note: bytes) -> None:
        """A connection has no notes."""

    def finished(self) -> None:
        """The app sends no more."""
        self._is_finished = True
        self._wake()

    def reset(self, code: int, reason: str) -> None:
        """The connection broke, or the link to the agent did."""
        self._failure = self._failure or UpstreamLost(reason or "The connection to the app broke.")
        self._wake()

    def writable(self) -> None:
        """There is room again."""
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)

    def _wake(self) -> None:
        for waiting in (self._reader, self._writer if self._failure is not None else None):
            if waiting is not None and not waiting.done():
                waiting.set_result(None)
        if self.on_event is not None:
            self.on_event()
