"""A stream of a link as the transport of an asyncio protocol."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from genba_wire.aio.stream import WRITABLE_BELOW_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from genba_wire.aio.stream import Stream
    from genba_wire.buffers import Buffer


class StreamTransport(asyncio.Transport):
    """Joins a stream and a protocol. What the protocol has taken gives the peer credit for more.

    Bytes are handed to the protocol as views of the carrier's memory: it copies what it keeps.
    """

    def __init__(self, stream: Stream, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._stream = stream
        self._protocol = protocol
        self._is_closing = False
        self._is_lost = False
        self._is_paused = False

    def start(self) -> None:
        """Begin: the protocol hears of its connection first, then of what came meanwhile."""
        self._protocol.connection_made(self)
        self._stream.listen(self)

    # What the protocol calls.

    def write(self, data: Buffer) -> None:
        if self._is_closing:
            return
        self._stream.write(data)
        if not self._is_paused and not self._stream.is_writable:
            self._is_paused = True
            self._protocol.pause_writing()

    def writelines(self, list_of_data: Iterable[Buffer]) -> None:
        for data in list_of_data:
            self.write(data)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self._stream.finish()

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        """Send what was written, then nothing more."""
        if not self._is_closing:
            self._is_closing = True
            self._stream.finish()
            self._loop.call_soon(self._lose, None)

    def abort(self) -> None:
        """Close: what was written before tells the client why, so it is sent all the same."""
        self.close()

    def get_write_buffer_size(self) -> int:
        return self._stream.waiting_bytes

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return WRITABLE_BELOW_BYTES, WRITABLE_BELOW_BYTES

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    # What the stream calls.

    def data_received(self, data: memoryview) -> None:
        if not self._is_closing:
            # A protocol that copies does not care whose memory it is.
            self._protocol.data_received(cast(bytes, data))
        self._stream.consumed(len(data))

    def note_received(self, note: bytes) -> None:
        """No notes are known for this kind of stream."""

    def finished(self) -> None:
        if not self._is_closing and not self._protocol.eof_received():
            self.close()

    def reset(self, code: int, reason: str) -> None:
        self._is_closing = True
        self._lose(ConnectionResetError(reason or f"the stream was reset ({code})"))

    def writable(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._protocol.resume_writing()

    def _lose(self, error: Exception | None) -> None:
        if not self._is_lost:
            self._is_lost = True
            self._protocol.connection_lost(error)
