"""An end over plain HTTP requests, for peers that no websocket reaches: one answer down, numbered requests up.

It knows neither the requests nor their framework: whoever serves them takes `next_chunk` for the one, and hands the
others to `take`. Nothing is kept for another try: when the answer breaks off, the carrier is lost, as any carrier may
be, and the link above goes on with another one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from genba_gateway.errors import BadRequest, Conflict, NotFound, TooManyRequests
from genba_wire.aio.carrier import CLOSE_NORMAL, CarrierReceiver
from genba_wire.aio.send_marks import SendMarks
from genba_wire.api.http_carriers import KEEP_ALIVE_S
from genba_wire.buffers import Buffer
from genba_wire.errors import RemoteProtocolError
from genba_wire.http_frames import KEEP_ALIVE, CarrierEnd, HttpFrameReader, encode_end, encode_length

HIGH_BYTES: Final = 512 * 1024
"""With more than this waiting to go down, who sends is asked to pause."""

LOW_BYTES: Final = 128 * 1024
"""With no more than this waiting, who was asked to pause may send again."""

CHUNK_BYTES: Final = 256 * 1024
"""So much goes into one write, and a message more."""

TAKE_WITHIN_S: Final = 20.0
"""How long a piece that goes up may wait for the other end to read: proxies wait for an answer for a minute, some for
half of one. Then its sender is told to send it again."""

MAX_WAITING: Final = 2
"""Pieces that wait at once: one, and the same again from a sender whose connection broke. Each holds 256 KiB."""


class HttpEnd:
    """Implements `Carrier`."""

    def __init__(self, *, keep_alive_s: float = KEEP_ALIVE_S, take_within_s: float = TAKE_WITHIN_S) -> None:
        self._marks = SendMarks(HIGH_BYTES, LOW_BYTES)
        self._keep_alive_s = keep_alive_s
        self._take_within_s = take_within_s
        self._receiver: CarrierReceiver | None = None
        self._is_started = False
        self._is_reading = True
        self._may_deliver = asyncio.Event()
        self._reader = HttpFrameReader()
        self._next_number = 0
        self._waiting_pieces = 0
        self._turn = asyncio.Lock()
        self._outgoing: deque[bytes] = deque()
        self._being_written = 0
        self._has_work = asyncio.Event()
        self._is_closing = False
        self._is_over = False
        self._left = asyncio.Event()
        self._lost_reason = ""
        # At once, so that the peer knows that nothing on the way holds back what comes down.
        self._queue(KEEP_ALIVE)

    @property
    def kept_bytes(self) -> int:
        """What waits to go down."""
        return self._marks.kept_bytes

    # What a carrier does.

    @property
    def is_sending_paused(self) -> bool:
        return self._marks.is_paused

    def send(self, *parts: Buffer) -> None:
        self.send_messages((parts,))

    def send_messages(self, messages: Iterable[Sequence[Buffer]]) -> None:
        if self._is_over:
            return
        for parts in messages:
            self._queue(b"".join((encode_length(sum(map(len, parts))), *parts)))
        self._marks.check(self._receiver)

    def start(self, receiver: CarrierReceiver) -> None:
        self._receiver = receiver
        if self._is_over:
            asyncio.get_running_loop().call_soon(self._tell_lost)
            return
        self._is_started = True
        self._apply_pause()

    def pause_reading(self) -> None:
        self._is_reading = False
        self._apply_pause()

    def resume_reading(self) -> None:
        self._is_reading = True
        self._apply_pause()

    def close(self, code: int = CLOSE_NORMAL, reason: str = "") -> None:
        self._receiver = None
        if not self._is_over:
            self._queue(encode_end(code, reason))
            self._finish(reason)

    async def wait_until_left(self) -> None:
        """Return when the peer leaves before its session has begun."""
        await self._left.wait()

    # What the answer that goes down asks.

    async def next_chunk(self) -> bytes | None:
        """Wait for what goes down next; None behind the last. What it gave before has been written."""
        self._note_written()
        if not self._outgoing and self._is_closing:
            return None
        try:
            async with asyncio.timeout(self._keep_alive_s):
                await self._has_work.wait()
        except TimeoutError:
            return KEEP_ALIVE
        return self._take_chunk() or None

    def lose(self, reason: str) -> None:
        """The answer broke off: the peer has left."""
        if not self._is_over:
            self._lost_reason = reason
            self._finish(reason)
        self._tell_lost()
        self._left.set()

    # What the requests that go up bring.

    async def take(self, number: int, data: bytes) -> bool:
        """Take one piece, or the same once more.

        Returns:
            Whether it was taken; otherwise it is to be sent again, as the other end does not read yet.

        Raises:
            NotFound: the carrier is over.
            Conflict: pieces are missing before this one.
            TooManyRequests: pieces wait already.
            BadRequest: it holds no frames.
        """
        if self._waiting_pieces >= MAX_WAITING:
            raise TooManyRequests(
                f"{MAX_WAITING} pieces of this carrier wait already: send one at a time.", retry_after_s=1
            )
        self._waiting_pieces += 1
        try:
            async with asyncio.timeout(self._take_within_s), self._turn:
                return await self._take_in_turn(number, data)
        except TimeoutError:
            return False
        finally:
            self._waiting_pieces -= 1

    async def _take_in_turn(self, number: int, data: bytes) -> bool:
        if number < self._next_number:
            return True
        if number > self._next_number:
            raise Conflict(f"Piece {number} came, but piece {self._next_number} did not: send them in order.")
        if not self._is_over:
            await self._may_deliver.wait()
        if self._is_over:
            raise NotFound(
                "This carrier is over." if not self._lost_reason else f"This carrier is over: {self._lost_reason}"
            )
        self._next_number += 1
        try:
            self._deliver(data)
        except RemoteProtocolError as error:
            self._break(error)
            raise BadRequest(f"This piece can't be read: {error}.") from error
        return True

    # Inside.

    def _queue(self, data: bytes) -> None:
        self._outgoing.append(data)
        self._marks.add(len(data))
        self._has_work.set()

    def _deliver(self, data: bytes) -> None:
        for event in self._reader.feed(data):
            if isinstance(event, CarrierEnd):
                self._lost_reason = event.reason or f"The peer closed the connection with code {event.code}."
                self._finish(self._lost_reason)
                self._tell_lost()
                self._left.set()
            elif self._receiver is not None:
                self._receiver.message_received(event.data)

    def _break(self, error: RemoteProtocolError) -> None:
        self._lost_reason = f"The peer broke the protocol: {error}"
        if not self._is_over:
            self._queue(encode_end(error.close_code, str(error)))
            self._finish(self._lost_reason)
        self._tell_lost()

    def _finish(self, reason: str) -> None:
        """Nothing more is sent or delivered; what waits still goes down."""
        self._is_over = self._is_closing = True
        self._lost_reason = self._lost_reason or reason
        self._has_work.set()
        self._may_deliver.set()

    def _take_chunk(self) -> bytes:
        outgoing = self._outgoing
        pieces: list[bytes] = []
        size = 0
        while outgoing and size < CHUNK_BYTES:
            size += len(outgoing[0])
            pieces.append(outgoing.popleft())
        self._being_written = size
        if not outgoing and not self._is_closing:
            self._has_work.clear()
        return b"".join(pieces)

    def _note_written(self) -> None:
        written, self._being_written = self._being_written, 0
        self._marks.take(written, self._receiver)

    def _apply_pause(self) -> None:
        if self._is_over:
            return
        if self._is_started and self._is_reading:
            self._may_deliver.set()
        else:
            self._may_deliver.clear()

    def _tell_lost(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.carrier_lost(self._lost_reason or "The connection was closed.")
