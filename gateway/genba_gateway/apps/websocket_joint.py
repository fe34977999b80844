"""A browser's websocket joined to an app's: bytes both ways, payloads unread, without a task."""

from __future__ import annotations

import asyncio
from typing import Final

from genba_gateway.apps.connections import UpstreamConnection
from genba_gateway.relay.taken_transport import CLOSE_S, TakenTransport
from genba_wire.aio.carrier import CLOSE_GOING_AWAY
from genba_wire.aio.gather_writer import GatherWriter, set_no_delay
from genba_wire.aio.read_memory import memory_of_loop
from genba_wire.aio.turns import turns_of_loop
from genba_wire.buffers import Buffer
from genba_wire.websocket_frames import Opcode, encode_close

WRITE_HIGH_BYTES: Final = 64 * 1024
"""More than this behind a full socket holds back the app's credit."""


class FrameEnds:
    """Tells whether a server's bytes end with a whole frame: only there may the gateway say its own goodbye."""

    def __init__(self) -> None:
        self.has_closed = False
        """A close frame was among them."""
        self._header = bytearray()
        self._payload = 0

    @property
    def is_whole(self) -> bool:
        """Whether a frame may begin."""
        return not self._payload and not self._header

    def feed(self, data: Buffer) -> None:
        """Count bytes."""
        at, size = 0, len(data)
        while at < size:
            if self._payload:
                step = min(self._payload, size - at)
                self._payload -= step
                at += step
                continue
            self._header.append(data[at])
            at += 1
            if len(self._header) >= 2 and len(self._header) == _header_size(self._header[1]):
                self._begin()

    def _begin(self) -> None:
        header, short = self._header, self._header[1] & 0x7F
        start, end = (2, 4) if short == 126 else (2, 10)
        self._payload = short if short < 126 else int.from_bytes(header[start:end], "big")
        self.has_closed = self.has_closed or header[0] & 0x0F == Opcode.CLOSE
        header.clear()


def _header_size(second: int) -> int:
    length = second & 0x7F
    return 2 + (2 if length == 126 else 8 if length == 127 else 0) + (4 if second & 0x80 else 0)


class WebsocketJoint(asyncio.BufferedProtocol):
    """The protocol of a browser's transport, and the listener of the connection to the app.

    Flow: a browser that does not take what the app says costs the app its credit; an app that is slow stops the
    reading from the browser.
    """

    def __init__(self, taken: TakenTransport, connection: UpstreamConnection) -> None:
        self._taken = taken
        self._transport = taken.transport
        self._connection = connection
        self._way = connection.way
        self._memory, self._turns = memory_of_loop(), turns_of_loop()
        self._writer = GatherWriter(taken.transport)
        self._ends = FrameEnds()
        self._parts: list[Buffer] = []
        self._size = self._unconfirmed = 0
        self._is_flush_due = self._is_blocked = self._is_browser_gone = self._is_app_gone = False
        self._over = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, early: bytes) -> None:
        """Join until one side is gone, and the other one has had a moment for its last words.

        Args:
            early: what the app said right behind its 101.
        """
        try:
            self._begin(early)
            await self._over.wait()
        finally:
            if self._timer is not None:
                self._timer.cancel()
            await self._taken.wind_up()

    def end(self, code: int, reason: str) -> None:
        """Close the browser's end: with a close frame, unless a frame has begun and can't be made whole."""
        if self._transport.is_closing():
            return
        self._flush()
        if self._ends.is_whole and not self._ends.has_closed:
            self._transport.write(encode_close(code, reason, masked=False))
        self._transport.close()
        self._finish_soon()

    # What the transport calls.

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._memory.get_room()

    def buffer_updated(self, nbytes: int) -> None:
        self._turns.begin()
        try:
            self._way.write(self._memory.take(nbytes))
        finally:
            self._turns.end()
        if not self._way.is_writable and not self._transport.is_closing():
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        self._way.finish()
        self._finish_soon()
        return True

    def pause_writing(self) -> None:
        self._is_blocked = True

    def resume_writing(self) -> None:
        self._is_blocked = False
        confirmed, self._unconfirmed = self._unconfirmed, 0
        self._way.consumed(confirmed)
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_browser_gone = True
        self._parts.clear()
        self._way.finish()
        self._finish_soon()
        self._taken.lost()

    # What the connection to the app calls.

    def data_received(self, data: memoryview) -> None:
        self._ends.feed(data)
        self._parts.append(data)
        self._size += len(data)
        if not self._is_flush_due:
            self._is_flush_due = True
            self._turns.at_end(self._flush)

    def note_received(self, note: bytes) -> None:
        """A connection has no notes."""

    def finished(self) -> None:
        self._is_app_gone = True
        if self._is_browser_gone:
            self._over.set()
        else:
            self.end(CLOSE_GOING_AWAY, "The app closed the connection.")

    def reset(self, code: int, reason: str) -> None:
        self.finished()

    def writable(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    # Inside.

    def _begin(self, early: bytes) -> None:
        self._taken.goodbye = self.end
        if self._taken.is_lost:
            self._over.set()
            return
        set_no_delay(self._transport)
        self._transport.set_write_buffer_limits(high=WRITE_HIGH_BYTES, low=0)
        self._transport.set_protocol(self)
        if early:
            self._ends.feed(early)
            self._transport.write(early)
        self._connection.hand_over(self)
        said = self._taken.take_early()
        if said:
            self._way.write(said)
        if not self._transport.is_closing() and self._way.is_writable:
            self._transport.resume_reading()

    def _flush(self) -> None:
        self._is_flush_due = False
        if not self._parts:
            return
        parts, size = self._parts, self._size
        self._parts, self._size = [], 0
        if not self._transport.is_closing():
            self._writer.write(parts, size)
        if self._is_blocked:
            self._unconfirmed += size
        else:
            self._way.consumed(size)

    def _finish_soon(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(CLOSE_S, self._over.set)
        if self._is_browser_gone and self._is_app_gone:
            self._over.set()
