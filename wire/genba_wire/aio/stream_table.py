"""The streams of one link by number: between the mux and the streams' users."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final, assert_never

from genba_wire.aio.stream import Stream, StreamHandler
from genba_wire.buffers import Buffer
from genba_wire.errors import LinkEnded, RemoteProtocolError, StreamRefused
from genba_wire.tunnel.frames import DATA_CHUNK_BYTES
from genba_wire.tunnel.mux import (
    Mux,
    MuxEvent,
    StreamAccepted,
    StreamData,
    StreamFinished,
    StreamNote,
    StreamOpened,
    StreamReset,
    StreamWritable,
)
from genba_wire.tunnel.mux_frames import ResetCode

logger = logging.getLogger(__name__)


TURN_BYTES: Final = DATA_CHUNK_BYTES
"""What a stream sends before it is another's turn."""


INTERNAL_ERROR: Final = "The other end had an internal error; its log says more."


class StreamTable:
    """Streams of one link. Knows nothing of the link: bytes go in by `receive` and out by `take_frames`."""

    def __init__(self, *, is_client: bool, handler: StreamHandler | None, on_change: Callable[[], None]) -> None:
        """`on_change` is called when `take_frames` may have something."""
        self._mux = Mux(is_client)
        self._handler = handler
        self._on_change = on_change
        self._streams: dict[int, Stream] = {}
        self._opening: dict[int, asyncio.Future[None]] = {}
        self._sending: dict[Stream, None] = {}
        """Streams with something to send, in the order of their turns."""
        self._is_attached = True

    async def open(self, kind: str, head: bytes) -> Stream:
        """Open a stream and wait for the peer's answer.

        Raises:
            StreamRefused: the peer refused.
            LinkEnded: the link ended before the answer.
        """
        number = self._mux.open(kind, head)
        stream = self._make_stream(number, kind)
        answer = self._opening[number] = asyncio.get_running_loop().create_future()
        self._on_change()
        try:
            await answer
        except asyncio.CancelledError:
            stream.reset(ResetCode.CANCELLED, "")
            raise
        finally:
            self._opening.pop(number, None)
        return stream

    def receive(self, data: Buffer) -> None:
        """Take bytes of the link and tell the streams. A listener that raises loses its stream, not the others'.

        Raises:
            RemoteProtocolError: the peer broke the rules of the link.
        """
        streams = self._streams
        for event in self._mux.receive(data):
            try:
                if isinstance(event, StreamData):
                    stream = streams.get(event.stream)
                    if stream is not None:
                        stream.deliver_data(event.data)
                else:
                    self._handle(event)
            except RemoteProtocolError as error:
                self._break(event.stream, ResetCode.PROTOCOL, str(error))
            except Exception:
                logger.exception("The stream %d broke in its listener.", event.stream)
                self._break(event.stream, ResetCode.FAILED, INTERNAL_ERROR)

    def take_frames(self, budget: int) -> list[Buffer]:
        """Return what is to be sent, about `budget` bytes at most. Streams take turns; `has_more` says if some wait."""
        sending = self._sending
        while sending and budget > 0:
            stream = next(iter(sending))
            del sending[stream]
            turn = min(budget, TURN_BYTES) if sending else budget
            pumped = stream.pump(turn)
            budget -= pumped
            if pumped >= turn:
                sending[stream] = None
            stream.tell_writable()
            self._forget_if_over(stream)
        return self._mux.frames_to_send()

    @property
    def has_more(self) -> bool:
        """Whether `take_frames` has something, or streams wait for their turn."""
        return bool(self._sending) or self._mux.has_frames

    @property
    def waiting_frames(self) -> int:
        """What the mux has to say, beside what streams have to send."""
        return self._mux.waiting_frames

    def set_attached(self, *, is_attached: bool) -> None:
        """Tell the streams that the link's carrier was lost, or that there is one again."""
        if is_attached == self._is_attached:
            return
        self._is_attached = is_attached
        for stream in list(self._streams.values()):
            try:
                stream.deliver_attached(is_attached=is_attached)
            except Exception:
                logger.exception("The stream %d broke in its listener.", stream.number)
                self._break(stream.number, ResetCode.FAILED, INTERNAL_ERROR)

    def lose(self, end: LinkEnded) -> None:
        """The link is over, and so are its streams."""
        for answer in self._opening.values():
            if not answer.done():
                answer.set_exception(LinkEnded(end.code, end.reason))
        streams, self._streams = list(self._streams.values()), {}
        self._sending.clear()
        for stream in streams:
            stream.deliver_reset(ResetCode.LINK_LOST, end.reason)

    def _handle(self, event: MuxEvent) -> None:
        if isinstance(event, StreamOpened):
            self._serve(event)
            return
        stream = self._streams.get(event.stream)
        if stream is None:
            return
        match event:
            case StreamData(data=data):
                stream.deliver_data(data)
            case StreamNote(data=data):
                stream.deliver_note(data)
            case StreamAccepted(head=head):
                stream.deliver_accept(head)
                self._answer(event.stream, None)
            case StreamWritable():
                self._change(stream)
            case StreamFinished():
                stream.deliver_finish()
            case StreamReset(code=code, reason=reason):
                self._answer(event.stream, StreamRefused(code, reason))
                stream.deliver_reset(code, reason)
            case _:
                assert_never(event)
        self._forget_if_over(stream)

    def _make_stream(self, number: int, kind: str) -> Stream:
        stream = self._streams[number] = Stream(number, kind, self._mux, self._change)
        stream.is_attached = self._is_attached
        return stream

    def _serve(self, opened: StreamOpened) -> None:
        stream = self._make_stream(opened.stream, opened.kind)
        if self._handler is None:
            stream.refuse(ResetCode.NOT_SUPPORTED, "This end serves no streams.")
            return
        self._handler(opened.kind, opened.head, stream)

    def _break(self, number: int, code: int, reason: str) -> None:
        stream = self._streams.get(number)
        if stream is not None:
            stream.reset(code, reason)

    def _answer(self, number: int, error: StreamRefused | None) -> None:
        answer = self._opening.get(number)
        if answer is None or answer.done():
            return
        if error is None:
            answer.set_result(None)
        else:
            answer.set_exception(error)

    def _change(self, stream: Stream) -> None:
        self._sending[stream] = None
        self._on_change()

    def _forget_if_over(self, stream: Stream) -> None:
        if stream.is_over:
            self._streams.pop(stream.number, None)


def split_messages(parts: list[Buffer], limit: int) -> list[list[Buffer]]:
    """Group parts into messages of at most `limit` bytes; no part is longer."""
    messages: list[list[Buffer]] = []
    room = 0
    for part in parts:
        size = len(part)
        if size > room:
            messages.append([])
            room = limit
        messages[-1].append(part)
        room -= size
    return messages
