"""A transport that was taken from Hypercorn (`takeover`), from then until its new owner's protocol has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from genba_wire.aio.carrier import CLOSE_NORMAL
from genba_wire.websocket_frames import encode_close

EARLY_BYTES: Final = 64 * 1024
"""What is read of a peer before its session begins; of one that sends more it is not noticed when it leaves."""

CLOSE_S: Final = 1.0
"""How long a connection that is being closed may take for its last bytes, and for the peer to go."""


class TakenTransport:
    """A transport that belongs to the relay; it comes paused, perhaps with bytes that the peer sent early.

    One protocol gets it: whoever calls `transport.set_protocol` calls `lost()` in the protocol's `connection_lost`,
    reads `take_early()` before anything else, and sets `goodbye`.
    """

    def __init__(self, transport: asyncio.Transport, early: bytes, forward_lost: Callable[[], None]) -> None:
        self.transport = transport
        self.is_lost = False
        self.goodbye: Callable[[int, str], None] | None = None
        """The new owner's way of closing with a code and a reason; harmless when called again."""
        self._early = early
        self._is_left = asyncio.Event()
        self._forward_lost = forward_lost
        self._gone = asyncio.Event()

    def take_early(self) -> bytes:
        """Return frames, or parts of frames, that came before the takeover; once."""
        early, self._early = self._early, b""
        return early

    async def wait_until_left(self) -> None:
        """Return when the peer leaves while nobody has the transport yet; what it sends is kept as early bytes."""
        waiting = self.transport.get_protocol()
        try:
            self.take_early_bytes(b"")
            await self._is_left.wait()
        finally:
            if self.transport.get_protocol() is waiting and not self.transport.is_closing():
                self.transport.pause_reading()

    def take_early_bytes(self, data: bytes) -> None:
        """Keep what the peer sent before its session began, and read on unless it is too much."""
        self._early += data
        if self.transport.is_closing():
            return
        if len(self._early) < EARLY_BYTES:
            self.transport.resume_reading()
        else:
            self.transport.pause_reading()

    def leave(self) -> None:
        """Take note that the peer has left."""
        self._is_left.set()

    def close(self, code: int = CLOSE_NORMAL, reason: str = "") -> None:
        """Send a close frame, and close within about `CLOSE_S`; harmless when closed already."""
        if self.goodbye is not None:
            self.goodbye(code, reason)
        elif not self.transport.is_closing():
            self.transport.write(encode_close(code, reason, masked=False))
            self.transport.close()

    def lost(self) -> None:
        """Take note that the connection is over, and tell Hypercorn; only the first call counts."""
        if self.is_lost:
            return
        self.is_lost = True
        self._is_left.set()
        self._gone.set()
        self._forward_lost()

    async def wind_up(self) -> None:
        """Close if nobody has; return when the connection is lost, after about `CLOSE_S` at most."""
        self.close()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._gone.wait()
        except TimeoutError:
            self.transport.abort()
            await self._gone.wait()


class WaitingProtocol(asyncio.Protocol):
    """The transport's protocol until its new owner sets one; it is paused but for `TakenTransport.wait_until_left`."""

    def __init__(self, taken: TakenTransport) -> None:
        self._taken = taken

    def data_received(self, data: bytes) -> None:
        self._taken.take_early_bytes(data)

    def eof_received(self) -> None:
        self._taken.leave()

    def connection_lost(self, exc: Exception | None) -> None:
        self._taken.lost()
