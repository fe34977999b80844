"""Joins whoever sends and receives datagrams to a stream, and drops what finds no room, as UDP does."""

from __future__ import annotations

from collections.abc import Callable

from genba_wire.aio.stream import Stream
from genba_wire.tunnel.datagrams import DatagramReader, frame_datagram


class DatagramJoint:
    """The listener of a "udp" stream that both ends have agreed on.

    Nothing is held back for long: a datagram is dropped when the stream has enough to do, and while its link has no
    carrier, since one that comes late is worse than none.
    """

    def __init__(self, stream: Stream, deliver: Callable[[bytes], None], *, on_over: Callable[[], None]) -> None:
        """`deliver` takes a datagram that came; `on_over` hears once that none will come any more."""
        self._stream = stream
        self._deliver = deliver
        self._on_over = on_over
        self._reader = DatagramReader()
        stream.listen(self)

    def send(self, datagram: bytes) -> None:
        """Send a datagram, or drop it."""
        if self._stream.is_writable and self._stream.is_attached:
            self._stream.write(frame_datagram(datagram))

    def close(self) -> None:
        """Send no more; the other end closes its half too."""
        self._stream.finish()

    # What the stream calls.

    def data_received(self, data: memoryview) -> None:
        self._stream.consumed(len(data))
        for datagram in self._reader.feed(data):
            self._deliver(datagram)

    def note_received(self, note: bytes) -> None:
        """Datagrams have no notes."""

    def finished(self) -> None:
        self._stream.finish()
        self._on_over()

    def reset(self, code: int, reason: str) -> None:
        self._on_over()

    def writable(self) -> None:
        """What found no room was dropped."""
