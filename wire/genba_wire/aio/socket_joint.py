"""Joins a socket to a stream: bytes and ends of both directions, with back-pressure, without a task."""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from genba_wire.aio.gather_writer import GatherWriter
from genba_wire.aio.read_memory import memory_of_loop
from genba_wire.aio.stream import Stream
from genba_wire.aio.turns import turns_of_loop
from genba_wire.buffers import Buffer
from genba_wire.tunnel.mux_frames import ResetCode

WRITE_HIGH_BYTES: Final = 64 * 1024
"""More than this behind a full socket holds back the peer's credit."""


class SocketJoint(asyncio.BufferedProtocol):
    """The protocol of a socket's transport; joined to `stream` as soon as it is connected.

    The end of one direction is handed on alone, so that a program may close its sending half and still be answered.
    """

    def __init__(self, stream: Stream) -> None:
        """`stream` is accepted already, or `connection_made` is told to by a subclass."""
        self._stream = stream
        self._memory = memory_of_loop()
        self._turns = turns_of_loop()
        self._to_socket = _ToSocket(self)
        self._is_ended_here = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # for the type checkers
        found: socket.socket | None = transport.get_extra_info("socket")
        if found is not None and found.family in (socket.AF_INET, socket.AF_INET6):
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.set_write_buffer_limits(high=WRITE_HIGH_BYTES, low=0)
        self.transport = transport
        self._to_socket.begin(self._stream, transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._memory.get_room()

    def buffer_updated(self, nbytes: int) -> None:
        self._turns.begin()
        try:
            self._stream.write(self._memory.take(nbytes))
        finally:
            self._turns.end()
        if not self._stream.is_writable:
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        self._is_ended_here = True
        self._stream.finish()
        self.close_if_done()
        return True

    def pause_writing(self) -> None:
        self._to_socket.is_blocked = True

    def resume_writing(self) -> None:
        self._to_socket.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        self._to_socket.stop()
        if exc is not None or not self._is_ended_here:
            self._stream.reset(
                ResetCode.FAILED, f"The connection broke: {exc}" if exc else "The connection was closed."
            )

    def close_if_done(self) -> None:
        """Close the socket once both directions have ended."""
        if self._is_ended_here and self._to_socket.is_ended:
            self.transport.close()


class _ToSocket:
    """Listens to the stream and writes what comes to the socket, once a turn of the loop."""

    def __init__(self, joint: SocketJoint) -> None:
        self._joint = joint
        self._turns = turns_of_loop()
        self._parts: list[Buffer] = []
        self._size = 0
        self._unconfirmed = 0
        """Bytes that the transport still keeps: the peer gets no credit for them yet."""
        self._is_flush_due = False
        self.is_blocked = False
        self.is_ended = False

    def begin(self, stream: Stream, transport: asyncio.Transport) -> None:
        self._stream = stream
        self._transport = transport
        self._writer = GatherWriter(transport)
        stream.listen(self)

    def stop(self) -> None:
        self.is_ended = True
        self._parts.clear()

    def resume(self) -> None:
        self.is_blocked = False
        confirmed, self._unconfirmed = self._unconfirmed, 0
        self._stream.consumed(confirmed)
        self._flush()

    # What the stream calls.

    def data_received(self, data: memoryview) -> None:
        self._parts.append(data)
        self._size += len(data)
        if not self._is_flush_due:
            self._is_flush_due = True
            self._turns.at_end(self._flush)

    def note_received(self, note: bytes) -> None:
        """A socket has no notes."""

    def finished(self) -> None:
        self._flush()
        self.is_ended = True
        if not self._transport.is_closing() and self._transport.can_write_eof():
            self._transport.write_eof()
        self._joint.close_if_done()

    def reset(self, code: int, reason: str) -> None:
        self._transport.abort()

    def writable(self) -> None:
        self._transport.resume_reading()

    def _flush(self) -> None:
        self._is_flush_due = False
        if not self._parts:
            return
        parts, size = self._parts, self._size
        self._parts, self._size = [], 0
        self._writer.write(parts, size)
        if self.is_blocked:
            self._unconfirmed += size
        else:
            self._stream.consumed(size)
