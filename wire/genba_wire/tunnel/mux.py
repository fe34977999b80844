"""Streams with credit inside the bytes of a link.

A stream is opened by one end and accepted by the other; then both may send bytes as far as the other granted credit,
and notes. It ends when both have finished, or when one resets it. What arrives for a stream that has ended here is
dropped, since the peer may not know yet; so is what is sent to one.
"""

from __future__ import annotations

from typing import Final

from genba_wire.buffers import Buffer
from genba_wire.errors import LocalProtocolError, RemoteProtocolError
from genba_wire.tunnel import mux_frames
from genba_wire.tunnel.credit import INITIAL_WINDOW, MAX_GROWTH, MAX_WINDOW
from genba_wire.tunnel.mux_events import (
    MuxEvent,
    StreamAccepted,
    StreamData,
    StreamFinished,
    StreamNote,
    StreamOpened,
    StreamReset,
    StreamWritable,
)
from genba_wire.tunnel.mux_frames import (
    MAX_PAYLOAD_BYTES,
    Accept,
    Credit,
    Data,
    Finish,
    MuxFrame,
    MuxFrameReader,
    Note,
    Open,
    Reset,
    ResetCode,
    data_header,
    encode,
)
from genba_wire.tunnel.mux_stream import MuxStream, StreamState

__all__ = [
    "INITIAL_WINDOW",
    "MAX_STREAMS",
    "MAX_WINDOW",
    "Mux",
    "MuxEvent",
    "StreamAccepted",
    "StreamData",
    "StreamFinished",
    "StreamNote",
    "StreamOpened",
    "StreamReset",
    "StreamWritable",
]

MAX_STREAMS: Final = 1024
"""Streams of a link at a time, of both ends: more than any editor or browser opens, and 256 MiB of first windows."""

MAX_CREDIT: Final = 0xFFFF_FFFF
"""What an end may have been granted at a time: a window has 32 bits."""

MAX_STREAM_NUMBER: Final = 0xFFFF_FFFF


