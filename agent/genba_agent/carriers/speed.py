"""Streams that are measured: the agent sends, drops, or sends back."""

from __future__ import annotations

import asyncio
from typing import Final

from genba_wire.aio.stream import Stream
from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import COUNT_BYTES, parse_speed_open

CHUNK: Final = bytes(64 * 1024)
"""What is sent again and again. No part of the way compresses."""

COUNT_EVERY_S: Final = 0.05
"""How often the sender of an upload hears how much has come."""


def handle_speed_stream(kind: str, head: bytes, stream: Stream) -> None:
    """Serve a stream of the kind "speed"; it costs nothing while its client gives no credit."""
    try:
        direction = parse_speed_open(head).direction
    except RemoteProtocolError as error:
        stream.refuse(ResetCode.PROTOCOL, str(error))
        return
    stream.accept()
    match direction:
        case "down":
            sender = _Sender(stream)
            stream.listen(sender)
            sender.writable()
        case "up":
            stream.listen(_Counter(stream))
        case "echo":
            stream.listen(_Echo(stream))


class _Speed:
    """What the three have in common: they end with their client."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def note_received(self, note: bytes) -> None:
        """There are none."""

    def finished(self) -> None:
        self._stream.finish()

    def reset(self, code: int, reason: str) -> None:
        """The stream is not written to any more."""

    def writable(self) -> None:
        """Only what sends by itself wants to know."""


class _Sender(_Speed):
    def data_received(self, data: memoryview) -> None:
        self._stream.consumed(len(data))

    def writable(self) -> None:
        while self._stream.is_writable:
            self._stream.write(CHUNK)


class _Counter(_Speed):
    def __init__(self, stream: Stream) -> None:
        super().__init__(stream)
        self._received = 0
        self._timer: asyncio.TimerHandle | None = None

    def data_received(self, data: memoryview) -> None:
        self._received += len(data)
        self._stream.consumed(len(data))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(COUNT_EVERY_S, self._tell)

    def finished(self) -> None:
        self._tell()
        super().finished()

    def reset(self, code: int, reason: str) -> None:
        self._cancel()

    def _tell(self) -> None:
        self._cancel()
        self._stream.write(self._received.to_bytes(COUNT_BYTES, "big"))

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Echo(_Speed):
    """Gives credit for what left again: a client that reads nothing may not send more either."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream)
        self._owed = 0

    def data_received(self, data: memoryview) -> None:
        self._stream.write(bytes(data))
        if self._stream.is_writable:
            self._stream.consumed(len(data))
        else:
            self._owed += len(data)

    def writable(self) -> None:
        owed, self._owed = self._owed, 0
        self._stream.consumed(owed)
