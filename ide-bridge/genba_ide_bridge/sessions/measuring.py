"""What a way to an agent is worth: round trips and throughput, over streams of the kind "speed"."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from genba_wire.aio.stream_channel import StreamChannel
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import COUNT_BYTES

if TYPE_CHECKING:
    from genba_wire.aio.stream import Stream

INTERVAL_S: Final = 1.0
"""How often a throughput is told."""

_CHUNK: Final = bytes(64 * 1024)
_NUMBER_BYTES: Final = 8


class EchoLine:
    """An echo stream. Answers that come too late are not taken for those of a later question."""

    def __init__(self, stream: Stream) -> None:
        self._channel = StreamChannel(stream)
        self._clock = asyncio.get_running_loop().time
        self._asked = 0
        self._came = b""

    async def ask(self) -> float:
        """Send a few bytes and wait for them; returns the seconds between.

        Raises:
            StreamRefused: the stream is over.
        """
        self._asked += 1
        began = self._clock()
        await self._channel.write(self._asked.to_bytes(_NUMBER_BYTES, "big"))
        while True:
            while len(self._came) >= _NUMBER_BYTES:
                number, self._came = int.from_bytes(self._came[:_NUMBER_BYTES], "big"), self._came[_NUMBER_BYTES:]
                if number == self._asked:
                    return self._clock() - began
            came = await self._channel.read()
            if not came:
                raise StreamRefused(ResetCode.FAILED, "The agent ended the stream.")
            self._came += came


@dataclass(frozen=True, slots=True)
class Throughput:
    """How much came through in a span of time; seconds count from the beginning of the measurement."""

    start_s: float
    end_s: float
    size_bytes: int

    @property
    def mbits(self) -> float:
        """Millions of bits a second."""
        span_s = self.end_s - self.start_s
        return self.size_bytes * 8 / span_s / 1e6 if span_s > 0 else 0.0


async def measure_throughput(
    stream: Stream, *, is_up: bool, duration_s: float, on_interval: Callable[[Throughput], None]
) -> Throughput:
    """Send, or receive, for so long; `on_interval` hears of each second. Returns the whole.

    Raises:
        StreamRefused: the stream ended before.
    """
    clock = asyncio.get_running_loop().time
    meter = _Meter(stream, is_up=is_up)
    began = last = clock()
    counted = 0
    stream.listen(meter)
    meter.writable()
    while last - began < duration_s:
        await meter.wait(min(INTERVAL_S, duration_s - (last - began)))
        now = clock()
        size, counted = meter.size_bytes - counted, meter.size_bytes
        on_interval(Throughput(last - began, now - began, size))
        last = now
    stream.reset(ResetCode.CANCELLED, "The measurement is over.")
    return Throughput(0.0, last - began, counted)


class _Meter:
    """Counts what came, here or, by its own word, at the agent."""

    def __init__(self, stream: Stream, *, is_up: bool) -> None:
        self.size_bytes = 0
        self._stream = stream
        self._is_up = is_up
        self._kept = b""
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def wait(self, span_s: float) -> None:
        """Let time pass."""
        try:
            async with asyncio.timeout(span_s):
                await asyncio.shield(self._broken)
        except TimeoutError:
            return

    def data_received(self, data: memoryview) -> None:
        self._stream.consumed(len(data))
        if not self._is_up:
            self.size_bytes += len(data)
            return
        self._kept += bytes(data)
        whole = len(self._kept) // COUNT_BYTES * COUNT_BYTES
        if whole:
            self.size_bytes = int.from_bytes(self._kept[whole - COUNT_BYTES : whole], "big")
            self._kept = self._kept[whole:]

    def note_received(self, note: bytes) -> None:
        """There are none."""

    def finished(self) -> None:
        self.reset(ResetCode.FAILED, "The agent ended the stream.")

    def reset(self, code: int, reason: str) -> None:
        if not self._broken.done():
            self._broken.set_exception(StreamRefused(code, reason))
            self._broken.exception()  # retrieved: nobody may be waiting any more

    def writable(self) -> None:
        while self._is_up and self._stream.is_writable:
            self._stream.write(_CHUNK)