class Mux:
    """The streams of one end of a link. After each call hand `frames_to_send()` to the link.

    A stream number that never was is an error of the caller (`LocalProtocolError`).
    """

    def __init__(self, is_client: bool) -> None:
        """Begin without streams. Those that the client opens have odd numbers, the agent's even ones."""
        self._streams: dict[int, MuxStream] = {}
        self._next_number = 1 if is_client else 2
        self._next_peer_number = 2 if is_client else 1
        """The least number that the peer may open."""
        self._growth_left = MAX_GROWTH
        self._reader = MuxFrameReader()
        self._outgoing: list[Buffer] = []

    def open(self, kind: str, head: bytes = b"") -> int:
        """Open a stream; `StreamAccepted` or `StreamReset` will follow. Return its number.

        Raises:
            LocalProtocolError: the link has `MAX_STREAMS`, or the kind or head is past its limit.
        """
        if len(self._streams) >= MAX_STREAMS or self._next_number > MAX_STREAM_NUMBER:
            raise LocalProtocolError(f"a link has {MAX_STREAMS} streams at most")
        number = self._next_number
        self._queue(Open(number, INITIAL_WINDOW, kind, head))
        self._next_number += 2
        self._streams[number] = MuxStream(StreamState.OPENED)
        return number

    def accept(self, stream: int, head: bytes = b"") -> None:
        """Accept a stream that the peer opened; it may be sent to from here on.

        Raises:
            LocalProtocolError: it was accepted before, or not opened by the peer, or the head is past its limit.
        """
        entry = self._find_ours(stream)
        if entry is None:
            return
        if entry.state is not StreamState.OFFERED:
            raise LocalProtocolError(f"stream {stream} can't be accepted; it is {entry.state.value}")
        self._queue(Accept(stream, INITIAL_WINDOW, head))
        entry.state = StreamState.OPEN

    def refuse(self, stream: int, code: int, reason: str) -> None:
        """Refuse a stream that the peer opened."""
        self.reset(stream, code, reason)

    def send(self, stream: int, data: Buffer) -> int:
        """Send bytes as far as there is credit; they are not copied, so leave them as they are.

        Returns:
            How many were taken. The rest stays the caller's; `StreamWritable` says when to try again.

        Raises:
            LocalProtocolError: this end has finished the stream.
        """
        entry = self._find_ours(stream)
        size = len(data)
        if entry is None:
            return size
        if entry.is_finished:
            raise LocalProtocolError(f"stream {stream} was finished")
        taken = size
        if entry.state is not StreamState.OPEN:
            taken = 0
        elif entry.credit < size:
            taken = entry.credit
        if taken < size:
            entry.is_waiting = True
            data = memoryview(data)[:taken]
        entry.credit -= taken
        outgoing = self._outgoing
        if taken <= MAX_PAYLOAD_BYTES:
            if taken:
                outgoing += (data_header(stream, taken), data)
            return taken
        view = memoryview(data)
        for start in range(0, taken, MAX_PAYLOAD_BYTES):
            chunk = view[start : start + MAX_PAYLOAD_BYTES]
            outgoing += (data_header(stream, len(chunk)), chunk)
        return taken

    def note(self, stream: int, data: bytes) -> None:
        """Send a note; it needs no credit.

        Raises:
            LocalProtocolError: the stream is not open, or this end has finished it, or the note is past its limit.
        """
        if self._find_sendable(stream) is not None:
            self._queue(Note(stream, data))

    def finish(self, stream: int) -> None:
        """Send nothing more on the stream; the peer still may.

        Raises:
            LocalProtocolError: the stream is not open, or this end has finished it.
        """
        entry = self._find_sendable(stream)
        if entry is not None:
            self._queue(Finish(stream))
            entry.is_finished = True
            if entry.is_peer_finished:
                self._drop(stream)

    def reset(self, stream: int, code: int, reason: str) -> None:
        """Break a stream off, both ways."""
        if self._find_ours(stream) is not None:
            self._queue(Reset(stream, code, reason))
            self._drop(stream)

    def consumed(self, stream: int, size: int) -> None:
        """Say that so many received bytes need no memory any more; grants credit when that is worth a frame.

        Raises:
            LocalProtocolError: more than was received.
        """
        entry = self._find_ours(stream)
        if entry is None:
            return
        before = entry.window.size
        granted = entry.window.consume(size, self._growth_left)
        self._growth_left -= entry.window.size - before
        if granted and not entry.is_peer_finished:
            self._queue(Credit(stream, granted))

    @property
    def has_frames(self) -> bool:
        """Whether `frames_to_send` has something."""
        return bool(self._outgoing)

    @property
    def waiting_frames(self) -> int:
        """How many parts `frames_to_send` has."""
        return len(self._outgoing)

    def frames_to_send(self) -> list[Buffer]:
        """Take the bytes that are to be sent, in order, in parts of 64 KiB and a header at most."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def receive(self, data: Buffer) -> list[MuxEvent]:
        """Take bytes of the link, cut anywhere; return what happened.

        Raises:
            RemoteProtocolError: the peer broke a rule; the link is of no further use.
        """
        events: list[MuxEvent] = []
        for frame in self._reader.feed(data):
            if isinstance(frame, Open):
                self._receive_open(frame, events)
            else:
                entry = self._find_peers(frame)
                if entry is not None:
                    self._receive(frame, entry, events)
        return events

    def _receive(self, frame: MuxFrame, entry: MuxStream, events: list[MuxEvent]) -> None:
        stream = frame.stream
        match frame:
            case Data(_, data):
                entry.window.receive(len(data))
                events.append(StreamData(stream, memoryview(data)))
            case Note(_, note):
                events.append(StreamNote(stream, note))
            case Credit(_, size):
                self._receive_credit(stream, entry, size, events)
            case Finish():
                entry.is_peer_finished = True
                events.append(StreamFinished(stream))
                if entry.is_finished:
                    self._drop(stream)
            case Accept(_, window, head):
                entry.state = StreamState.OPEN
                events.append(StreamAccepted(stream, head))
                self._receive_credit(stream, entry, window, events)
            case Reset(_, code, reason):
                self._drop(stream)
                events.append(StreamReset(stream, code, reason))
            case mux_frames.Open():
                raise AssertionError("handled by receive")

    def _receive_open(self, frame: Open, events: list[MuxEvent]) -> None:
        stream = frame.stream
        if stream < self._next_peer_number or (stream - self._next_peer_number) % 2:
            raise RemoteProtocolError(f"the stream {stream} can't be opened by the other end, or was before")
        self._next_peer_number = stream + 2
        if len(self._streams) >= MAX_STREAMS:
            # Both ends may open at the same moment, so that this need not be the peer's fault.
            self._queue(Reset(stream, ResetCode.REFUSED, f"the link has {MAX_STREAMS} streams already"))
            return
        self._streams[stream] = MuxStream(StreamState.OFFERED, credit=frame.window)
        events.append(StreamOpened(stream, frame.kind, frame.head))

    def _receive_credit(self, stream: int, entry: MuxStream, size: int, events: list[MuxEvent]) -> None:
        entry.credit += size
        if entry.credit > MAX_CREDIT:
            raise RemoteProtocolError(f"stream {stream} was granted more than a window can be")
        if entry.is_waiting and entry.credit:
            entry.is_waiting = False
            events.append(StreamWritable(stream))

    def _find_peers(self, frame: MuxFrame) -> MuxStream | None:
        """Return the stream of a frame of the peer, None when it ended; check that the frame belongs there."""
        entry = self._streams.get(frame.stream)
        if entry is None:
            if self._never_was(frame.stream):
                raise RemoteProtocolError(f"{type(frame).__name__} for the stream {frame.stream}, which never was")
        elif not isinstance(frame, Reset):
            wanted = StreamState.OPENED if isinstance(frame, Accept) else StreamState.OPEN
            is_late = entry.is_peer_finished and not isinstance(frame, Credit)
            if entry.state is not wanted or is_late:
                raise RemoteProtocolError(f"{type(frame).__name__} for the stream {frame.stream} at the wrong time")
        return entry

    def _find_ours(self, stream: int) -> MuxStream | None:
        """Return the stream of a call, None when it ended."""
        entry = self._streams.get(stream)
        if entry is None and self._never_was(stream):
            raise LocalProtocolError(f"stream {stream} never was")
        return entry

    def _find_sendable(self, stream: int) -> MuxStream | None:
        entry = self._find_ours(stream)
        if entry is not None and (entry.state is not StreamState.OPEN or entry.is_finished):
            raise LocalProtocolError(f"stream {stream} is {'finished' if entry.is_finished else entry.state.value}")
        return entry

    def _never_was(self, stream: int) -> bool:
        is_peers = stream % 2 == self._next_peer_number % 2
        return stream <= 0 or stream >= (self._next_peer_number if is_peers else self._next_number)

    def _drop(self, stream: int) -> None:
        self._growth_left += self._streams.pop(stream).window.size - INITIAL_WINDOW

    def _queue(self, frame: MuxFrame) -> None:
        self._outgoing.append(encode(frame))
