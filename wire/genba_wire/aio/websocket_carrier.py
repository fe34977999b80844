"""A carrier over a websocket whose handshake is done, driven by callbacks on its asyncio transport."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from genba_wire.aio.carrier import (
    CLOSE_ABNORMAL,
    CLOSE_NORMAL,
    CLOSE_TOO_BIG,
    CarrierReceiver,
)
from genba_wire.aio.gather_writer import GatherWriter, set_no_delay
from genba_wire.aio.receive_buffer import ReceiveBuffer, measure_frame, receive_pool_of_loop
from genba_wire.aio.turns import turns_of_loop
from genba_wire.buffers import Buffer
from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.frames import MAX_MESSAGE_BYTES
from genba_wire.websocket_frames import (
    MASK_ZERO,
    MAX_HEADER_BYTES,
    NO_STATUS,
    BinaryMessage,
    Close,
    MessageEvent,
    MessageReader,
    Opcode,
    Ping,
    encode_close,
    encode_header,
)

CLOSE_WITHIN_S: Final = 1.0
"""How long a goodbye may take before the connection is dropped."""

WRITE_HIGH_BYTES: Final = 64 * 1024
"""More than this behind a full socket pauses the sender; the socket's own buffer is what keeps the line busy."""

FIN: Final = 0x80
MASKED: Final = 0x80
PLAIN_MESSAGE: Final = FIN | Opcode.BINARY
"""First byte of a binary frame that is a whole message."""


