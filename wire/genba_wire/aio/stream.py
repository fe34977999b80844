"""One stream of a link: bytes both ways with credit, and notes between them.

Callbacks are the fast way (`Stream.listen`); `stream_channel.StreamChannel` is the awaitable face for everything that
is not bulk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from genba_wire.buffers import Buffer
from genba_wire.tunnel.mux import Mux
from genba_wire.tunnel.mux_frames import ResetCode

WRITABLE_BELOW_BYTES: Final = 256 * 1024
"""A stream is writable while at most so much waits for credit or for the carrier."""

MAX_EARLY_NOTES: Final = 64
"""Notes that are kept until somebody listens; they need no credit, so a peer that sends more loses its stream."""


class StreamListener(Protocol):
    """Who reads a stream. The event loop calls, in the order in which the peer did; methods must not block."""

    def data_received(self, data: memoryview) -> None:
        """Take bytes; call `Stream.consumed` for them once they need no memory here any more."""
        ...

    def note_received(self, note: bytes) -> None:
        """Take a note, ordered with the data."""
        ...

    def finished(self) -> None:
        """Learn that the peer sends no more data (it may still receive)."""
        ...

    def reset(self, code: int, reason: str) -> None:
        """Learn that the stream is over, also because its link is (`ResetCode.LINK_LOST`). Nothing follows."""
        ...

    def writable(self) -> None:
        """Learn that `is_writable` is true again."""
        ...


@dataclass(frozen=True, slots=True)
class _Note:
    data: bytes


@dataclass(frozen=True, slots=True)
class _Finish:
    pass


class Stream:
    """One stream. Made by `LinkSession`; over when both ends finished, or one reset it."""

    def __init__(self, number: int, kind: str, mux: Mux, on_change: Callable[[Stream], None]) -> None:
        """`on_change` is called when something is to be sent; the session then calls `pump`."""
        self.number = number
        self.kind = kind
        self.head = b""
        """What the peer said when it accepted the stream."""
        self.is_attached = True
        """Whether the link has a carrier; without one, what is written waits, and the peer may never come back."""
        self.carried_bytes = 0
        """Of data, both ways, so far."""
        self._mux = mux
        self._on_change = on_change
        self._listener: StreamListener | None = None
        self._on_attached: Callable[[bool], None] | None = None
        self._early: list[Callable[[StreamListener], None]] = []
        self._early_notes = 0
        self._waiting: deque[Buffer | _Note | _Finish] = deque()
        self._waiting_bytes = 0
        self._is_open = False
        """Both ends have agreed on it: nothing may be sent before."""
        self._is_full = False
        self._is_finished_here = False
        self._is_finished_there = False
        self._is_reset = False

    @property
    def is_writable(self) -> bool:
        """Whether a writer should go on; false above `WRITABLE_BELOW_BYTES` waiting, and when the stream is over."""
        return not self._is_full and not self._is_finished_here and not self._is_reset

    @property
    def is_over(self) -> bool:
        """Whether it was reset, or both ends finished."""
        return self._is_reset or (self._is_finished_here and self._is_finished_there and not self._waiting)

    @property
    def waiting_bytes(self) -> int:
        """What was written and waits for credit or for the carrier."""
        return self._waiting_bytes

    def listen(self, listener: StreamListener) -> None:
        """Deliver events to the listener; those that came before are delivered within this call."""
        self._listener = listener
        early, self._early = self._early, []
        for deliver in early:
            deliver(listener)

    def watch_carrier(self, on_attached: Callable[[bool], None]) -> None:
        """Call back with False when the link's carrier is lost, with True when there is one again.

        Meanwhile nothing flows, and nobody knows for how long: hours, or for ever.
        """
        self._on_attached = on_attached

    def accept(self, head: bytes = b"") -> None:
        """Accept a stream that the peer opened; to be called by the handler, at once or later."""
        if not self._is_reset:
            self._mux.accept(self.number, head)
            self.deliver_accept(head)

    def refuse(self, code: int, reason: str) -> None:
        """Refuse a stream that the peer opened."""
        if not self._is_reset:
            self._end()
            self._mux.refuse(self.number, code, reason)
            self._on_change(self)

    def write(self, data: Buffer) -> None:
        """Send bytes; beyond credit they wait in memory. Does nothing after the end of the stream."""
        size = len(data)
        if self._is_reset or self._is_finished_here or not size:
            return
        self._waiting.append(data)
        self._count_waiting(size)
        self._on_change(self)

    def note(self, data: bytes) -> None:
        """Send a note, ordered with what was written before; while it waits it counts as that does."""
        if not self._is_reset and not self._is_finished_here:
            self._waiting.append(_Note(data))
            self._count_waiting(len(data))
            self._on_change(self)

    def finish(self) -> None:
        """Send no more data, after what was written."""
        if not self._is_reset and not self._is_finished_here:
            self._is_finished_here = True
            self._waiting.append(_Finish())
            self._on_change(self)

    def reset(self, code: int, reason: str) -> None:
        """End the stream at once in both directions; the listener hears nothing more."""
        if not self.is_over:
            self._end()
            self._mux.reset(self.number, code, reason)
            self._on_change(self)

    def consumed(self, size: int) -> None:
        """Give the peer credit for so many bytes of what was received."""
        if not self._is_reset and not self._is_finished_there:
            self._mux.consumed(self.number, size)
            if self._mux.has_frames:
                self._on_change(self)

    # What the session calls.

    def pump(self, budget: int) -> int:
        """Hand what waits to the mux, as far as there is credit, but not much more than `budget` bytes.

        Returns:
            How many bytes were handed over; when it is `budget` or more there may be more to hand over.
        """
        waiting, mux, number = self._waiting, self._mux, self.number
        pumped = 0
        while waiting and pumped < budget and self._is_open:
            item = waiting[0]
            if isinstance(item, _Note):
                mux.note(number, item.data)
                pumped += len(item.data)
                self._waiting_bytes -= len(item.data)
            elif isinstance(item, _Finish):
                mux.finish(number)
            else:
                size = len(item)
                left = budget - pumped
                taken = mux.send(number, item if size <= left else memoryview(item)[:left])
                pumped += taken
                self._waiting_bytes -= taken
                self.carried_bytes += taken
                if taken < size:
                    waiting[0] = memoryview(item)[taken:]
                    if taken < left:
                        break
                    continue
            waiting.popleft()
        return pumped

    def tell_writable(self) -> None:
        """Tell the listener when there is room again."""
        if self._is_full and self._waiting_bytes <= WRITABLE_BELOW_BYTES:
            self._is_full = False
            if self._listener is not None and self.is_writable:
                self._listener.writable()

    def deliver_attached(self, *, is_attached: bool) -> None:
        """The link's carrier was lost, or there is one again."""
        self.is_attached = is_attached
        if self._on_attached is not None:
            self._on_attached(is_attached)

    def deliver_accept(self, head: bytes) -> None:
        """One end has accepted what the other opened."""
        self.head = head
        self._is_open = True
        self._on_change(self)

    def deliver_data(self, data: memoryview) -> None:
        """The peer sent bytes."""
        self.carried_bytes += len(data)
        if self._listener is not None:
            self._listener.data_received(data)
        elif not self._is_reset:
            kept = memoryview(bytes(data))
            self._early.append(lambda listener: listener.data_received(kept))

    def deliver_note(self, note: bytes) -> None:
        """The peer sent a note."""
        if self._listener is None and not self._is_reset:
            self._early_notes += 1
            if self._early_notes > MAX_EARLY_NOTES:
                reason = f"More than {MAX_EARLY_NOTES} notes before anybody listened."
                self._mux.reset(self.number, ResetCode.PROTOCOL, reason)
                self._on_change(self)
                self.deliver_reset(ResetCode.PROTOCOL, reason)
                return
        self._deliver(lambda listener: listener.note_received(note))

    def deliver_finish(self) -> None:
        """The peer sends no more data."""
        self._is_finished_there = True
        self._deliver(lambda listener: listener.finished())

    def deliver_reset(self, code: int, reason: str) -> None:
        """The stream is over."""
        listener = self._listener
        is_unheard = listener is None and not self._is_reset
        self._end()
        if listener is not None:
            listener.reset(code, reason)
        elif is_unheard:
            self._early.append(lambda listener: listener.reset(code, reason))

    def _deliver(self, deliver: Callable[[StreamListener], None]) -> None:
        if self._listener is not None:
            deliver(self._listener)
        elif not self._is_reset:
            self._early.append(deliver)

    def _count_waiting(self, size: int) -> None:
        self._waiting_bytes += size
        if self._waiting_bytes > WRITABLE_BELOW_BYTES:
            self._is_full = True

    def _end(self) -> None:
        self._is_reset = True
        self._listener = self._on_attached = None
        self._early.clear()
        self._waiting.clear()
        self._waiting_bytes = 0


StreamHandler = Callable[[str, bytes, Stream], None]
"""Serves streams that the peer opens: (kind, head, stream). It accepts or refuses, at once or later."""
