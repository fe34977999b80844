"""Two taken transports joined: frames are rewritten on their way, payloads are not looked at.

Pings, pongs and close frames pass from end to end like everything else. Ends that have closed both ways are dropped
by the gateway, as a websocket's server does. An end whose counterpart is gone, or whose session is closed from
outside, gets a close frame from the gateway as soon as the last frame it was sent is whole. However a session ends,
both transports are gone `CLOSE_S` later.
"""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import Final

from genba_gateway.relay.joint import JoinEnd
from genba_gateway.relay.receive_memory import READ_BYTES, memory_of_loop
from genba_gateway.relay.taken_transport import CLOSE_S, TakenTransport
from genba_gateway.relay.unmasking import Unmasker
from genba_wire.aio.carrier import CLOSE_GOING_AWAY, CLOSE_PROTOCOL_ERROR
from genba_wire.aio.gather_writer import GatherWriter
from genba_wire.websocket_frames import encode_close

WRITE_HIGH_BYTES: Final = 64 * 1024
"""More than this behind a full socket pauses the other end; one read's worth comes on top at most."""


class TransportJoint:
    """A `Joint` of two taken transports."""

    def __init__(self, client: TakenTransport, agent: TakenTransport) -> None:
        self._client = _Side(self, client, "client")
        self._agent = _Side(self, agent, "agent")
        self._client.other, self._agent.other = self._agent, self._client
        self._reason = ""
        self._gone = asyncio.Event()
        self._drop_timer: asyncio.TimerHandle | None = None
        client.goodbye = agent.goodbye = self.close

    async def run(self) -> JoinEnd:
        sides = (self._client, self._agent)
        for side in sides:
            side.attach()
        for side in sides:
            side.begin()
        try:
            await self._gone.wait()
        finally:
            self.close(CLOSE_GOING_AWAY, "The session has ended.")
        return JoinEnd(self._reason, self._client.received_bytes, self._agent.received_bytes)

    def close(self, code: int, reason: str) -> None:
        self.note_end(reason)
        for side in (self._client, self._agent):
            side.end(code, reason)

    def note_end(self, reason: str) -> None:
        """Take note of why the session ends, and give both ends `CLOSE_S` to go."""
        self._reason = self._reason or reason
        if self._drop_timer is None and not self._gone.is_set():
            self._drop_timer = asyncio.get_running_loop().call_later(CLOSE_S, self._drop)

    def lost(self, side: _Side, error: Exception | None) -> None:
        """A transport is gone."""
        reason = f"The {side.name}'s connection broke: {error}" if error else f"The {side.name}'s connection has ended."
        self.note_end(reason)
        side.other.end(CLOSE_GOING_AWAY, reason)
        if side.other.is_gone:
            self._gone.set()
            if self._drop_timer is not None:
                self._drop_timer.cancel()

    def _drop(self) -> None:
        for side in (self._client, self._agent):
            if not side.is_gone:
                side.transport.abort()


class _Sending(Enum):
    """What an end is being sent."""

    FRAMES = auto()
    LAST_FRAME = auto()
    """The rest of a frame, then the gateway's goodbye."""
    NOTHING = auto()
    """It had its close frame; what the other end still sends is dropped."""


class _Side(asyncio.BufferedProtocol):
    """One end: what its transport receives goes to the other one."""

    other: _Side

    def __init__(self, joint: TransportJoint, taken: TakenTransport, name: str) -> None:
        self.name = name
        self.transport = taken.transport
        self.received_bytes = 0
        self.is_gone = False
        self._joint = joint
        self._taken = taken
        self._unmasker = Unmasker()
        self._memory = memory_of_loop()
        self._writer = GatherWriter(taken.transport)
        self._sending = _Sending.FRAMES
        self._is_writing_paused = False
        self._goodbye = b""

    def attach(self) -> None:
        """Become the transport's protocol."""
        if not self._taken.is_lost:
            self.transport.set_write_buffer_limits(high=WRITE_HIGH_BYTES)
            self.transport.set_protocol(self)

    def begin(self) -> None:
        """Pass on what came early, then what comes."""
        if self._taken.is_lost:
            self.connection_lost(None)
            return
        early = memoryview(self._taken.take_early())
        for start in range(0, len(early), READ_BYTES):
            piece = early[start : start + READ_BYTES]
            self._memory.get_room()[: len(piece)] = piece
            self.buffer_updated(len(piece))
        self._resume_reading()

    def end(self, code: int, reason: str) -> None:
        """Send a close frame when the last frame is whole; the transport closes when the end has answered it."""
        if self.is_gone or self._sending is not _Sending.FRAMES:
            return
        self._goodbye = b"" if self.other._unmasker.has_closed else encode_close(code, reason, masked=False)
        self._sending = _Sending.LAST_FRAME
        if self.other._unmasker.remaining == 0:
            self._say_goodbye()
        elif self.other.is_gone:
            self._close_transport()

    # What the transport calls.

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._memory.get_room()

    def buffer_updated(self, nbytes: int) -> None:
        self.received_bytes += nbytes
        unmasker, other = self._unmasker, self.other
        missing = unmasker.remaining
        data = self._memory.get_received(nbytes, unmasker.partial)
        parts = unmasker.feed(data)
        if other._sending is _Sending.FRAMES:
            if parts:
                other._writer.write(parts, sum(map(len, parts)))
        elif other._sending is _Sending.LAST_FRAME:
            other._writer.write(parts[:1], len(parts[0]))
            if missing <= len(data):
                other._say_goodbye()
        if unmasker.violation:
            self._joint.close(CLOSE_PROTOCOL_ERROR, f"The {self.name} broke the protocol: {unmasker.violation}.")
            self._close_transport()
        elif unmasker.has_closed and not unmasker.remaining:
            self._closed_by_frame()

    def pause_writing(self) -> None:
        self._is_writing_paused = True
        if not self.other.is_gone and not self.other.transport.is_closing():
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        self._is_writing_paused = False
        self.other._resume_reading()

    def eof_received(self) -> None:
        self._joint.note_end(f"The {self.name} closed its connection.")

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.is_gone:
            self.is_gone = True
            self._sending = _Sending.NOTHING
            self._joint.lost(self, exc)
            self._taken.lost()

    # Inside.

    def _say_goodbye(self) -> None:
        self._sending = _Sending.NOTHING
        self.transport.write(self._goodbye)
        if self._unmasker.has_closed and not self._unmasker.remaining:
            self._close_transport()
        # What the end still sends is read, as its close frame is among it; closing with unread bytes would also make
        # the kernel send a reset, which may overtake the goodbye.
        self._resume_reading()
        self.other._resume_reading()

    def _closed_by_frame(self) -> None:
        """This end's close frame was passed on whole."""
        self._joint.note_end(f"The {self.name} closed the session.")
        if self._sending is _Sending.NOTHING:
            self._close_transport()
        elif self.other._unmasker.has_closed and not self.other._unmasker.remaining:
            self._close_transport()
            self.other._close_transport()

    def _close_transport(self) -> None:
        if not self.is_gone and not self.transport.is_closing():
            self.transport.close()

    def _resume_reading(self) -> None:
        """Read again, unless the other end is still being sent what is read, and takes no more of it."""
        is_held = self.other._is_writing_paused and self.other._sending is not _Sending.NOTHING
        if not is_held and not self.is_gone and not self.transport.is_closing():
            self.transport.resume_reading()