class WebSocketCarrier(asyncio.BufferedProtocol):
    """Implements `Carrier`, for all three programs: after the client's handshake, and after the relay's takeover."""

    def __init__(
        self,
        transport: asyncio.Transport,
        *,
        is_server: bool,
        early: bytes = b"",
        on_connection_lost: Callable[[Exception | None], None] | None = None,
    ) -> None:
        """Become the protocol of `transport`, whose reading is paused; `start` resumes it.

        Args:
            transport: plain TCP, TLS or unix; belongs to the carrier from here on.
            is_server: a server's frames are not masked, a client's have mask key 0.
            early: bytes that were read behind the handshake.
            on_connection_lost: told of the transport's end besides the receiver: the protocol that was there before.
        """
        self.close_code: int | None = None
        """The code of the peer's close frame, 1006 without one; None while the carrier lives."""
        self.close_reason = ""
        self.received_bytes = 0
        """Of everything that the peer sent, pongs too: it is there as long as this grows."""
        self._loop = asyncio.get_running_loop()
        self._turns = turns_of_loop()
        self._transport = transport
        self._is_masking = not is_server
        self._on_connection_lost = on_connection_lost
        self._writer = GatherWriter(transport)
        self._reader = MessageReader(is_server=is_server, max_message=MAX_MESSAGE_BYTES)
        self._buffer = ReceiveBuffer(early, receive_pool_of_loop())
        self._may_be_plain = True
        self._frame_bytes = 0
        self._max_frame_bytes = MAX_MESSAGE_BYTES + MAX_HEADER_BYTES - (0 if is_server else len(MASK_ZERO))
        self._receiver: CarrierReceiver | None = None
        self._is_started = False
        self._is_reading = True
        self._is_over = transport.is_closing()
        self._is_sending_paused = False
        self._drop_timer: asyncio.TimerHandle | None = None
        self._lost_reason = ""
        self._gone: asyncio.Future[None] = self._loop.create_future()
        transport.set_write_buffer_limits(high=WRITE_HIGH_BYTES, low=0)
        set_no_delay(transport)
        transport.set_protocol(self)

    # What a carrier does.

    @property
    def is_sending_paused(self) -> bool:
        return self._is_sending_paused

    def send(self, *parts: Buffer) -> None:
        self.send_messages((parts,))

    def send_messages(self, messages: Iterable[Sequence[Buffer]]) -> None:
        if self._is_over:
            return
        is_masking = self._is_masking
        buffers: list[Buffer] = []
        total = 0
        for parts in messages:
            size = sum(map(len, parts))
            header = encode_header(Opcode.BINARY, size, masked=is_masking)
            buffers.append(header)
            buffers += parts
            total += size + len(header)
        if buffers:
            self._writer.write(buffers, total)

    def start(self, receiver: CarrierReceiver) -> None:
        self._receiver = receiver
        if not self._is_started:
            self._is_started = True
            self._loop.call_soon(self._begin)
        elif self._is_over:
            self._loop.call_soon(self._tell_lost, self._lost_reason)

    def pause_reading(self) -> None:
        self._is_reading = False
        if self._is_started and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._is_reading = True
        if self._is_started and not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self, code: int = CLOSE_NORMAL, reason: str = "") -> None:
        self._receiver = None
        if self._is_over:
            return
        self._say_goodbye(code, reason)
        # What still comes is read and dropped: closing with unread bytes would make the kernel send a reset, which
        # may overtake the goodbye.
        self._is_reading = True
        if self._is_started:
            self._transport.resume_reading()
        else:
            self._is_started = True
            self._loop.call_soon(self._begin)

    @property
    def is_reading(self) -> bool:
        """Whether what the peer sends is read at the moment."""
        return self._is_reading

    @property
    def drained_bytes(self) -> int:
        """Of what waited behind a full socket: the peer is there as long as this grows, though it may say nothing."""
        return self._writer.drained_bytes

    def ping(self) -> None:
        """Ask the peer for a pong, unless it has enough to read."""
        if not self._is_over and not self._is_sending_paused:
            header = encode_header(Opcode.PING, 0, masked=self._is_masking)
            self._writer.write((header,), len(header))

    def abort(self) -> None:
        """Drop the connection at once."""
        self._receiver = None
        self._is_over = True
        if not self._gone.done():  # asyncio's transport fails where it closed after its last bytes (before 3.12)
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Return once the transport is gone."""
        await asyncio.shield(self._gone)

    # What the transport calls.

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer.make_room(self._frame_bytes)

    def buffer_updated(self, nbytes: int) -> None:
        self.received_bytes += nbytes
        self._buffer.received(nbytes)
        self._turns.begin()
        try:
            self._deliver()
        finally:
            self._turns.end()

    def pause_writing(self) -> None:
        self._is_sending_paused = True
        if self._receiver is not None:
            self._receiver.sending_paused()

    def resume_writing(self) -> None:
        self._is_sending_paused = False
        if self._receiver is not None:
            self._receiver.sending_resumed()

    def eof_received(self) -> None:
        self._lose("The peer closed the connection.")

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose(f"The connection broke: {exc}" if exc is not None else "The connection was closed.")
        if self._drop_timer is not None:
            self._drop_timer.cancel()
        if not self._gone.done():
            self._gone.set_result(None)
        if self._on_connection_lost is not None:
            self._on_connection_lost(exc)

    # Inside.

    def _begin(self) -> None:
        if self._transport.is_closing():
            self._lose("The connection broke before it was used.")
            return
        self._deliver()
        if self._is_reading and not self._transport.is_closing():
            self._transport.resume_reading()

    def _deliver(self) -> None:
        """Hand on every message whose frames are complete."""
        buffer = self._buffer
        memory, position, end = buffer.memory, buffer.start, buffer.end
        view = memoryview(memory)
        try:
            while 0 < (frame_bytes := measure_frame(memory, position, end)) <= end - position:
                payload_at = self._find_plain_payload(memory, position)
                frame_at, position = position, position + frame_bytes
                buffer.start = position
                if not payload_at:
                    self._read_frame(view[frame_at:position])
                elif self._receiver is not None:
                    self._receiver.message_received(buffer.lend(view[payload_at:position]))
            if frame_bytes > self._max_frame_bytes:
                raise RemoteProtocolError(
                    f"a frame of {frame_bytes} bytes; {self._max_frame_bytes} are allowed", CLOSE_TOO_BIG
                )
            self._frame_bytes = frame_bytes
        except RemoteProtocolError as error:
            if not self._is_over:
                self._say_goodbye(error.close_code, str(error))
            self._transport.close()
            self._tell_lost(f"The peer broke the protocol: {error}")

    def _find_plain_payload(self, memory: bytearray, start: int) -> int:
        """Return where the payload of a frame begins that is a whole message as our ends send them, 0 for any other.

        That spares the bulk of messages the reader, which knows all frames there may be.
        """
        if memory[start] != PLAIN_MESSAGE:
            # Once a peer has sent fragments only the reader knows where it is in a message.
            self._may_be_plain = self._may_be_plain and memory[start] & FIN != 0
            return 0
        second = memory[start + 1]
        if not self._may_be_plain or (second >= MASKED) is self._is_masking:
            return 0
        length = second & ~MASKED
        at = start + (2 if length < 126 else 4 if length == 126 else 10)
        if second < MASKED:
            return at
        return at + 4 if memory.startswith(MASK_ZERO, at) else 0

    def _read_frame(self, frame: memoryview) -> None:
        for event in self._reader.feed(frame):
            if not isinstance(event, BinaryMessage):
                self._handle_control(event)
            elif self._receiver is not None:
                self._receiver.message_received(self._buffer.lend(event.data))

    def _handle_control(self, event: MessageEvent) -> None:
        match event:
            case Ping(data=data):
                if not self._is_over and not self._is_sending_paused:
                    header = encode_header(Opcode.PONG, len(data), masked=self._is_masking)
                    self._writer.write((header, data), len(header) + len(data))
            case Close(code=code, reason=reason):
                self.close_code, self.close_reason = code, reason
                if not self._is_over:
                    self._say_goodbye(code if code != NO_STATUS else CLOSE_NORMAL, "")
                self._transport.close()
                self._tell_lost(reason or f"The peer closed the connection with code {code}.")
            case _:
                pass

    def _say_goodbye(self, code: int, reason: str) -> None:
        self._is_over = True
        frame = encode_close(code, reason, masked=self._is_masking)
        self._writer.write((frame,), len(frame))
        self._drop_timer = self._loop.call_later(CLOSE_WITHIN_S, self._transport.abort)

    def _lose(self, reason: str) -> None:
        self._is_over = True
        if self.close_code is None:
            self.close_code = CLOSE_ABNORMAL
        self._tell_lost(reason)

    def _tell_lost(self, reason: str) -> None:
        self._lost_reason = self._lost_reason or reason
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.carrier_lost(self._lost_reason)
