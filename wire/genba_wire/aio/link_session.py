"""A link with its streams, the carrier that it uses at the moment, and its timers."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from collections.abc import Callable
from typing import Final, assert_never

from genba_wire.aio.carrier import CLOSE_GOING_AWAY, CLOSE_NORMAL, CLOSE_PROTOCOL_ERROR, Carrier
from genba_wire.aio.stream import Stream, StreamHandler
from genba_wire.aio.stream_table import StreamTable, split_messages
from genba_wire.aio.turns import turns_of_loop
from genba_wire.errors import CarrierLost, LinkEnded, LocalProtocolError, RemoteProtocolError
from genba_wire.tunnel.frames import DATA_CHUNK_BYTES, CloseCode
from genba_wire.tunnel.link import Link
from genba_wire.tunnel.link_events import CarrierDead, DataReceived, LinkClosed, LinkEvent, LinkOpened, LinkResumed

logger = logging.getLogger(__name__)

FLUSH_BYTES: Final = 4 * DATA_CHUNK_BYTES
"""About so much is sent in one turn of the loop, then others get theirs."""


MAX_WAITING: Final = 16 * 1024
"""Messages of the link and frames of its streams that may wait for a carrier, a few megabytes. Only a peer that asks
and does not read the answers gets there: credit grows with what is read, and streams have their own limit."""


class LinkSession:
    """One link. Everything is called in the event loop's thread; it starts no task, its timers are its own.

    The client's end::

        session = await LinkSession.connect(carrier, on_lost=redial)
        stream = await session.open_stream("pty", head)
        ...
        await session.attach(new_carrier)  # after on_lost
        session.close()

    What is sent while something read is handed on leaves in one write at the end of that (`turns`), else in the loop's
    next turn.
    """

    def __init__(
        self,
        link: Link,
        *,
        is_client: bool,
        handler: StreamHandler | None = None,
        on_lost: Callable[[str], None] | None = None,
        on_closed: Callable[[LinkEnded], None] | None = None,
    ) -> None:
        """Use `connect`; the agent's end makes its link first and calls `carry`."""
        self._loop = asyncio.get_running_loop()
        self._link = link
        self._streams = StreamTable(is_client=is_client, handler=handler, on_change=self._flush_soon)
        self._on_lost = on_lost
        self._on_closed = on_closed
        self._carrier: Carrier | None = None
        self._answer: asyncio.Future[None] | None = None
        self._turns = turns_of_loop()
        self._is_flush_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self._end: LinkEnded | None = None
        self._ended = asyncio.Event()

    @classmethod
    async def connect(
        cls,
        carrier: Carrier,
        *,
        on_lost: Callable[[str], None] | None = None,
        on_closed: Callable[[LinkEnded], None] | None = None,
        handler: StreamHandler | None = None,
        never_resumes: bool = False,
    ) -> LinkSession:
        """Make a new link over the carrier and wait until the agent has accepted it (at most `ANSWER_S` of the link).

        Args:
            carrier: a fresh carrier; belongs to the session from here on, also when this raises.
            on_lost: called with the reason when the carrier breaks; redial, then `attach`.
            on_closed: called once when the link is over.
            handler: serves streams that the agent opens; without it they are refused.
            never_resumes: the link ends with its carrier, and the agent lets go of it at once; `on_closed` tells.

        Raises:
            CarrierLost: the carrier broke, or the agent said nothing in time.
            LinkEnded: the agent closed the link.
        """
        now = asyncio.get_running_loop().time()
        link = Link.connect(secrets.token_bytes(16), secrets.token_bytes(32), now=now, never_resumes=never_resumes)
        session = cls(link, is_client=True, handler=handler, on_lost=on_lost)
        try:
            await session.attach(carrier)
        except BaseException:
            session.close(CloseCode.GOING_AWAY)
            raise
        session._on_closed = on_closed
        return session

    @property
    def is_attached(self) -> bool:
        """Whether a carrier is there on which the link may send."""
        return self._carrier is not None and self._link.is_flowing

    @property
    def end(self) -> LinkEnded | None:
        """Why it is over, None while it is not."""
        return self._end

    async def attach(self, carrier: Carrier) -> None:
        """Go on over a new carrier (the client's end); waits until the agent has resumed the link.

        Raises:
            CarrierLost: the new carrier broke, or the agent said nothing in time; dial again.
            LinkEnded: the link can't be resumed; make a new one.
        """
        if self._end is not None:
            carrier.close(CLOSE_NORMAL)
            raise self._end_error()
        self.detach("replaced by another carrier")
        self._answer = self._loop.create_future()
        self._link.attach(self._loop.time())
        self.carry(carrier)
        try:
            await self._answer
        finally:
            self._answer = None

    def carry(self, carrier: Carrier) -> None:
        """Use a carrier whose greeting the link has begun (the agent's end); what the link has to say is sent."""
        self._carrier = carrier
        carrier.start(self)
        self._flush()
        self._set_timer()

    def detach(self, reason: str) -> None:
        """Give up the carrier, if there is one; the link stays."""
        carrier, self._carrier = self._carrier, None
        if carrier is not None:
            carrier.close(CLOSE_GOING_AWAY, reason)
            for event in self._link.detach(self._loop.time()):
                self._handle(event)
            self._tell_streams()
            self._set_timer()

    async def open_stream(self, kind: str, head: bytes = b"") -> Stream:
        """Open a stream and wait until the peer accepts it; call `Stream.listen` next.

        Raises:
            StreamRefused: the peer refused, with its code and reason.
            LinkEnded: the link is over.
        """
        if self._end is not None:
            raise self._end_error()
        return await self._streams.open(kind, head)

    async def wait_closed(self) -> LinkEnded:
        """Return why the link is over once it is."""
        await self._ended.wait()
        assert self._end is not None  # noqa: S101  # for the type checkers
        return self._end

    def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        """End the link (a `CloseCode`) and close its carrier; streams get `ResetCode.LINK_LOST`."""
        if self._end is None:
            self._link.close(code, reason)
            self._send_messages()
            self._finish(code, reason)

    # What the carrier calls.

    def message_received(self, message: memoryview | bytes) -> None:
        try:
            for event in self._link.receive_message(message, self._loop.time()):
                self._handle(event)
        except RemoteProtocolError as error:
            self._break(error)
            return
        if self._link.ack_at < self._timer_at:
            self._set_timer()
        if self._link.waiting_messages + self._streams.waiting_frames > MAX_WAITING:
            self._break(RemoteProtocolError("the other end asks, and does not read the answers"))
            return
        # Mostly there is nothing: a short message is neither acknowledged nor given credit for at once.
        if self._link.has_messages or self._streams.has_more or self._link.has_more_to_resend:
            self._flush_soon()

    def carrier_lost(self, reason: str) -> None:
        self._carrier = None
        self._lose_carrier(reason, self._link.detach(self._loop.time()))

    def sending_paused(self) -> None:
        """Nothing to do: a flush looks at the carrier."""

    def sending_resumed(self) -> None:
        self._flush()

    # Inside.

    def check_time(self, now: float) -> None:
        """Do what is due at the loop's time `now`; called by the session's own timer."""
        for event in self._link.handle_timer(now):
            self._handle(event)
        if self._end is None:
            self._flush()
            self._set_timer()

    def _handle(self, event: LinkEvent) -> None:
        match event:
            case DataReceived(data=data):
                self._streams.receive(data)
            case LinkOpened() | LinkResumed():
                if self._answer is not None and not self._answer.done():
                    self._answer.set_result(None)
                self._tell_streams()
                self._set_timer()
            case LinkClosed(code=code, reason=reason):
                self._send_messages()
                self._finish(code, reason)
            case CarrierDead(reason=reason):
                self._send_messages()
                carrier, self._carrier = self._carrier, None
                if carrier is not None:
                    carrier.close(CLOSE_GOING_AWAY, reason)
                self._lose_carrier(reason, [])
            case _:
                assert_never(event)

    def _flush_soon(self) -> None:
        if not self._is_flush_due:
            self._is_flush_due = True
            self._turns.at_end(self._flush_if_due)

    def _flush_if_due(self) -> None:
        if self._is_flush_due:
            self._flush()

    def _flush_next_turn(self) -> None:
        self._is_flush_due = True
        self._loop.call_soon(self._flush_if_due)

    def _lose_carrier(self, reason: str, events: list[LinkEvent]) -> None:
        is_awaited = self._answer is not None and not self._answer.done()
        if self._answer is not None and is_awaited:
            # First, since a link that was never accepted ends with its carrier, which says less.
            self._answer.set_exception(CarrierLost(reason))
        for event in events:
            self._handle(event)
        self._tell_streams()
        self._set_timer()
        if not is_awaited and self._end is None and self._on_lost is not None:
            self._on_lost(reason)

    def _tell_streams(self) -> None:
        if self._end is None:
            self._streams.set_attached(is_attached=self.is_attached)

    def _flush(self) -> None:
        """Send what streams and link have, unless the carrier has enough to do."""
        self._is_flush_due = False
        carrier, link = self._carrier, self._link
        if carrier is None or carrier.is_sending_paused:
            return
        if link.has_more_to_resend:
            link.resend(FLUSH_BYTES)
            self._flush_next_turn()
        elif link.is_writable:
            self._send_frames()
        self._send_messages()

    def _send_frames(self) -> None:
        """Send what streams have. A full link is flushed again when the peer acknowledges."""
        link = self._link
        has_room = link.room >= DATA_CHUNK_BYTES
        try:
            # Without room only what streams say besides data leaves.
            for parts in split_messages(self._streams.take_frames(FLUSH_BYTES if has_room else 0), link.max_send_bytes):
                link.send(parts)
        except LocalProtocolError as error:
            self._break(error)
            return
        if has_room and self._streams.has_more:
            self._flush_next_turn()

    def _send_messages(self) -> None:
        messages = self._link.messages_to_send()
        if messages and self._carrier is not None:
            self._carrier.send_messages(messages)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        when = self._link.next_timer()
        self._timer_at = math.inf if when is None else when
        if when is not None and self._end is None:
            self._timer = self._loop.call_at(when, lambda: self.check_time(max(self._loop.time(), when)))

    def _break(self, error: RemoteProtocolError | LocalProtocolError) -> None:
        """The peer broke the rules: what it sent is of no use, nor is the link."""
        logger.warning("The other end of a link broke the protocol: %s", error)
        if self._end is None:
            self._link.close(CloseCode.PROTOCOL, str(error))
            self._send_messages()
            self._finish(CloseCode.PROTOCOL, str(error), CLOSE_PROTOCOL_ERROR)

    def _finish(self, code: int, reason: str, carrier_code: int = CLOSE_NORMAL) -> None:
        if self._end is not None:
            return
        self._end = LinkEnded(code, reason)
        self._ended.set()
        self._is_flush_due = False
        if self._timer is not None:
            self._timer.cancel()
        carrier, self._carrier = self._carrier, None
        if carrier is not None:
            carrier.close(carrier_code, reason)
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(self._end_error())
        self._streams.lose(self._end)
        if self._on_closed is not None:
            self._on_closed(self._end)

    def _end_error(self) -> LinkEnded:
        assert self._end is not None  # noqa: S101  # for the type checkers
        return LinkEnded(self._end.code, self._end.reason)
