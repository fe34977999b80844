"""Awaitable reading and writing of a stream, for everything that is not bulk."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from genba_wire.aio.stream import Stream
from genba_wire.buffers import Buffer
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.mux_frames import ResetCode

MAX_NOTES: Final = 64
"""Notes that wait to be read; they need no credit, so a peer that sends more loses its stream."""


class StreamChannel:
    """The listener of one stream, for one reader of data, one reader of notes and one writer.

    What was not read holds back the peer: data is given credit when it is read.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._data: deque[bytes] = deque()
        self._notes: deque[bytes] = deque()
        self._is_finished = False
        self._broken: StreamRefused | None = None
        self._changed = asyncio.Event()
        stream.listen(self)

    async def read(self) -> bytes:
        """Return the next bytes, b"" at the end.

        Raises:
            StreamRefused: the stream ended otherwise; its code and reason say how.
        """
        await self._wait(lambda: bool(self._data) or self._is_finished)
        data = b"".join(self._data)
        self._data.clear()
        self._stream.consumed(len(data))
        return data

    async def write(self, data: Buffer) -> None:
        """Send bytes, then wait until the stream is writable.

        Raises:
            StreamRefused: the stream is over.
        """
        self._stream.write(data)
        await self._wait(lambda: self._broken is None and self._stream.is_writable)

    async def next_note(self) -> bytes | None:
        """Return the next note, None when the peer has finished the stream.

        Raises:
            StreamRefused: the stream ended otherwise; its code and reason say how.
        """
        await self._wait(lambda: bool(self._notes) or self._is_finished)
        return self._notes.popleft() if self._notes else None

    def note(self, data: bytes) -> None:
        """Send a note."""
        self._stream.note(data)

    def finish(self) -> None:
        """Send no more data."""
        self._stream.finish()

    def close(self, reason: str = "") -> None:
        """Reset the stream unless it is over."""
        self._stream.reset(ResetCode.CANCELLED, reason)
        self._broken = self._broken or StreamRefused(ResetCode.CANCELLED, reason or "The stream was closed.")
        self._change()

    async def _wait(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            if self._broken is not None:
                raise StreamRefused(self._broken.code, self._broken.reason)
            await self._changed.wait()

    def _change(self) -> None:
        # Several may wait: each change wakes them all, and the next wait has an event of its own.
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    # What the stream calls.

    def data_received(self, data: memoryview) -> None:
        self._data.append(bytes(data))
        self._change()

    def note_received(self, note: bytes) -> None:
        if len(self._notes) >= MAX_NOTES:
            self.close(f"More than {MAX_NOTES} notes that nobody read.")
            return
        self._notes.append(note)
        self._change()

    def finished(self) -> None:
        self._is_finished = True
        self._change()

    def reset(self, code: int, reason: str) -> None:
        self._broken = StreamRefused(code, reason)
        self._change()

    def writable(self) -> None:
        self._change()
